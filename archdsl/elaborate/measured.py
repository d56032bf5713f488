"""The values of what is asserted at legal sizes, point by point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from archdsl.annotations import Any
from archdsl.elaborate.assertions import evaluator, hold
from archdsl.elaborate.forms import UNKNOWN, Form
from archdsl.elaborate.operations import plain
from archdsl.elaborate.place import Claim, Run
from archdsl.elaborate.values import Fault
from archdsl.graph import Network
from archdsl.records import NamedTuple
from archdsl.symbolic.propagate import Types
from archdsl.symbolic.solve import Solver, with_ties
from archdsl.syntax import tree

MOST_POINTS = 1_000  # whose types are kept
MOST_VALUES = 20_000  # that are worked out before parts are tried at a few sizes alone

Point = Mapping[str, int]


class Part(NamedTuple):
    """A comparison of two values, or anything else that is true or false; `form` is that of left minus right.

    It is `alone` where all legal sizes have to fulfil it, and not one of several that may.
    """

    claim: Claim
    node: tree.Value
    alone: bool
    form: Form = UNKNOWN
    operator: str = ""  # the comparison's


class Measured:
    """What parts of assertions are worth where the open symbols have some sizes; `ties` are equal to others."""

    def __init__(self, run: Run, network: Network, solver: Solver, ties: Mapping[str, str]) -> None:
        self.run = run
        self.network = network
        self.solver = solver
        self.ties = ties
        self._known: dict[tuple[int, ...], tuple[Any, ...] | None] = {}  # of one part
        self._part: Part | None = None
        self._values = 0  # that were worked out
        self._types: dict[tuple[int, ...], tuple[Types, dict[str, Any]]] = {}  # by point, with what analyses found

    @property
    def spent(self) -> bool:
        """Whether no more is to be worked out than has to be."""
        return self._values > MOST_VALUES

    @contextmanager
    def at(self, point: Point) -> Iterator[None]:
        """The network with the types that its values have at a point, and what analyses have found there."""
        key = tuple(point.values())
        if key not in self._types:
            if len(self._types) >= MOST_POINTS:
                self._types.clear()
            self._types[key] = self.solver.types(**point), {}
        found, known = self._types[key]
        before, symbols = {value: value.type for value in found}, self.run.symbols
        analysed, self.network.known = self.network.known, known
        try:
            for value, type in found.items():
                value.type = type
            self.run.symbols = with_ties(point, self.ties)
            yield
        finally:
            self.run.symbols, self.network.known = symbols, analysed
            for value, type in before.items():
                value.type = type

    def values(self, part: Part, point: Point) -> tuple[Any, ...] | None:
        """Left minus right at a point, element by element; None where they are no numbers, or not as many."""
        if part is not self._part:
            self._part, self._known = part, {}
        key = tuple(point.values())
        if key not in self._known:
            self._known[key] = self._subtracted(part, point)
        return self._known[key]

    def _subtracted(self, part: Part, point: Point) -> tuple[Any, ...] | None:
        assert isinstance(part.node, tree.Comparison)
        self._values += 1
        with self.at(point):
            value = evaluator(part.claim.place, self.network).value
            left, right = (_numbers(plain(value(side))) for side in part.node.operands)
        if left is None or right is None or len(left) != len(right):
            return None
        return tuple(a - b for a, b in zip(left, right))

    def element(self, part: Part, i: int, point: Point) -> Any:
        """One of them."""
        values = self.values(part, point)
        return values[i] if values is not None else None

    def is_true(self, part: Part, point: Point) -> bool:
        """Whether a part holds at a point; raises the Fault of one that has no value."""
        try:
            with self.at(point):
                hold(Claim(part.claim.place, tree.Assertion(part.node.span, part.node)), self.network)
        except Fault as error:
            if error.diagnostic.code != "E301":
                raise
            return False
        return True


def _numbers(value: Any) -> tuple[Any, ...] | None:
    """A number or a sequence of numbers as a tuple."""
    items = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    right = all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in items)
    return items if right else None
