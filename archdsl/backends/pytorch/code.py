"""What the PyTorch backend adds to the layers' inert code, and how code is walked and changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archdsl.annotations import Any
from archdsl.layers.code import Code
from archdsl.records import NamedTuple


class Val(NamedTuple):
    """A tensor inside a module, by number: 0 is what arrives."""

    number: int


class Attribute(str):
    """The number of a child that no index reaches, since tensors stand among its level's items."""


class Kid(NamedTuple):
    """A child of the module that the code stands in, by its path below the module.

    A number in the path is an index, unless it is an Attribute.
    """

    path: tuple[str, ...]


class Outer(NamedTuple):
    """A submodule of a module around, handed in as an argument of forward; by number."""

    number: int


class Hole(NamedTuple):
    """A place in a class's code that its instances fill: a parameter of its constructor."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls here


class Absent(NamedTuple):
    """A child, or a step, that one instance of a class has and this one lacks."""


class Star(NamedTuple):
    """Equal items of a Sequential, so many times over: `*(item for _ in range(times))`.

    `names` are the names of the first copy's items where they go by name; `step` is how far the number at
    their ends grows from copy to copy.
    """

    times: Any
    items: tuple[Item, ...]
    step: int = 0


class Item(NamedTuple):
    """An item of a Sequential: its name, what constructs it, a comment, and the condition that it is there, if any."""

    name: str
    code: Any
    comment: str = ""
    condition: Any = None


class Chain(NamedTuple):
    """`nn.Sequential(items)`, named by position or, where `named`, by the items' names."""

    items: tuple[Any, ...]  # Item and Star
    named: bool


class Linear(NamedTuple):
    """`base + slope*i`, the i-th of a run of items that differ in a number."""

    base: int
    slope: int


def is_node(code: Any) -> bool:
    """Whether it is a node of the code and no literal tuple."""
    return isinstance(code, tuple) and hasattr(code, "_fields")


def walk(code: Any) -> Iterator[Any]:
    """The code and all code inside."""
    yield code
    if isinstance(code, (tuple, list)):
        for part in code:
            yield from walk(part)


def change(code: Any, rule: Callable[[Any], Any]) -> Any:
    """The code with each part for which `rule` gives something else than itself replaced by that; outermost first."""
    made = rule(code)
    if made is not code:
        return made
    if is_node(code):
        parts = [change(part, rule) for part in code]
        return code if all(a is b for a, b in zip(parts, code)) else type(code)(*parts)
    if isinstance(code, (tuple, list)):
        return type(code)(change(part, rule) for part in code)
    return code


__all__ = [
    "Absent",
    "Attribute",
    "Chain",
    "Code",
    "Hole",
    "Item",
    "Kid",
    "Linear",
    "Outer",
    "Star",
    "Val",
    "change",
    "is_node",
    "walk",
]
