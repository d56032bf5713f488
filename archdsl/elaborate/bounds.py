"""What assertions leave of the legal sizes: `assert macs < 5G` bounds them, `assert H % 32 == 0` picks some.

A measure such as macs does not shrink when an input grows: halving finds where it passes a bound. A size of a tensor
is quasi-affine in its symbol: a period and a slope say where a comparison of such sizes holds, for all of them. Where
an assertion is neither, a sound subset is told, of sizes at which it was held.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import lcm

from archdsl.annotations import Any
from archdsl.elaborate.assertions import evaluator, hold
from archdsl.elaborate.forms import UNKNOWN, Form, form
from archdsl.elaborate.operations import plain
from archdsl.elaborate.place import Claim, Run
from archdsl.elaborate.values import Fault, Poisoned, fault
from archdsl.graph import Network
from archdsl.records import NamedTuple, replace
from archdsl.symbolic.propagate import Refused, Types
from archdsl.symbolic.sizes import Sizes, some
from archdsl.symbolic.solve import Solver, Tied, with_ties
from archdsl.symbolic.turning import turning
from archdsl.syntax import tree

LARGEST = (1 << 31) - 1  # of an input's sizes
TRIED = 16  # legal sizes at which an assertion without a form is held
MOST_POINTS = 1_000  # whose types are kept
LONGEST_PERIOD = 512  # of sizes that are evaluated one by one

Point = Mapping[str, int]
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


class Part(NamedTuple):
    """A comparison of two values, or anything else that is true or false; `form` is that of left minus right."""

    claim: Claim
    node: tree.Value
    form: Form = UNKNOWN
    operator: str = ""  # the comparison's


class Bounds:
    """The legal sizes of a network, which each of its run's assertions narrows."""

    def __init__(
        self, run: Run, network: Network, solver: Solver, sizes: Mapping[str, Sizes], ties: Mapping[str, str]
    ) -> None:
        self.run = run
        self.network = network
        self.solver = solver
        self.sizes = dict(sizes)
        self.ties = ties
        self._known: dict[tuple[int, ...], tuple[Any, ...] | None] = {}  # of the part that is looked at
        self._types: dict[tuple[int, ...], tuple[Types, dict[str, Any]]] = {}  # by point, with what analyses found

    def narrow(self) -> dict[str, Sizes]:
        """The sizes at which all assertions hold; raises the Fault of one that holds at none."""
        for claim in self.run.claims:
            before = dict(self.sizes)
            with suppress(Poisoned):  # a fault that has been told
                for part in self._parts(claim, claim.node.value):
                    self._known.clear()
                    self._narrow(part)
                    if any(sizes.first() is None for sizes in self.sizes.values()):
                        self._fail(claim, before)
        return self.sizes

    def _fail(self, claim: Claim, sizes: Mapping[str, Sizes]) -> None:
        """Raise E301 with the values at the first of the sizes that were left, at none of which it holds."""
        first = {symbol: found.first() or 1 for symbol, found in sizes.items()}
        at = ", ".join(f"{symbol} = {n}" for symbol, n in first.items())
        try:
            with self._at(first):
                hold(claim, self.network)
        except Fault as error:
            notes = (*error.diagnostic.notes, f"with {at}; it holds at no legal size that was found")
            raise Fault(replace(error.diagnostic, notes=notes)) from None
        text = "for which sizes the assertion holds is not to be told"
        raise fault("E131", text, claim.node.value.span, help=f"give a value: -D {next(iter(first))}=224")

    # ---- what is asserted

    def _parts(self, claim: Claim, node: tree.Value) -> Iterator[Part]:
        """The parts that all have to hold."""
        if isinstance(node, tree.Binary) and node.operator == "and":
            yield from self._parts(claim, node.left)
            yield from self._parts(claim, node.right)
        elif isinstance(node, tree.Comparison) and all(name in _HOLDS for name in node.operators):
            symbols = frozenset((*self.sizes, *self.ties))
            with self._at(self._first()):
                value = evaluator(claim.place, self.network).value
                forms = [form(side, value, symbols) for side in node.operands]
            for i, name in enumerate(node.operators):
                pair = tree.Comparison(node.span, node.operands[i : i + 2], (name,))
                yield Part(claim, pair, forms[i].minus(forms[i + 1]), name)
        else:
            yield Part(claim, node)

    def _first(self) -> dict[str, int]:
        return {symbol: sizes.first() or 1 for symbol, sizes in self.sizes.items()}

    @contextmanager
    def _at(self, point: Point) -> Iterator[None]:
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

    def _values(self, part: Part, point: Point) -> tuple[Any, ...] | None:
        """Left minus right at a point, element by element; None where they are no numbers, or not as many."""
        key = tuple(point.values())
        if key not in self._known:
            self._known[key] = self._subtracted(part, point)
        return self._known[key]

    def _subtracted(self, part: Part, point: Point) -> tuple[Any, ...] | None:
        assert isinstance(part.node, tree.Comparison)
        with self._at(point):
            value = evaluator(part.claim.place, self.network).value
            left, right = (_numbers(plain(value(side))) for side in part.node.operands)
        if left is None or right is None or len(left) != len(right):
            return None
        return tuple(a - b for a, b in zip(left, right))

    # ---- where it holds

    def _narrow(self, part: Part) -> None:
        first = self._first()
        values = self._values(part, first) if part.operator else None
        one_by_one = values is not None and (len(values) == 1 or part.operator == "==")
        if values is None or not one_by_one or part.form == UNKNOWN:
            self._try(part)
            return
        for i in range(len(values)):
            moving = [symbol for symbol in self.sizes if self._moves(part, i, symbol, first)]
            if not moving:
                if not _HOLDS[part.operator](values[i], 0):
                    self.sizes = {symbol: sizes.between(1, 0) for symbol, sizes in self.sizes.items()}
            elif part.form.direction is not None and part.operator != "!=":
                self._cut(part, i, moving, first)
            elif len(moving) == 1 and self._period(part, moving[0]):
                self.sizes[moving[0]] = self._pick(part, i, moving[0], first)
            elif part.operator == "==" and len(moving) == 2 and self._equal(part, i, moving, first):
                raise Tied({moving[1]: moving[0]})
            else:
                self._try(part)
                return

    def _equal(self, part: Part, i: int, moving: list[str], first: Point) -> bool:
        """Whether an equation holds where two symbols are equal."""
        a, b = (self.sizes[symbol] for symbol in moving)
        both = [n for n in (*a.members(TRIED), self.solver.point[moving[0]]) if n in a and n in b]
        return bool(both) and all(self._element(part, i, {**first, **dict.fromkeys(moving, n)}) == 0 for n in both)

    def _period(self, part: Part, symbol: str) -> int:
        """The period of a part along a symbol, and of its legal sizes; 0 where it is none or too long."""
        together = lcm(part.form.period * self.solver.period, self.sizes[symbol].period)
        return together if self.sizes[symbol].rests and together <= LONGEST_PERIOD else 0

    def _moves(self, part: Part, i: int, symbol: str, first: Point) -> bool:
        """Whether an element of the difference is not the same at all legal sizes of a symbol."""
        tried: Iterable[int] = [self._last(symbol, first)]
        if part.form.direction is None:
            tried = [*self.sizes[symbol].members(2 * (self._period(part, symbol) or TRIED)), *tried]
        return any(self._element(part, i, {**first, symbol: n}) != self._element(part, i, first) for n in tried)

    def _element(self, part: Part, i: int, point: Point) -> Any:
        values = self._values(part, point)
        return values[i] if values is not None else None

    def _last(self, symbol: str, first: Point) -> int:
        """The greatest legal size of a symbol at which no other size passes the language's limit."""
        sizes = self.sizes[symbol]

        def fits(n: int) -> bool:
            try:
                self.solver.types(**{**first, symbol: sizes.up_to(n) or first[symbol]})
            except Refused:
                return False
            return True

        return sizes.up_to(LARGEST if fits(LARGEST) else _last(fits, first[symbol], LARGEST)) or first[symbol]

    def _cut(self, part: Part, i: int, moving: list[str], first: Point) -> None:
        """Bounds for what never turns; of two symbols that move it together, the same one, which is a subset."""
        assert part.form.direction is not None
        grows = part.form.direction >= 0
        least: int | None = 1
        last: int | None = None
        if part.operator in ("<", "<=", "==") if grows else part.operator in (">", ">=", "=="):
            name = ("<=" if grows else ">=") if part.operator == "==" else part.operator
            last = self._bisect(part, i, name, moving, first, upward=False)
        if part.operator in (">", ">=", "==") if grows else part.operator in ("<", "<=", "=="):
            name = (">=" if grows else "<=") if part.operator == "==" else part.operator
            least = self._bisect(part, i, name, moving, first, upward=True)
        for symbol in moving:
            whole = len(moving) == 1
            sizes = self.sizes[symbol]
            self.sizes[symbol] = sizes.between(1, 0) if least is None else sizes.between(least, last, exact=whole)

    def _bisect(self, part: Part, i: int, name: str, moving: list[str], first: Point, *, upward: bool) -> int | None:
        """The least size from which on a comparison holds, or the last one up to which; None for none such.

        No last one is None as well, and a last one of 0 says that it holds nowhere.
        """

        def holds(n: int) -> bool:
            near = {s: self.sizes[s].onward(n) if upward else self.sizes[s].up_to(n) for s in moving}
            at = {s: first[s] if found is None else found for s, found in near.items()}
            return _HOLDS[name](self._element(part, i, {**first, **at}), 0)

        high = min(self._last(symbol, first) for symbol in moving)
        if upward:
            return _last(lambda n: not holds(n), 0, high) + 1 if holds(high) else None
        if holds(high):
            return None
        return _last(holds, 1, high) if holds(1) else 0

    def _pick(self, part: Part, i: int, symbol: str, first: Point) -> Sizes:
        """The legal sizes of a symbol at which a comparison of quasi-affine sizes holds."""
        return turning(
            self.sizes[symbol],
            self._period(part, symbol),
            lambda n: self._element(part, i, {**first, symbol: n}),
            lambda difference: _HOLDS[part.operator](difference, 0),
        )

    def _try(self, part: Part) -> None:
        """Some legal sizes of one symbol at which a part without a form holds, beside the first of the others."""
        first = self._first()
        symbol = next(iter(self.sizes))
        found = []
        for n in self.sizes[symbol].members(TRIED):
            try:
                with self._at({**first, symbol: n}):
                    hold(Claim(part.claim.place, tree.Assertion(part.node.span, part.node)), self.network)
                found.append(n)
            except Fault as error:
                if error.diagnostic.code != "E301":
                    raise
        self.sizes = {other: some(found if other == symbol else [n]) for other, n in first.items()}


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The last whole number of which something holds that holds of `low`, not of `high`, and turns once between."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _numbers(value: Any) -> tuple[Any, ...] | None:
    """A number or a sequence of numbers as a tuple."""
    items = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    right = all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in items)
    return items if right else None
