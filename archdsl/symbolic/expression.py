"""A size as an expression over a symbol: `H`, `2*H`, `floor((H + 31)/32)`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


class Size(int):
    """A size at one point of the symbols, and how it hangs on one of them: floor((p*n + a)/q).

    `whole` says that the division leaves no rest for any valid size.
    """

    symbol: str
    p: int
    q: int
    a: int
    whole: bool

    def __new__(cls, value: int, symbol: str, slope: Fraction, a: int, whole: bool) -> Size:
        made = super().__new__(cls, value)
        made.symbol, made.p, made.q, made.a, made.whole = symbol, slope.numerator, slope.denominator, a, whole
        return made

    def at(self, n: int) -> int:
        """The size where the symbol is n."""
        return (self.p * n + self.a) // self.q

    def __str__(self) -> str:
        times = self.symbol if self.p == 1 else f"{self.p}*{self.symbol}"
        sum_ = times if not self.a else f"{times} {'+' if self.a > 0 else '-'} {abs(self.a)}"
        if self.q == 1:
            return f"({sum_})" if self.a else times
        inside = f"({sum_})" if self.a else times
        return f"{inside}/{self.q}" if self.whole else f"floor({inside}/{self.q})"


def fit(points: Sequence[tuple[int, int]], symbol: str, value: int) -> int | Size | None:
    """The expression through the points (n, size), which reach over two periods or more; None where there is none.

    A constant is an int; a division without a rest goes before one that is rounded down.
    """
    g0 = points[0][1]
    if all(g == g0 for _, g in points):
        return g0
    for slope in _slopes(points):
        offset = _offset(points, slope)
        if offset is not None:
            return Size(value, symbol, slope, *offset)
    return None


def _slopes(points: Sequence[tuple[int, int]]) -> list[Fraction]:
    """The slopes between the first point and the others whose steps are whole periods: the likeliest first."""
    n0, g0 = points[0]
    found: dict[Fraction, int] = {}
    for n, g in points[1:]:
        slope = Fraction(g - g0, n - n0)
        found[slope] = found.get(slope, 0) + 1
    return sorted(found, key=lambda s: (-found[s], s.denominator))


def _offset(points: Sequence[tuple[int, int]], slope: Fraction) -> tuple[int, bool] | None:
    """The offset a for which floor((p*n + a)/q) goes through all points, and whether no division leaves a rest."""
    p, q = slope.numerator, slope.denominator
    low = max(q * g - p * n for n, g in points)
    high = min(q * g - p * n + q - 1 for n, g in points)
    if low > high:
        return None
    if all(q * g - p * n == low for n, g in points):
        return low, True
    return (0 if low <= 0 <= high else low if low > 0 else high), q == 1
