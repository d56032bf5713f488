"""Sets of sizes that are periodic from some size on, and how they are said in words."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.records import NamedTuple

LONGEST_PERIOD = 4096


class Sizes(NamedTuple):
    """Whole numbers above 0: those of `low` below `start`, and from there on those whose rest by `period` is
    in `rests`.

    `exact` is False where more sizes may be valid than are said.
    """

    low: tuple[int, ...]
    start: int
    period: int
    rests: frozenset[int]
    exact: bool = True

    def __contains__(self, n: object) -> bool:
        if not isinstance(n, int) or n < 1:
            return False
        return n in self.low if n < self.start else n % self.period in self.rests

    def __str__(self) -> str:
        return describe(self)

    def members(self, count: int) -> list[int]:
        """The first members, so many or as many as there are."""
        found = list(self.low[:count])
        n = self.start
        while self.rests and len(found) < count:
            if n % self.period in self.rests:
                found.append(n)
            n += 1
        return found

    def nearest(self, n: int) -> list[int]:
        """The members next to n: the greatest one up to it, and the least one from it on; none where there is none."""
        below = next((m for m in range(n, max(0, n - self.period - self.start) - 1, -1) if m in self), None)
        above = next((m for m in range(n, max(n, self.start) + self.period + 1) if m in self), None)
        return sorted({m for m in (below, above) if m is not None})

    def first(self) -> int | None:
        """The least member."""
        if self.low:
            return self.low[0]
        return next((m for m in range(self.start, self.start + self.period) if m in self), None)


def find_sizes(valid: Callable[[int], bool], bound: int, period: int, point: int) -> Sizes:
    """The sizes for which `valid` holds, which is known to be periodic from `bound` on: one period is looked at.

    From there it walks down. Of a period past LONGEST_PERIOD a sound subset is told: its multiples, else those that
    leave the rest of `point`, which is known to be valid, else that one alone.
    """
    exact = period <= LONGEST_PERIOD
    if exact:
        rests = frozenset(n % period for n in range(bound, bound + period) if valid(n))
    else:
        first = -(-bound // period) * period
        kept = [rest for rest in (0, point % period) if valid(first + rest) and valid(first + rest + period)]
        if not kept:
            return Sizes((point,), point + 1, 1, frozenset(), False)
        rests = frozenset(kept[:1])
    low = tuple(n for n in range(1, bound) if valid(n)) if exact else ()
    return _tidy(Sizes(low, bound, period, rests, exact))


def _tidy(sizes: Sizes) -> Sizes:
    """The same set with the least period and the earliest start."""
    period = sizes.period
    for smaller in _divisors(period):
        if all(((r + smaller) % period in sizes.rests) == (r in sizes.rests) for r in range(period)):
            period = smaller
            break
    rests = frozenset(r % period for r in sizes.rests)
    low, start = set(sizes.low), sizes.start
    while start > 1 and ((start - 1) in low) == ((start - 1) % period in rests):
        start -= 1
        low.discard(start)
    return Sizes(tuple(sorted(low)), start, period, rests, sizes.exact)


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0] if n <= LONGEST_PERIOD else [n]


def describe(sizes: Sizes) -> str:
    """`multiples of 16, at least 32`; `any n >= 1`; `32, 64`; `none`."""
    if not sizes.rests:
        text = ", ".join(map(str, sizes.low)) or "none"
        return text if sizes.exact else f"{text} (more may be valid)"
    first = next(n for n in range(sizes.start, sizes.start + sizes.period) if n in sizes)
    if len(sizes.rests) == sizes.period:
        text = f"any n >= {first}"
    elif sizes.rests == frozenset({0}):
        text = f"multiples of {sizes.period}" + (f", at least {first}" if first > sizes.period else "")
    elif len(sizes.rests) == 1:
        text = f"{sizes.period}*k + {next(iter(sizes.rests))}, at least {first}"
    elif len(sizes.rests) <= 4:
        rests = " or ".join(map(str, sorted(sizes.rests)))
        text = f"{sizes.period}*k + {rests}, at least {first}"
    else:
        rests = ", ".join(map(str, sorted(set(range(sizes.period)) - sizes.rests)))
        missing = len(set(range(sizes.period)) - sizes.rests)
        text = f"n >= {first} whose rest by {sizes.period} is " + (
            f"not {rests}" if missing <= 8 else f"one of {len(sizes.rests)} of {sizes.period}"
        )
    extra = f"; and {', '.join(map(str, sizes.low[:8]))}{' …' if len(sizes.low) > 8 else ''}" if sizes.low else ""
    return text + extra + ("" if sizes.exact else " (more may be valid)")
