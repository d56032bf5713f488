"""What a spec does elsewhere: of repairs that do as well, one that makes a value like its fellows is the likelier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archdsl.annotations import Any
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

Slot = tuple[object, ...]


class Habits:
    """Which values stand where: in each argument of a layer or a block, in each column of a list of rows."""

    def __init__(self, statements: Iterable[Any]) -> None:
        self._slots: dict[Span, Slot] = {}
        self._values: dict[Slot, Counter[str]] = {}
        for slot, span in _slots(statements):
            self._slots[span] = slot
            self._values.setdefault(slot, Counter())[span.text] += 1

    def weighed(self, candidate: Candidate) -> Candidate:
        """The candidate with how many values its text joins, less those that what it replaces leaves."""
        slot = self._slots.get(candidate.edit.span)
        if slot is None:
            return candidate
        values = self._values[slot]
        return candidate._replace(gain=values[candidate.edit.text] - values[candidate.edit.span.text] + 1)


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
