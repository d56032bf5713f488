"""What is worked out in one run, counted against the limits of a hostile spec and kept where it may be asked again."""

from __future__ import annotations

from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic
from archdsl.elaborate.values import Limit
from archdsl.graph import Value
from archdsl.syntax.source import Span

MOST_WORK = 400_000  # values worked out in one run


class Work:
    """Counts what is worked out, so that a hostile spec ends with an error rather than never."""

    def __init__(self) -> None:
        self.done = 0
        self.tells = True  # whether help is looked for where something is wrong
        self.calls = 0  # functions that are being worked out, one in the other
        self.asked = 0  # what was read that no function's arguments hold: tensors, names from outside
        self.known: dict[object, tuple[object, Any]] = {}  # what functions gave, see calls.py
        self.codes: dict[int, Any] = {}  # expressions made ready by the ids of their nodes, see evaluate.py
        self.reads: list[tuple[Span, Value, slice]] = []  # sizes that expressions have read, as axes of a tensor

    def count(self, span: Span, values: int = 1) -> None:
        """So many values more; raises Limit past the limit."""
        self.done += values
        if self.done > MOST_WORK:
            message = f"the spec's values take more than {MOST_WORK:_} steps to work out"
            raise Limit(Diagnostic("E150", message, span))
