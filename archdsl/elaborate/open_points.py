"""Sizes that stand for open ones while a network is elaborated: the first that check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.annotations import Any
from archdsl.elaborate.mentions import parts_of
from archdsl.elaborate.open_symbols import LARGE, LIKELY, written
from archdsl.syntax import tree

ALIKE = 4  # sizes, far apart, at which an error comes alike that is no fault of the size
NEXT = 64  # so many sizes from the first likely one on are tried then, and all below it
SCALES = (1 / 2, 2, 1 / 4, 4, 1 / 8, 8)  # of an input's sizes beside those of the others
STRIDES = (1, 2, 4, 8, 16, 32)  # how much larger an input may be than a size that the text names
MOST_NAMED = 16  # sizes of the text that are tried, each by all strides
MOST_TRIES = 400


def points(file: tree.File, inputs: Mapping[str, Any], symbols: list[str]) -> Iterator[dict[str, int]]:
    """Points that may check.

    All symbols alike, those of one input so many times as large as the others, or sizes that the text names: as many
    in a row as there are symbols, such as the 20 and 30 of `PARAM(3, 20, 30)` for H and W.
    """
    sizes = [*LIKELY[: ALIKE - 1], LARGE, *LIKELY[ALIKE - 1 :]]
    first = LIKELY[0]
    alike = [dict.fromkeys(symbols, n) for n in (*sizes, *range(first + 1, first + NEXT), *range(1, first))]
    yield from alike[:ALIKE]
    for _, letters in written(file, inputs):
        own = [letter for letter in symbols if letter in letters]
        if 0 < len(own) < len(symbols):
            for times in SCALES:
                yield dict.fromkeys(symbols, first) | dict.fromkeys(own, int(first * times))
    yield from alike[ALIKE : len(sizes)]
    yield from _named(file, symbols)
    yield from alike[len(sizes) : MOST_TRIES]


def _named(file: tree.File, symbols: list[str]) -> Iterator[dict[str, int]]:
    """Numbers of the text, as many in a row as there are symbols, the smallest strides first."""
    numbers = [n for _, n in sorted(_numbers(file), key=lambda found: found[0])]
    rows = list(dict.fromkeys(zip(*(numbers[i:] for i in range(len(symbols))))))[:MOST_NAMED]
    for stride in STRIDES:
        yield from (dict(zip(symbols, (n * stride for n in row))) for row in rows)


def _numbers(file: tree.File) -> Iterator[tuple[tuple[int, int], int]]:
    """The whole numbers that may be sizes, each with its place."""
    waiting: list[Any] = list(file.statements)
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Number) and isinstance(node.value, int) and 1 < node.value <= LARGE:
            yield (node.span.start, 0), node.value
        elif isinstance(node, tree.ShapeLiteral):
            yield from (((node.span.start, i), n) for i, n in enumerate(node.sizes) if isinstance(n, int) and n > 1)
        else:
            waiting += parts_of(node)
