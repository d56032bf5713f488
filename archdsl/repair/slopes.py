"""What is known of numbers before they are tried, so that hopeless ones need not be, and the right one comes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.annotations import Any
from archdsl.graph import Network
from archdsl.repair.candidates import Candidate
from archdsl.repair.trials import Result, Trials, key
from archdsl.repair.values import LARGEST, nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

EXACT = -2  # the rank of what is reckoned to give what an assertion wants


class Slopes:
    """What numbers make of an error: one that changes nothing of it is no cause, and a measure can be reckoned with."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._base = trials.check(())
        self._idle: set[Span] = set()
        self._seen: dict[Span, float] = {}  # how a measure moved with a number of which nothing was reckoned
        failed = self.failed
        self._measured = trials.slopes(failed) if failed else None
        self._size = bool(failed) and isinstance(failed[-1][0], tuple)  # of a shape, which few numbers come to
        self._rows = {node.span for node in _in_lists(trials)}

    @property
    def failed(self) -> Sequence[tuple[Any, Any]]:
        """The two sides of what fails, with the values with which open sizes are tried."""
        return self._base.failed if self._base is not None else ()

    def unchanged(self, result: Result) -> bool:
        """Whether all that is wrong is wrong as before, wherever it stands."""
        if self._base is None:
            return False
        return self._base.keys == result.keys and list(self._base.failed) == list(result.failed)

    def nearer(self, result: Result) -> bool:
        """Whether a measure is at most half as far from what an assertion wants, and nothing else is wrong."""
        if self._base is None or not self._base.failed or not result.failed or len(result.errors) != 1:
            return False
        (a, wanted), (b, same) = self._base.failed[-1], result.failed[-1]
        if wanted != same or any(type(n) is not int or abs(n) > LARGEST for n in (a, b, wanted)):
            return False
        return bool(2 * abs(b - wanted) <= abs(a - wanted))

    def learn(self, candidate: Candidate, result: Result | None) -> None:
        """Keep what a trial has shown."""
        if self._base is None or result is None or candidate.number == candidate.other:
            return
        place = candidate.edit.span
        if result.errors and _alike(self._base, result):
            self._idle.add(place)
        elif len(result.errors) == 1 and result.failed and not self._size and place not in self._seen:
            after = result.failed[-1][0]
            if (
                self._measured is not None
                and isinstance(after, (int, float))
                and max(after, candidate.number) < LARGEST
            ):
                self._seen[place] = float(after - self._measured[0]) / (candidate.other - candidate.number)

    def missing(self) -> tuple[Network, float] | None:
        """The network that an assertion fails of, and how much more of a measure it wants; None where that is none."""
        whole = self._trials.check((), most=100)  # there is a network only where no limit is met
        if whole is None or whole.network is None:
            return None
        for pair in whole.failed:
            if all(type(n) is int and abs(n) < LARGEST for n in pair) and pair[0] != pair[1]:
                return whole.network, pair[1] - pair[0]
        return None

    def hopeless(self, candidate: Candidate) -> bool:
        """Whether another number here has changed nothing, or so much that this one is none."""
        place = candidate.edit.span
        if candidate.number == candidate.other or place not in self._seen or self._measured is None:
            return candidate.number != candidate.other and place in self._idle
        wanted = float(self._measured[1]) - float(self._measured[0])
        moved = self._seen[place] * (candidate.other - candidate.number)
        return not (wanted * moved > 0 and abs(wanted) / 3 <= abs(moved) <= abs(wanted) * 3)

    def ranked(self, candidate: Candidate) -> Candidate | None:
        """A number with a rank by what it is reckoned to do to an assertion, None where that is not enough."""
        slopes = getattr(self._measured[0], "slopes", {}) if self._measured is not None else {}
        if self._measured is None or candidate.number == candidate.other or candidate.number > LARGEST:
            return candidate
        if candidate.edit.span not in slopes:  # it may count copies, if it is no argument
            return candidate._replace(rank=2) if candidate.edit.span in self._rows and candidate.rank > 2 else candidate
        first, second = slopes[candidate.edit.span]
        by = candidate.other - candidate.number
        wanted, moved = float(self._measured[1]) - float(self._measured[0]), first * by + second * by * by / 2
        if abs(wanted - moved) <= abs(wanted) / 100:
            return candidate._replace(rank=EXACT)
        most = 3 if 2 * candidate.other > candidate.number else 12  # far below, a quotient is reckoned badly
        if not (wanted * moved > 0 and abs(wanted) / most <= abs(moved) <= abs(wanted) * most):
            return None
        return candidate._replace(rank=min(candidate.rank, -1)) if self._size else candidate


def _in_lists(trials: Trials) -> Iterator[tree.Number]:
    statements = [statement for file in trials.files.values() for statement in file.statements]
    for node in nodes(statements):
        if isinstance(node, tree.Items):
            yield from (item for item in node.items if isinstance(item, tree.Number))


def _alike(a: Result, b: Result) -> bool:
    """Whether an edit has changed nothing of what is wrong."""
    return [(key(e), e.span) for e in a.errors] == [(key(e), e.span) for e in b.errors] and a.failed == b.failed
