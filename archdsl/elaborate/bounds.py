"""What assertions leave of the legal sizes: `assert macs < 5G` bounds them, `assert H % 32 == 0` picks some.

A measure such as macs does not shrink when an input grows: halving finds where it passes a bound. A size of a tensor
is quasi-affine in its symbol: a period and a slope say where a comparison of such sizes holds, for all of them. Where
a comparison is neither, a sound subset is told, of sizes at which it was held.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import lcm

from archdsl.annotations import Any
from archdsl.elaborate.assertions import evaluator, hold
from archdsl.elaborate.forms import UNKNOWN, form
from archdsl.elaborate.likely import TRIED, tried
from archdsl.elaborate.logic import Both, Either, Logic, taken_apart
from archdsl.elaborate.measured import Measured, Part, Point
from archdsl.elaborate.place import Claim, Run
from archdsl.elaborate.values import Fault, Poisoned, fault
from archdsl.graph import Network
from archdsl.records import replace
from archdsl.symbolic.propagate import Refused
from archdsl.symbolic.sizes import Sizes
from archdsl.symbolic.solve import Solver, Tied
from archdsl.symbolic.turning import turning
from archdsl.syntax import tree

LARGEST = (1 << 31) - 1  # of an input's sizes
MOST_PARTS = 64  # of which one is enough that are looked at
LONGEST_PERIOD = 512  # of sizes that are evaluated one by one

_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


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
        self.measured = Measured(run, network, solver, ties)

    def narrow(self) -> dict[str, Sizes]:
        """The sizes at which all assertions hold; raises the Fault of one that holds at none."""
        for claim in self.run.claims:
            before = dict(self.sizes)
            with suppress(Poisoned):  # a fault that has been told
                self._narrow(claim, taken_apart(claim.node.value), alone=True)
                if self._empty():
                    self._fail(claim, before)
        return self.sizes

    def _empty(self) -> bool:
        return any(sizes.first() is None for sizes in self.sizes.values())

    def _fail(self, claim: Claim, sizes: Mapping[str, Sizes]) -> None:
        """Raise E301 with the values at the first of the sizes that were left, at none of which it holds."""
        first = {symbol: found.first() or 1 for symbol, found in sizes.items()}
        at = ", ".join(f"{symbol} = {n}" for symbol, n in first.items())
        try:
            with self.measured.at(first):
                hold(claim, self.network)
        except Fault as error:
            notes = (*error.diagnostic.notes, f"with {at}; it holds at no legal size that was found")
            raise Fault(replace(error.diagnostic, notes=notes)) from None
        text = "for which sizes the assertion holds is not to be told"
        raise fault("E131", text, claim.node.value.span, help=f"give a value: -D {next(iter(first))}=224")

    # ---- what is asserted

    def _narrow(self, claim: Claim, logic: Logic, *, alone: bool) -> None:
        """Leave the sizes at which it holds."""
        if isinstance(logic, Both):
            for part in logic.parts:
                if not self._empty():
                    self._narrow(claim, part, alone=alone)
        elif isinstance(logic, Either):
            before, found = self.sizes, []
            for part in logic.parts[:MOST_PARTS]:
                self.sizes = dict(before)
                self._narrow(claim, part, alone=False)
                found.append(self.sizes)
            self.sizes = _either(found, exact=len(logic.parts) <= MOST_PARTS)
        else:
            self._hold(self._part(claim, logic, alone))

    def _part(self, claim: Claim, node: tree.Value, alone: bool) -> Part:
        if not isinstance(node, tree.Comparison) or node.operators[0] not in _HOLDS:
            return Part(claim, node, alone)
        symbols = frozenset((*self.sizes, *self.ties))
        with self.measured.at(self._first()):
            value = evaluator(claim.place, self.network).value
            left, right = (form(side, value, symbols) for side in node.operands)
        return Part(claim, node, alone, left.minus(right), node.operators[0])

    def _first(self) -> dict[str, int]:
        return {symbol: sizes.first() or 1 for symbol, sizes in self.sizes.items()}

    # ---- where it holds

    def _hold(self, part: Part) -> None:
        first = self._first()
        values = self.measured.values(part, first) if part.operator else None
        one_by_one = values is not None and (len(values) == 1 or part.operator == "==")
        if values is None or not one_by_one or part.form == UNKNOWN or self.measured.spent:
            self.sizes = tried(part, self.measured, self.sizes)
            return
        for i in range(len(values)):
            moving = [symbol for symbol in self.sizes if self._moves(part, i, symbol, first)]
            if not moving:
                if not _HOLDS[part.operator](values[i], 0):
                    self.sizes = {symbol: sizes.between(1, 0) for symbol, sizes in self.sizes.items()}
            elif len(moving) == 1 and self._few(moving[0]):
                self._pick_few(part, i, moving[0], first)
            elif part.form.direction is not None and part.operator != "!=":
                self._cut(part, i, moving, first)
            elif len(moving) == 1 and self._period(part, moving[0]) and self._pick(part, i, moving[0], first):
                continue
            elif part.operator == "==" and len(moving) == 2 and part.alone and self._equal(part, i, moving, first):
                raise Tied({moving[1]: moving[0]})
            else:
                self.sizes = tried(part, self.measured, self.sizes)
                return
            if self._empty():
                return

    def _equal(self, part: Part, i: int, moving: list[str], first: Point) -> bool:
        """Whether an equation holds where two symbols are equal."""
        a, b = (self.sizes[symbol] for symbol in moving)
        both = [n for n in (*a.members(TRIED), self.solver.point[moving[0]]) if n in a and n in b]
        return bool(both) and all(
            self.measured.element(part, i, {**first, **dict.fromkeys(moving, n)}) == 0 for n in both
        )

    def _period(self, part: Part, symbol: str) -> int:
        """The period of a part along a symbol, and of its legal sizes; 0 where it is none or too long."""
        together = lcm(part.form.period * self.solver.period, self.sizes[symbol].period)
        return together if self.sizes[symbol].rests and together <= LONGEST_PERIOD else 0

    def _moves(self, part: Part, i: int, symbol: str, first: Point) -> bool:
        """Whether an element of the difference is not the same at all legal sizes of a symbol."""
        sizes = {self._last(symbol, first), *self.sizes[symbol].nearest(self.solver.point[symbol])}
        if part.form.direction is None or self._few(symbol):
            sizes.update(self.sizes[symbol].members(2 * (self._period(part, symbol) or TRIED)))
        beside = {s: (sizes.nearest(self.solver.point[s]) or [first[s]])[0] for s, sizes in self.sizes.items()}
        return any(
            self.measured.element(part, i, {**others, symbol: n})
            != self.measured.element(part, i, {**others, symbol: first[symbol]})
            for others in (first, beside)
            for n in sizes
        )

    def _few(self, symbol: str) -> bool:
        """Whether a symbol's legal sizes are so few that each one is looked at."""
        sizes = self.sizes[symbol]
        return not sizes.rests and len(sizes.low) <= LONGEST_PERIOD

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
            return _HOLDS[name](self.measured.element(part, i, {**first, **at}), 0)

        high = min(self._last(symbol, first) for symbol in moving)
        if upward:
            return _last(lambda n: not holds(n), 0, high) + 1 if holds(high) else None
        if holds(high):
            return None
        return _last(holds, 1, high) if holds(1) else 0

    def _pick_few(self, part: Part, i: int, symbol: str, first: Point) -> None:
        """Those of few sizes of a symbol at which a comparison holds."""
        holds = _HOLDS[part.operator]
        sizes = self.sizes[symbol]
        kept = tuple(n for n in sizes.low if holds(self.measured.element(part, i, {**first, symbol: n}), 0))
        self.sizes[symbol] = sizes._replace(low=kept)

    def _pick(self, part: Part, i: int, symbol: str, first: Point) -> bool:
        """Leave the sizes of a symbol at which a comparison of quasi-affine sizes holds; False where these are not."""
        kept = turning(
            self.sizes[symbol],
            self._period(part, symbol),
            lambda n: self.measured.element(part, i, {**first, symbol: n}),
            lambda difference: _HOLDS[part.operator](difference, 0),
        )
        self.sizes[symbol] = kept or self.sizes[symbol]
        return kept is not None


def _either(found: list[dict[str, Sizes]], *, exact: bool) -> dict[str, Sizes]:
    """The sizes of one part of several or of another: together where one symbol alone differs, else those of one.

    They are `exact` where no part was left out.
    """
    left = [sizes for sizes in found if all(one.first() is not None for one in sizes.values())]
    result, *others = left or found[:1]
    exact = exact and all(one.exact for sizes in found if sizes not in left for one in sizes.values())
    for sizes in others:
        differ = [symbol for symbol, one in sizes.items() if one != result[symbol]]
        if len(differ) == 1:
            result = {**result, differ[0]: result[differ[0]].union(sizes[differ[0]])}
        exact = exact and len(differ) <= 1
    return result if exact else {symbol: one._replace(exact=False) for symbol, one in result.items()}


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The last whole number of which something holds that holds of `low`, not of `high`, and turns once between."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
