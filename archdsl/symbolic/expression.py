"""A size as an expression over a symbol: `H`, `2*H`, `floor((H + 31)/32)`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


class Size(int):
    """A size at one point of the symbols, and how it hangs on one of them: times*floor((p*n**power + a)/q) + plus.

    `whole` says that the division leaves no rest for any valid size. Where no such expression is found, `exact`
    is False and the slope alone is right.
    """

    symbol: str
    p: int
    q: int
    a: int
    times: int
    plus: int
    power: int
    whole: bool
    exact: bool

    def __new__(
        cls, value: int, symbol: str, slope: Fraction, a: int = 0, whole: bool = True,
        times: int = 1, plus: int = 0, power: int = 1, exact: bool = True,
    ) -> Size:  # fmt: skip
        made = super().__new__(cls, value)
        made.symbol, made.p, made.q, made.a = symbol, slope.numerator, slope.denominator, a
        made.whole, made.times, made.plus, made.power, made.exact = whole, times, plus, power, exact
        return made

    def at(self, n: int) -> int:
        """The size where the symbol is n."""
        raised: int = n**self.power
        return self.times * ((self.p * raised + self.a) // self.q) + self.plus

    def __str__(self) -> str:
        symbol = self.symbol if self.power == 1 else f"{self.symbol}**{self.power}"
        term = symbol if abs(self.p) == 1 else f"{abs(self.p)}*{symbol}"
        inner = _sum(term, self.a) if self.p > 0 else f"{self.a} - {term}"
        if self.q == 1:
            text = inner if not self.a or (self.times == 1 and not self.plus) else f"({inner})"
        else:
            inside = f"({inner})" if self.a else inner
            text = f"{inside}/{self.q}" if self.whole else f"floor({inside}/{self.q})"
        if not self.exact:
            return f"about {text}"
        text = f"{self.times}*{text}" if self.times != 1 else text
        text = _sum(text, self.plus)
        return f"({text})" if " " in text and not text.startswith("floor") and self.q == 1 else text


def _sum(text: str, plus: int) -> str:
    return text if not plus else f"{text} {'+' if plus > 0 else '-'} {abs(plus)}"


LARGEST_FACTOR = 16
POWERS = (2, 3)  # of a symbol, as a flattening of HxH has them


def fit(points: Sequence[tuple[int, int]], symbol: str, value: int, period: int) -> int | Size:
    """The expression through the points (n, size), two of which lie some periods apart if more than a few are valid.

    A constant is an int; a division without a rest goes before one that is rounded down. The slope is that of whole
    periods: another one may go through many points, and leave them further out.
    """
    g0 = points[0][1]
    if all(g == g0 for _, g in points):
        return g0
    powers = POWERS if _bends(points, period) else (1,)
    for power in powers:
        for times in range(1, LARGEST_FACTOR + 1):
            plus = g0 % times
            if any(g % times != plus for _, g in points):
                continue
            inner = [(n, (g - plus) // times) for n, g in points]
            for slope in _slopes(inner, period, power):
                offset = _offset(inner, slope, power)
                if offset is not None:
                    return Size(value, symbol, slope, *offset, times, plus, power)
    slope = _slopes(points, period, powers[0])[0]
    return Size(value, symbol, slope.limit_denominator(1000), power=powers[0], exact=False)


def _bends(points: Sequence[tuple[int, int]], period: int) -> bool:
    """Whether the size is no line through points that lie whole periods apart, as the product of two axes is none."""
    n1, g1 = points[-1]
    apart = [(n, g) for n, g in points if (n1 - n) % period == 0]
    return len({Fraction(g1 - g, n1 - n) for n, g in apart if n < n1}) > 1


def _slopes(points: Sequence[tuple[int, int]], period: int, power: int) -> list[Fraction]:
    """The slope of whole periods, which is one; where no two points lie so, those between the first and the others."""
    n1, g1 = points[-1]
    for n, g in reversed(points[:-1]):
        if (n1 - n) % period == 0:
            return [Fraction(g1 - g, n1**power - n**power)]
    n0, g0 = points[0]
    found: dict[Fraction, int] = {}
    for n, g in points[1:]:
        slope = Fraction(g - g0, n**power - n0**power)
        found[slope] = found.get(slope, 0) + 1
    return sorted(found, key=lambda s: (-found[s], s.denominator))


def _offset(points: Sequence[tuple[int, int]], slope: Fraction, power: int) -> tuple[int, bool] | None:
    """The offset a for which floor((p*n**power + a)/q) goes through all points, and whether no division leaves a
    rest.
    """
    p, q = slope.numerator, slope.denominator
    low = max(q * g - p * n**power for n, g in points)
    high = min(q * g - p * n**power + q - 1 for n, g in points)
    if low > high:
        return None
    if all(q * g - p * n**power == low for n, g in points):
        return low, True
    return (0 if low <= 0 <= high else low if low > 0 else high), q == 1
