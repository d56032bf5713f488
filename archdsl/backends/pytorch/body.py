"""A module of the graph as the body of a class: what it constructs, and what its forward does, tensors by number.

Names of classes and of variables come later: bodies of one block are held against each other first.
"""

from __future__ import annotations

from archdsl.annotations import Any
from archdsl.graph import Module
from archdsl.records import NamedTuple


class Child(NamedTuple):
    """What a module registers: `kind` is "module", "parameter", "buffer" or "saved" (a buffer in the state_dict)."""

    name: str
    kind: str
    code: Any
    comment: str = ""


class Line(NamedTuple):
    """One step of forward: the tensors that it makes, the expression, the place in the spec where it stands."""

    makes: tuple[int, ...]
    code: Any
    place: tuple[int, int]  # line and column in the spec
    comment: str = ""
    training: bool = False


class Body(NamedTuple):
    """A class: its children, its forward, the tensors that it gives and those for training alone.

    `positional`: the children are named by position, and the class is a Sequential.
    `takes` are the tensors that forward is given, `outer` how many submodules from around.
    """

    positional: bool
    children: tuple[Child, ...]
    lines: tuple[Line, ...]
    takes: tuple[int, ...]
    outer: int
    gives: tuple[int, ...]
    hints: tuple[tuple[int, str], ...]


class Reference(NamedTuple):
    """An instance of the class of a module that is none of torch's: which class it is, is settled later."""

    module: Module


def counted(names: list[str]) -> bool:
    """Whether the names are those of a Sequential's items."""
    return bool(names) and names == [str(i) for i in range(len(names))]
