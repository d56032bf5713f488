"""What a spec does elsewhere: of repairs that do as well, one that makes a value like its fellows is the likelier.

Fellows are the values of the same argument or column, and an expression that is written elsewhere in the same way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator

from archdsl.annotations import Any
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span

Slot = tuple[object, ...]
Nests = dict[Source, tuple[list[int], list[list[Span]]]]

LONGEST = 100  # characters of an expression that may stand elsewhere in the same way
MOST_NESTED = 50  # expressions in one another that are looked at


class Habits:
    """Which values stand where: in each argument of a layer or a block, in each column of a list of rows."""

    def __init__(self, statements: Iterable[Any]) -> None:
        self._slots: dict[Span, Slot] = {}
        self._values: dict[Slot, Counter[str]] = {}
        statements = list(statements)
        expressions = (node.span for node in nodes(statements) if isinstance(node, tree.Binary))
        reckoned = [span for span in expressions if span.end - span.start <= LONGEST]
        self._reckoned = _nested(reckoned)
        self._texts = Counter(span.text for span in reckoned)
        for slot, span in _slots(statements):
            self._slots[span] = slot
            self._values.setdefault(slot, Counter())[span.text] += 1

    def weighed(self, candidate: Candidate) -> Candidate:
        """The candidate with how many values its text joins, less those that what it replaces leaves."""
        slot = self._slots.get(candidate.edit.span)
        if slot is None:
            return candidate._replace(gain=candidate.gain + self._written(candidate))
        values = self._values[slot]
        return candidate._replace(gain=values[candidate.edit.text] - values[candidate.edit.span.text] + 1)

    def _written(self, candidate: Candidate) -> int:
        """How often the expression that a part is changed of stands elsewhere as it then would be, twice."""
        at = candidate.edit.span
        if at.start == at.end:
            return 0
        starts, nests = self._reckoned.get(at.source, ([], []))
        index = bisect_right(starts, at.start) - 1
        for span in nests[index][:MOST_NESTED] if index >= 0 else ():
            if span.start <= at.start and at.end <= span.end:
                text = span.text[: at.start - span.start] + candidate.edit.text + span.text[at.end - span.start :]
                if self._texts[text]:
                    return 2 * self._texts[text] + 1
        return 0


def _nested(spans: list[Span]) -> Nests:
    """Expressions by their file, each with those inside it, and where the outermost ones start."""
    found: Nests = {}
    end = 0
    for span in sorted(spans, key=lambda span: (id(span.source), span.start, -span.end)):
        starts, nests = found.setdefault(span.source, ([], []))
        if not starts or span.start >= end:
            starts.append(span.start)
            nests.append([])
            end = span.end
        nests[-1].append(span)
    return found


def _slots(statements: Iterable[Any]) -> Iterator[tuple[Slot, Span]]:
    for node in nodes(statements):
        if isinstance(node, (tree.Call, tree.Join)):
            for index, argument in enumerate(node.arguments):
                yield (node.name.id, argument.name or index), argument.value.span
        elif isinstance(node, tree.Items):
            for row in node.items:
                if isinstance(row, tree.Items):
                    for index, item in enumerate(row.items):
                        yield (node.span, index), item.span
