"""Legal sizes at which an assertion holds that tells nothing of itself but whether it does: some are tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.annotations import Any
from archdsl.elaborate.functions import FUNCTIONS
from archdsl.elaborate.measured import Measured, Part
from archdsl.elaborate.mentions import open_names_of, parts_of
from archdsl.elaborate.open_symbols import LIKELY
from archdsl.symbolic.sizes import Sizes, some
from archdsl.syntax import tree

TRIED = 16  # of the first legal sizes


def tried(part: Part, measured: Measured, sizes: Mapping[str, Sizes]) -> dict[str, Sizes]:
    """Some legal sizes of one symbol at which a part holds, beside one size of each other; none where none was found.

    All sizes of a symbol stay that the part does not speak of.
    """
    first = {symbol: legal.first() or 1 for symbol, legal in sizes.items()}
    moving = [symbol for symbol in sizes if _mentions(part, symbol, sizes, measured.ties)]
    likely = {symbol: _likely(sizes[symbol]) for symbol in moving}
    found: dict[str, list[int]] = {}
    for base in (first, *({**first, **{s: sizes[s].nearest(n)[0] for s in moving}} for n in LIKELY)):
        found = {s: [n for n in likely[s] if measured.is_true(part, {**base, s: n})] for s in moving}
        if any(found.values()):
            first = base
            break
    most = max(found, key=lambda s: len(found[s]), default="")
    return {**sizes, **{s: some(found[s] if s == most else [first[s]]) for s in moving}}


def _likely(sizes: Sizes) -> list[int]:
    """Legal sizes that are tried: the first ones, and some further on."""
    return sorted({*sizes.members(TRIED), *(m for n in LIKELY for m in sizes.nearest(n))})


def _mentions(part: Part, symbol: str, sizes: Mapping[str, Sizes], ties: Mapping[str, str]) -> bool:
    """Whether a part may hang on a symbol: it names it, or something that is none of the symbols and functions."""
    named = {other for other, one in ties.items() if one == symbol} | {symbol}
    words = open_names_of(part.node)
    others = words - sizes.keys() - ties.keys() - FUNCTIONS.keys()
    return bool(words & named or others) or any(isinstance(node, tree.Reference) for node in _nodes(part.node))


def _nodes(node: Any) -> Iterator[Any]:
    """A node and all in it."""
    waiting = [node]
    while waiting:
        yield (node := waiting.pop())
        waiting += parts_of(node)
