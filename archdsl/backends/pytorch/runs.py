"""Items of a Sequential that repeat, or that grow by a step from one to the next, as comprehensions."""

from __future__ import annotations

import re

from archdsl.annotations import Any
from archdsl.backends.pytorch.code import Item, Linear, Star, is_node
from archdsl.records import NamedTuple

SHORTEST = 3  # fewer items than these are written out
_NUMBERED = re.compile(r"(.*?)([0-9]+)$", re.DOTALL)


class Progression(NamedTuple):
    """`code for i in range(count)`, where numbers in the code are Linear in i; names are prefix and `first + i`."""

    times: int
    code: Any
    prefix: str
    first: int


def compress(items: tuple[Any, ...], named: bool) -> list[Any]:
    """The items, with each run of three or more that differ by a constant step as one Progression."""
    result: list[Any] = []
    index = 0
    while index < len(items):
        length, run = _run(items[index:], named)
        if length >= SHORTEST:
            result.append(run)
            index += length
        else:
            result.append(items[index])
            index += 1
    return result


def _run(items: tuple[Any, ...], named: bool) -> tuple[int, Any]:
    if len(items) < SHORTEST or not all(isinstance(item, Item) for item in items[:SHORTEST]):
        return 1, None
    match = _NUMBERED.match(items[0].name)
    if match is None:
        return 1, None
    prefix, first = match[1], int(match[2])
    if str(first) != match[2]:
        return 1, None
    try:
        line = _line(items[0].code, items[1].code)
    except ValueError:
        return 1, None
    length = 0
    for i, item in enumerate(items):
        if not isinstance(item, Item) or item.name != f"{prefix}{first + i}" or at(line, i) != item.code:
            break
        length += 1
    return length, Progression(length, line, prefix if named else "", first)


def _line(a: Any, b: Any) -> Any:
    """The code whose first two members are `a` and `b`; raises ValueError where more than whole numbers differ."""
    if type(a) is not type(b):
        raise ValueError
    if isinstance(a, int) and not isinstance(a, bool):
        return a if a == b else Linear(a, b - a)
    if isinstance(a, Star):
        if a != b:
            raise ValueError
        return a
    if isinstance(a, (tuple, list)):
        if len(a) != len(b):
            raise ValueError
        if isinstance(a, Item):
            return Item(_same(a.name, b.name), _line(a.code, b.code))
        parts = [_line(x, y) for x, y in zip(a, b)]
        return type(a)(*parts) if is_node(a) else type(a)(parts)
    return _same(a, b)


def _same(a: Any, b: Any) -> Any:
    if a != b:
        raise ValueError
    return a


def at(code: Any, i: int) -> Any:
    """The i-th member of a run."""
    if isinstance(code, Linear):
        return code.base + code.slope * i
    if isinstance(code, (tuple, list)):
        parts = [at(part, i) for part in code]
        return type(code)(*parts) if is_node(code) else type(code)(parts)
    return code
