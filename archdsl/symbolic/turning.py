"""Where a quasi-affine difference of sizes is positive, zero or negative: a line for each rest by its period."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.annotations import Union
from archdsl.symbolic.sizes import FURTHEST, Sizes, tidy

Number = Union[int, float]  # halves and quarters, which are exact


def turning(
    sizes: Sizes, period: int, difference: Callable[[int], Number], holds: Callable[[Number], bool]
) -> Sizes | None:
    """The members of `sizes` at which `holds`, which asks for the sign alone, is true of the difference.

    The difference is quasi-affine with this period, which the sizes have as well: for each rest it is a line, whose
    slope has the last word. So behind the last turn the answer is periodic, and up to it each size is looked at;
    where a difference may turn past FURTHEST a subset is told. None where it is no line, as H*H is none.
    """
    lines: dict[int, tuple[int, Number, Number]] = {}  # by rest: a size, the difference there, and what a period adds
    end = sizes.start
    for n in range(sizes.start, sizes.start + period):
        if n % sizes.period not in sizes.rests:
            continue
        value = difference(n)
        slope = difference(n + period) - value
        if difference(n + 2 * period) - value != 2 * slope:
            return None
        lines[n % period] = n, value, slope
        if slope and value * slope <= 0:
            end = max(end, n + (int(-value // slope) + 2) * period)
    last = sizes.last
    if end > FURTHEST:
        end = FURTHEST
        last = min(FURTHEST - 1, last or FURTHEST)
    low = [n for n in sizes.low if holds(difference(n))]
    for n in range(sizes.start, end):
        if n in sizes:
            at, value, slope = lines[n % period]
            low += [n] * holds(value + (n - at) // period * slope)
    rests = frozenset(rest for rest, (_, value, slope) in lines.items() if holds(slope or value))
    if last is not None:
        low, rests = [n for n in low if n <= last], rests if last >= end else frozenset()
    return tidy(Sizes(tuple(low), end, period, rests, sizes.exact and last == sizes.last, last))
