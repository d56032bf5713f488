"""Choices: `a?` and CHOOSE, and what decides them."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.annotations import Any
from archdsl.elaborate.place import Place
from archdsl.elaborate.values import describe, fault
from archdsl.syntax import tree
from archdsl.syntax.nesting import within
from archdsl.syntax.source import Span

_ON = {"on": True, "off": False, "true": True, "false": False, "yes": True, "no": False}


def number_choices(file: tree.File) -> dict[int, str]:
    """The keys of choices without a label: `choice1`, `choice2` in the order of the text, in a block `Block.choice1`.

    They are given by the offset of the `?` or of the word CHOOSE. A label is not counted in.
    """
    result: dict[int, str] = {}
    _number((mark for chain in file.composed for mark in _marks(chain)), "", result)
    for statement in file.heads:
        if isinstance(statement, tree.Block):
            _number(_marks(statement.body), f"{statement.name.id}.", result)
    return result


def _number(marks: Iterator[int], prefix: str, result: dict[int, str]) -> None:
    for number, mark in enumerate(sorted(marks), 1):
        result[mark] = f"{prefix}choice{number}"


def _marks(node: Any, labelled: bool = False) -> Iterator[int]:
    """The places of the choices without a label inside a node."""
    if isinstance(node, tree.Optional_) and not labelled:
        yield node.mark.start
    if isinstance(node, tree.Join) and node.name.id == "CHOOSE" and not labelled:
        yield node.name.span.start
    for part in within(node):
        yield from _marks(part, isinstance(node, tree.Labelled))


def choice_key(place: Place, mark: Span, label: str | None) -> str:
    """What a choice is set by: its label, else its number. In `a: CHOOSE{ … }?` the label is that of the `?`."""
    return place.run.scopes[mark.source].choices.get(mark.start) or label or ""


def _given(place: Place, key: str) -> Any:
    place.run.choices.add(key)
    if key in place.run.given:
        place.run.used.add(key)
        return place.run.given[key]
    return None


def is_on(place: Place, key: str, span: Span) -> bool:
    """Whether an optional part is there: yes, unless it is switched off; raises E170."""
    value = _given(place, key)
    if value is None or isinstance(value, bool):
        return value is not False
    if isinstance(value, str) and value.lower() in _ON:
        return _ON[value.lower()]
    if value in (0, 1):
        return bool(value)
    raise fault("E170", f"{key}={describe(value)} switches nothing: on or off is expected", span)


def arm_of(place: Place, key: str, count: int, span: Span) -> int:
    """The index of the arm that is chosen: the first, unless another is given by its number from 1; raises E170."""
    value = _given(place, key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= count:
        raise fault("E170", f"{key}={describe(value)} chooses nothing: a number from 1 to {count} is expected", span)
    return value - 1
