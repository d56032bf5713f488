"""What is known of numbers before they are tried, so that hopeless ones need not be, and the right one comes first."""

from __future__ import annotations

from archdsl.repair.candidates import Candidate
from archdsl.repair.trials import Result, Trials, key
from archdsl.syntax.source import Span

EXACT = -2  # the rank of what is reckoned to give what an assertion wants


class Slopes:
    """What numbers make of an error: one that changes nothing of it is no cause, and a measure can be reckoned with."""

    def __init__(self, trials: Trials) -> None:
        self._base = trials.check(())
        self._idle: set[Span] = set()
        measured = self._base is not None and any(error.code == "E301" for error in self._base.errors)
        self._measured = trials.slopes() if measured else None

    def learn(self, candidate: Candidate, result: Result | None) -> None:
        """Keep what a trial has shown."""
        if self._base is None or result is None or candidate.number == candidate.other:
            return
        if result.errors and _alike(self._base, result):
            self._idle.add(candidate.edit.span)

    def hopeless(self, candidate: Candidate) -> bool:
        """Whether another number here has changed nothing."""
        return candidate.number != candidate.other and candidate.edit.span in self._idle

    def ranked(self, candidate: Candidate) -> Candidate | None:
        """A number with a rank by what it is reckoned to do to an assertion, None where that is not enough."""
        slopes = getattr(self._measured[0], "slopes", {}) if self._measured is not None else {}
        if self._measured is None or candidate.edit.span not in slopes or candidate.number == candidate.other:
            return candidate
        first, second = slopes[candidate.edit.span]
        by = candidate.other - candidate.number
        wanted, moved = float(self._measured[1]) - float(self._measured[0]), first * by + second * by * by / 2
        if abs(wanted - moved) <= abs(wanted) / 100:
            return candidate._replace(rank=EXACT)
        return candidate if wanted * moved > 0 and abs(wanted) / 3 <= abs(moved) <= abs(wanted) * 3 else None


def _alike(a: Result, b: Result) -> bool:
    """Whether an edit has changed nothing of what is wrong."""
    return [(key(e), e.span) for e in a.errors] == [(key(e), e.span) for e in b.errors] and a.failed == b.failed
