"""Inert data that names PyTorch code: the layers return it, the PyTorch backend writes it out.

Nothing here imports torch. A literal is any of None, bool, int, float, str, and tuples or lists of
them; the backend writes it by `repr`, so that no text of a spec can become code.
"""

from __future__ import annotations

from archdsl.annotations import Any, Union
from archdsl.records import NamedTuple

Literal = Union[None, bool, int, float, str, "tuple[Any, ...]", "list[Any]"]


class X(NamedTuple):
    """The layer's input number `index`, with the batch as its first axis."""

    index: int = 0  # type: ignore[assignment]  # hides tuple.index, which nobody calls here


class Itself(NamedTuple):
    """The child that the layer registers: called where it is a module, read where it is a tensor."""


class Call(NamedTuple):
    """`name(*args, **kwargs)`; `name` is a dotted name of the backend's own, such as "nn.Conv2d"."""

    name: Union[str, Itself]
    args: tuple[Code, ...] = ()
    kwargs: tuple[tuple[str, Code], ...] = ()


class Method(NamedTuple):
    """`value.name(*args, **kwargs)`."""

    value: Code
    name: str
    args: tuple[Code, ...] = ()
    kwargs: tuple[tuple[str, Code], ...] = ()


class Infix(NamedTuple):
    """`left operator right`, in parentheses where it stands inside another expression."""

    operator: str
    left: Code
    right: Code


class Item(NamedTuple):
    """`value[index]`."""

    value: Code
    index: Code  # type: ignore[assignment]  # as in X


class Span(NamedTuple):
    """`start:stop:step` inside an Item, where None is left out; Span() is `:`."""

    start: Code = None
    stop: Code = None
    step: Code = None


class Batch(NamedTuple):
    """The size of the batch of `value`: `value.shape[0]`."""

    value: Code = X()


class Name(NamedTuple):
    """A dotted name of the backend's own, such as "torch.float32"."""

    name: str


Code = Union[X, Itself, Call, Method, Infix, Item, Span, Batch, Name, Literal]


Starts = tuple[tuple[str, Code], ...]  # "weight" and "bias" of a module, each with the call that lets it start


class Torch(NamedTuple):
    """How a layer is written in PyTorch.

    `register` constructs the child that the layer registers, or is None; `forward` is the expression
    of the output. `kind` says what the child is: "module", "parameter", "buffer" or "" for none.
    `helper` is the source of a class that `register` names and torch lacks: it is emitted once. `starts`
    are calls for the child `m`'s "weight" and "bias", where they start otherwise than torch lets them.
    """

    forward: Code
    register: Call | None = None
    kind: str = ""
    helper: str = ""
    starts: Starts = ()


def call(name: str, *args: Code, **kwargs: Code) -> Call:
    """`call("nn.Conv2d", 3, 64, kernel_size=7)` as data."""
    return Call(name, args, tuple(kwargs.items()))


def module(name: str, *args: Code, helper: str = "", starts: Starts = (), **kwargs: Code) -> Torch:
    """A child module called with the layer's one input."""
    return Torch(Call(Itself(), (X(),)), call(name, *args, **kwargs), "module", helper, starts)


def function(name: str, *args: Code, **kwargs: Code) -> Torch:
    """A function of the inputs: `function("torch.flatten", X(), 1)`; nothing is registered."""
    return Torch(call(name, *args, **kwargs))
