"""A map that is missing before a pool, of the width with which an assertion finds the weights that it wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from archdsl.annotations import Any
from archdsl.repair.candidates import Candidate
from archdsl.repair.gaps import Gap, bare, gaps, head
from archdsl.repair.trials import Trials
from archdsl.repair.values import LARGEST
from archdsl.syntax import tree

EXACT = -2  # the rank of what is reckoned to give what an assertion wants
_POOLS = ("POOL", "AVGPOOL")
_MOST_GAPS = 4  # places for which widths are worked out
_TRIED = (64, 128)  # widths between which the weights of a network grow evenly
_WIDEST = 4096


def widths(trials: Trials, statements: Iterable[Any]) -> Iterator[Candidate]:
    """A map more between a map and a pool in the main chain, of the two kernels that are the usual ones."""
    for gap in islice((gap for gap in gaps(statements) if _pooled(gap)), _MOST_GAPS):
        name = bare(gap.before).name.id
        for kernel in (3, 1):
            left = [_left(trials, gap, f"{name}({width}, {kernel})") for width in _TRIED]
            if left[0] is None or left[1] is None or left[0] == left[1]:
                continue
            width = _TRIED[0] + left[0] * (_TRIED[1] - _TRIED[0]) / (left[0] - left[1])
            if width == int(width) and 0 < width <= _WIDEST:
                text = f"{name}({int(width)}, {kernel})"
                yield Candidate(gap.filled(text), f"write {text} before {bare(gap.after).span.text}", rank=EXACT)


def _pooled(gap: Gap) -> bool:
    """Whether a pool follows a map with a width and a kernel."""
    before = bare(gap.before)
    if gap.around or head(gap.after) not in _POOLS or not isinstance(before, tree.Call):
        return False
    loose = [argument for argument in before.arguments if not argument.name]
    return 1 < len(loose) < 4 and all(isinstance(argument.value, tree.Number) for argument in loose)


def _left(trials: Trials, gap: Gap, text: str) -> int | None:
    """How many weights are still missing with a step more, None where something else is wrong."""
    result = trials.check((gap.filled(text),))
    if result is None or not result.errors:
        return None if result is None else 0
    if len(result.errors) != 1 or not result.failed:
        return None
    found, wanted = result.failed[-1]
    return wanted - found if all(type(n) is int and abs(n) < LARGEST for n in (found, wanted)) else None
