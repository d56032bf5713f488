"""For which values of its symbols a network is valid, and what its values' sizes are.

Along an axis every size is a monotone quasi-affine function of one symbol: g(n + L) = g(n) + slope*L. What a
layer asks of a size is a bound, a division without a rest, or the equality of two sizes. So above some bound
validity has period L; the ordinary rules, run on one period and from there down, give it exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import lcm
from typing import NamedTuple, Union

from archdsl.analyses.receptive_field import fields
from archdsl.graph import Network, Value
from archdsl.symbolic.expression import Size, fit
from archdsl.symbolic.propagate import NeedsSize, Refused, propagate
from archdsl.symbolic.sizes import LONGEST_PERIOD, Sizes, find_sizes
from archdsl.tensor import Shape, TensorType

Letters = Mapping[str, tuple[Union[int, str], ...]]
_FAR = 1 << 16  # no bound is looked for past this size
_AHEAD = 4  # validity at a bound is held against that at so many times it: a multiple of every period


class Solution(NamedTuple):
    """The valid values of each symbol, each with the others at a valid point, and that point."""

    sizes: dict[str, Sizes]
    point: dict[str, int]


class Solver:
    """A network whose inputs have open sizes: `letters` says by input which axes are open, `point` where it was made."""

    def __init__(self, network: Network, letters: Letters, point: Mapping[str, int]) -> None:
        self.network = network
        self.letters = letters
        self.point = dict(point)
        self._refusals: dict[tuple[str, int], str] = {}

    def types(self, **sizes: int) -> dict[Value, TensorType]:
        """The types of all values where the symbols have these sizes, the others those of the point."""
        at = {**self.point, **sizes}
        shapes: dict[str, Shape] = {
            name: tuple(at[size] if isinstance(size, str) else size for size in shape)
            for name, shape in self.letters.items()
        }
        return propagate(self.network, shapes)

    def period(self) -> int:
        """A period of all sizes: the least common multiple of the strides between the input and each value."""
        result = 1
        for field in fields(self.network).values():
            for stride in field.stride:
                result = lcm(result, stride.numerator)
        return result

    def solve(self) -> Solution:
        """The valid values of each symbol; raises NeedsSize where a weight hangs on one."""
        period = self.period()
        return Solution({symbol: self._sizes(symbol, period) for symbol in self.point}, self.point)

    def _sizes(self, symbol: str, period: int) -> Sizes:
        return find_sizes(lambda n: not self._refusal(symbol, n), self._bound(symbol, period), period)

    def _bound(self, symbol: str, period: int) -> int:
        """A size above which nothing is refused for being too small, and validity has come to its period."""
        n, length = period, min(period, LONGEST_PERIOD)
        while n < _FAR:
            here = [self._refusal(symbol, n + m) for m in range(length)]
            far = [self._refusal(symbol, _AHEAD * n + m) for m in range(length)]
            if "E202" not in here and [not code for code in here] == [not code for code in far]:
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

    def shape(self, value: Value, solution: Solution) -> tuple[Union[int, Size], ...]:
        """The shape of a value at the point, open sizes as expressions over the symbols."""
        base = self.types()[value].shape
        result: list[Union[int, Size]] = list(base)
        for symbol, sizes in solution.sizes.items():
            period = max(self.period(), sizes.period)
            start = max(sizes.start, 1)
            chosen = [n for n in (*sizes.low, *range(start, start + 3 * period)) if n in sizes]
            step = max(1, len(chosen) // 200)
            points = [(n, self.types(**{symbol: n})[value].shape) for n in chosen[::step]]
            for axis in range(len(base)):
                if len({shape[axis] for _, shape in points}) > 1:
                    found = fit([(n, shape[axis]) for n, shape in points], symbol, base[axis])
                    if found is not None:
                        result[axis] = found
        return tuple(result)


__all__ = ["NeedsSize", "Solution", "Solver"]
