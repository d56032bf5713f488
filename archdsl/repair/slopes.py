"""What is known of numbers that were tried, so that hopeless ones need not be."""

from __future__ import annotations

from archdsl.repair.candidates import Candidate
from archdsl.repair.trials import Result, Trials, key
from archdsl.syntax.source import Span


class Slopes:
    """What is known of numbers that were tried: one that changes nothing of an error is no cause of it."""

    def __init__(self, trials: Trials) -> None:
        self._base = trials.check(())
        self._known: dict[Span, float | None] = {}  # how a number moves what the assertion measures; None: not at all

    def learn(self, candidate: Candidate, result: Result | None) -> None:
        """Keep what a trial has shown."""
        base = self._base
        if base is None or result is None or candidate.number == candidate.other or candidate.edit.span in self._known:
            return
        if result.errors and _alike(base, result):
            self._known[candidate.edit.span] = None
            return
        before, after = _measured(base), _measured(result)
        if before is not None and after is not None:
            self._known[candidate.edit.span] = (after[0] - before[0]) / (candidate.other - candidate.number)

    def hopeless(self, candidate: Candidate) -> bool:
        """Whether another number cannot do it, as far as the effect is about linear."""
        if candidate.edit.span not in self._known or candidate.number == candidate.other:
            return False
        slope = self._known[candidate.edit.span]
        base = _measured(self._base) if self._base is not None else None
        if slope is None or base is None:
            return True
        wanted, moved = base[1] - base[0], slope * (candidate.other - candidate.number)
        return not (wanted * moved > 0 and abs(wanted) / 5 <= abs(moved) <= abs(wanted) * 5)


def _measured(result: Result) -> tuple[float, float] | None:
    """What the first assertion that fails finds and wants, where both are numbers."""
    if len(result.errors) != 1 or result.errors[0].code != "E301" or not result.failed:
        return None
    numbers = [pair for pair in result.failed if all(isinstance(n, (int, float)) for n in pair)]
    return numbers[-1] if numbers else None


def _alike(a: Result, b: Result) -> bool:
    """Whether an edit has changed nothing of what is wrong."""
    return [(key(e), e.span) for e in a.errors] == [(key(e), e.span) for e in b.errors] and a.failed == b.failed
