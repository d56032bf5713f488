"""For which values of its symbols a network is valid, and what its values' sizes are.

Along an axis every size is a monotone quasi-affine function of one symbol: g(n + L) = g(n) + slope*L. What a
layer asks of a size is a bound, a division without a rest, or the equality of two sizes. So above some bound
validity has period L; the ordinary rules, run on one period and from there down, give it exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain, combinations, islice, product
from math import lcm, prod

from archdsl.annotations import Union
from archdsl.graph import Network, Value
from archdsl.records import NamedTuple
from archdsl.symbolic.expression import Size, fit
from archdsl.symbolic.period import period
from archdsl.symbolic.propagate import NeedsSize, Propagation, Refused, TooMuch, Types
from archdsl.symbolic.sizes import LONGEST_PERIOD, Sizes, find_sizes, some
from archdsl.tensor import Shape

Letters = Mapping[str, tuple[Union[int, str], ...]]
MOST_TRIED = 400_000  # steps of the network that are gone through for all sizes together
MOST_TOGETHER = 64  # points that few sizes of several symbols make, all of which are tried
MOST_GROUPS = 256  # of symbols that are tried for being equal
MOST_NARROWED = 8  # least sizes of a symbol that are left out since they are refused together with another's
MOST_POINTS = 300  # sizes at which expressions are fitted
_FAR = 1 << 16  # no bound is looked for past this size
_NEAR = 64  # bounds below this are not tried
_AHEAD = (1, 4, 16)  # validity at a bound is held against that at so many times it


class Solution(NamedTuple):
    """The valid values of each symbol, each with the others at a valid point, and that point."""

    sizes: dict[str, Sizes]
    point: dict[str, int]


class Together(Exception):
    """A size of a value hangs on more than one symbol: a product of axes."""

    def __init__(self, value: Value, axis: int, symbols: tuple[str, ...]) -> None:
        super().__init__("a product of axes")
        self.value = value
        self.axis = axis
        self.symbols = symbols


def with_ties(point: Mapping[str, int], ties: Mapping[str, str]) -> dict[str, int]:
    """A point with the symbols that are equal to others of it."""
    return {**point, **{symbol: point[other] for symbol, other in ties.items()}}


class Tied(Exception):
    """Symbols that move together: each with the one that it is equal to; not `exact` where they might differ."""

    def __init__(self, ties: dict[str, str], exact: bool = True) -> None:
        super().__init__("symbols that are equal")
        self.ties = ties
        self.exact = exact


class Solver:
    """A network whose inputs have open sizes: `letters` says by input which axes are open, `point` where it
    was made, `most` how many steps may be gone through.
    """

    def __init__(self, network: Network, letters: Letters, point: Mapping[str, int], most: int = MOST_TRIED) -> None:
        self.network = network
        self.letters = letters
        self.point = dict(point)
        self._refusals: dict[tuple[str, int], str] = {}
        self.period = period(network)
        self._longest = LONGEST_PERIOD
        self._most = most
        self._propagation = Propagation(network, most)

    def types(self, **sizes: int) -> Types:
        """The types of all values where the symbols have these sizes, the others those of the point."""
        at = {**self.point, **sizes}
        shapes: dict[str, Shape] = {
            name: tuple(at[size] if isinstance(size, str) else size for size in shape)
            for name, shape in self.letters.items()
        }
        return self._propagation.types(shapes)

    def solve(self) -> Solution:
        """The valid values of each symbol; raises NeedsSize where a weight hangs on one.

        Where one whole period is too much to be tried, a subset is told as past the longest period.
        """
        try:
            return self._solution()
        except TooMuch:
            if self.period < _NEAR:
                raise
            self._longest, self._propagation = 0, Propagation(self.network, self._most // 4)
            return self._solution()

    def _solution(self) -> Solution:
        sizes: dict[str, Sizes] = {}
        needed: dict[str, NeedsSize] = {}
        for symbol in self.point:
            try:
                sizes[symbol] = self._sizes(symbol, self.period)
            except NeedsSize as error:
                needed[symbol] = error
        if needed:
            raise NeedsSize(next(iter(needed.values())).step, tuple(needed))
        return Solution(sizes, self.point)

    def check_together(self, solution: Solution) -> Solution:
        """The solution, which is each symbol's with the others at the point, where it holds for all of them.

        Raises Tied for symbols that have to be equal, as the sides of a map that is added to its transpose: each
        one alone is bound to the point, all of them together are not. What else binds symbols to each other is left
        at the point, a sound subset.
        """
        stuck = [symbol for symbol, valid in solution.sizes.items() if not valid.rests]
        groups = chain.from_iterable(combinations(stuck, count) for count in range(2, len(stuck) + 1))
        for group in islice(groups, MOST_GROUPS):  # pairs first: A, A + B, B binds A to A and B to B
            n = self.point[group[0]]
            equal = all(self.point[symbol] == n for symbol in group)
            if equal and any(self._fits(dict.fromkeys(group, n + by)) for by in (self.period, n, 2 * self.period)):
                alone = all(len(solution.sizes[symbol].low) == 1 for symbol in group)
                raise Tied(dict.fromkeys(group[1:], group[0]), alone)
        if len(stuck) < 2:
            return solution
        few = [solution.sizes[symbol].low for symbol in stuck]
        points = [dict(zip(stuck, ns)) for ns in product(*few)] if prod(map(len, few)) <= MOST_TOGETHER else []
        together = bool(points) and all(map(self._fits, points))
        here = {symbol: some(solution.sizes[symbol].low if together else [self.point[symbol]]) for symbol in stuck}
        return solution._replace(sizes={**solution.sizes, **here})

    def narrowed(self, solution: Solution) -> Solution:
        """The same without least sizes that are refused together, as INSTANCENORM takes 1x2 and 2x1, but no 1x1.

        A sound subset: where it is enough, one symbol alone loses its least size, else all do.
        """
        sizes = dict(solution.sizes)
        for _ in range(MOST_NARROWED):
            ends = {symbol: valid.members(2) for symbol, valid in sizes.items()}
            least = {symbol: found[0] for symbol, found in ends.items()}
            more = [symbol for symbol, found in ends.items() if len(found) > 1]
            if self._fits(least) or not more:
                break
            alone = [symbol for symbol in reversed(more) if self._fits({**least, symbol: ends[symbol][1]})]
            for symbol in alone[:1] or more:
                sizes[symbol] = sizes[symbol].without_least()
        return solution._replace(sizes=sizes)

    def _fits(self, sizes: Mapping[str, int]) -> bool:
        try:
            self.types(**sizes)
        except Refused:
            return False
        return True

    def _sizes(self, symbol: str, period: int) -> Sizes:
        return find_sizes(
            lambda n: not self._refusal(symbol, n),
            self._bound(symbol, period),
            period,
            self.point[symbol],
            self._longest,
        )

    def _bound(self, symbol: str, period: int) -> int:
        """A size above which nothing is refused for being too small, and validity has come to its period."""
        point = self.point[symbol]
        rests = range(period) if period <= self._longest else (0, point % period)  # those that a subset is made of
        n = -(-_NEAR // period) * period
        while n < _FAR:
            patterns = [[not self._refusal(symbol, ahead * n + m) for m in rests] for ahead in _AHEAD]
            meets = point < n or patterns[0][rests.index(point % period)]  # the point is known to be valid
            if meets and all(pattern == patterns[0] for pattern in patterns):
                return n
            n *= 2
        return n

    def _refusal(self, symbol: str, n: int) -> str:
        """The code of what is wrong with a size, "" for nothing."""
        key = symbol, n
        if key not in self._refusals:
            try:
                self.types(**{symbol: n})
                self._refusals[key] = ""
            except Refused as error:
                self._refusals[key] = error.code
        return self._refusals[key]

    def enter(self, solution: Solution) -> None:
        """Put the expressions of open sizes into the types of the network's values, as Size.

        What is not the same in all copies of a repetition, though it is at the point, has no expression.
        Raises Together where a size hangs on two symbols.
        """
        base = self.types()
        sizes = {value: list(type.shape) for value, type in base.items()}
        for symbol, valid in solution.sizes.items():
            points = self._points(symbol, valid)
            for value, axis in set().union(*(types.differ for _, types in points)):
                sizes[value][axis] = Size(base[value].shape[axis], symbol, Fraction(1), exact=False)
            for value, type in base.items():
                for axis in range(type.rank):
                    along = [(n, types[value].shape[axis]) for n, types in points]
                    if not getattr(sizes[value][axis], "exact", True):
                        continue
                    if any(g != along[0][1] for _, g in along):
                        if isinstance(sizes[value][axis], Size):
                            raise Together(value, axis, self._symbols_of(value, axis, solution))
                        sizes[value][axis] = fit(along, symbol, type.shape[axis], self.period)
        for value, type in base.items():
            value.type = type._replace(shape=tuple(sizes[value]))
        self.network.known.clear()

    def _symbols_of(self, value: Value, axis: int, solution: Solution) -> tuple[str, ...]:
        """The symbols that a size hangs on."""
        along = {s: {types[value].shape[axis] for _, types in self._points(s, v)} for s, v in solution.sizes.items()}
        return tuple(symbol for symbol, sizes in along.items() if len(sizes) > 1)

    def _points(self, symbol: str, valid: Sizes) -> list[tuple[int, Types]]:
        """The types of all values at valid sizes of a symbol, the last two of which lie whole periods apart."""
        reach = 3 * max(self.period, valid.period) if valid.rests else 0
        chosen = [n for n in (*valid.low, *range(valid.start, valid.start + reach)) if n in valid]
        chosen = chosen[:: max(1, -(-len(chosen) // MOST_POINTS))]
        first = next((n for n in range(valid.start, valid.start + valid.period) if n in valid), None)
        if first is not None:
            far = lcm(self.period, valid.period)
            start = chosen[-1] // far * far + first
            chosen += [start + far, start + 2 * far]
        return [(n, self.types(**{symbol: n})) for n in chosen]


WITNESSES = 4  # valid sizes of each symbol that stand for all


def witnesses(network: Network) -> list[dict[str, int]]:
    """Some valid sizes of the open symbols: the first ones, with the others at theirs."""
    if network.open is None:
        return []
    members = {
        symbol: sizes.members(WITNESSES) for symbol, sizes in network.open.valid.items() if isinstance(sizes, Sizes)
    }
    longest = max(map(len, members.values()), default=0)
    return [{symbol: m[min(i, len(m) - 1)] for symbol, m in members.items()} for i in range(longest)]


@contextmanager
def at(network: Network, point: Mapping[str, int]) -> Iterator[None]:
    """The network with the types that its values have where the open symbols have these sizes."""
    assert network.open is not None
    found = Solver(network, network.open.shapes, network.open.point).types(**point)
    before = {value: value.type for value in found}
    network.known.clear()
    try:
        for value, type in found.items():
            value.type = type
        yield
    finally:
        for value, type in before.items():
            value.type = type
        network.known.clear()


__all__ = ["NeedsSize", "Solution", "Solver", "Tied", "TooMuch", "at", "with_ties", "witnesses"]
