"""What follows a step: nothing at all, or nothing but what may end a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.elaborate.place import Place, Tail
from archdsl.elaborate.values import Fault, Limit, Poisoned
from archdsl.syntax import tree

Part = tree.Step | tree.Constant
_TRANSPARENT = frozenset(("SOFTMAX", "SIGMOID", "DROPOUT"))


def parts_of(line: tree.Chain | tree.Constant) -> Sequence[Part]:
    """The steps of a line, or its constant."""
    return line.steps if isinstance(line, tree.Chain) else (line,)


def tails(place: Place, parts: Sequence[Part], tail: Tail) -> Iterator[Tail]:
    """What follows each of the steps, asked for just before it is elaborated; `tail`, the end, follows them all."""
    steps = [part for part in parts if not isinstance(part, tree.Constant)]
    end = len(steps)  # what stands before this may end the network
    while end and _transparent(steps[end - 1]) is not False:
        end -= 1
    counted = [number for number in range(end, len(steps)) if _transparent(steps[number]) is None]
    for index in range(1, len(steps) + 1):
        ends = index >= end and all(_transparent(steps[number], place) for number in counted if number >= index)
        yield Tail(tail.last and index == len(steps), ends)


def _transparent(node: Part, place: Place | None = None) -> bool | None:
    """Whether what stands before a step may still end the network; without a place, None where that hangs on counts."""
    if isinstance(node, (tree.Labelled, tree.Optional_)):
        return _transparent(node.step, place)
    if isinstance(node, tree.Repeated):
        return _transparent(node.step, place) or (None if place is None else _left_out(node.count, place))
    if isinstance(node, tree.Group):
        found = [_transparent(part, place) for line in node.body.lines for part in parts_of(line)]
        return False if False in found else None if None in found else True
    return (
        isinstance(node, (tree.Name, tree.Call))
        and (node.id if isinstance(node, tree.Name) else node.name.id) in _TRANSPARENT
    )


def _left_out(count: tree.Value, place: Place) -> bool:
    """Whether there are no copies."""
    try:
        return bool(place.evaluator.value(count) == 0)
    except Limit:
        raise
    except (Fault, Poisoned):
        return False
