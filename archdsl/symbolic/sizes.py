"""Sets of sizes that are periodic from some size on, and how they are said in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import lcm

from archdsl.records import NamedTuple

LONGEST_PERIOD = 4096
LONGEST_SUBSET = 1 << 16  # past this period no multiples are told
FURTHEST = 1 << 14  # sizes up to this are listed one by one
MOST_RUNS = 12  # of sizes one behind the other that are told


class Sizes(NamedTuple):
    """Whole numbers above 0: those of `low` below `start`, and from there on those whose rest by `period` is
    in `rests`; none is greater than `last`, if that is given.

    `exact` is False where more sizes may be valid than are said.
    """

    low: tuple[int, ...]
    start: int
    period: int
    rests: frozenset[int]
    exact: bool = True
    last: int | None = None

    def __contains__(self, n: object) -> bool:
        if not isinstance(n, int) or n < 1 or (self.last is not None and n > self.last):
            return False
        return n in self.low if n < self.start else n % self.period in self.rests

    def __str__(self) -> str:
        return describe(self)

    def members(self, count: int) -> list[int]:
        """The first members, so many or as many as there are."""
        found = list(self.low[:count])
        n = self.start
        while self.rests and len(found) < count and (self.last is None or n <= self.last):
            if n % self.period in self.rests:
                found.append(n)
            n += 1
        return found

    def without_least(self) -> Sizes:
        """A subset: the least member is left out."""
        if self.low:
            return self._replace(low=self.low[1:], exact=False)
        first = self.first()
        return self if first is None else self._replace(start=first + 1, exact=False)

    def nearest(self, n: int) -> list[int]:
        """The members next to n: the greatest one up to it, and the least one from it on; none where there is none."""
        return sorted({m for m in (self.up_to(n), self.onward(n)) if m is not None})

    def up_to(self, n: int) -> int | None:
        """The greatest member up to n."""
        n = n if self.last is None else min(n, self.last)
        above = range(n, max(self.start, n - self.period + 1) - 1, -1) if self.rests else ()
        return next((m for m in above if m in self), next((m for m in reversed(self.low) if m <= n), None))

    def onward(self, n: int) -> int | None:
        """The least member from n on."""
        first = max(n, self.start)
        above = range(first, first + self.period) if self.rests else ()
        return next((m for m in self.low if m >= n), next((m for m in above if m in self), None))

    def first(self) -> int | None:
        """The least member."""
        return self.onward(1)

    def union(self, other: Sizes) -> Sizes:
        """The members of both; one of them as a subset, where that would be a long list."""
        if self._replace(exact=True) == other._replace(exact=True):
            return self if self.exact else other
        endless = [sizes for sizes in (self, other) if sizes.rests and sizes.last is None]
        ends = [sizes.last + 1 for sizes in (self, other) if sizes.last is not None]
        start, period = max(self.start, other.start, *ends), lcm(*(sizes.period for sizes in endless))
        if start > FURTHEST or period > LONGEST_PERIOD:
            return (endless or [self])[0]._replace(exact=False)
        low = tuple(n for n in range(1, start) if n in self or n in other)
        rests = frozenset(n for n in range(period) if any(n % sizes.period in sizes.rests for sizes in endless))
        return tidy(Sizes(low, start, period, rests, self.exact and other.exact))

    def between(self, least: int, last: int | None = None, *, exact: bool = True) -> Sizes:
        """The members from `least` to `last`; not `exact` where there may be others that are not said."""
        ends = [end for end in (self.last, last) if end is not None]
        low = tuple(n for n in self.low if least <= n and (last is None or n <= last))
        rests = self.rests
        if ends and self.onward(max(self.start, least)) not in range(min(ends) + 1):
            rests = frozenset()
        made = Sizes(low, max(self.start, least), self.period, rests, self.exact and exact, min(ends, default=None))
        return tidy(made)


def some(found: Sequence[int]) -> Sizes:
    """These sizes, in order, and maybe more."""
    return Sizes(tuple(found), max(found, default=0) + 1, 1, frozenset(), exact=False)


class Equal(NamedTuple):
    """A size that has to be the same as another symbol's."""

    symbol: str

    def __str__(self) -> str:
        return f"equal to {self.symbol}"


def find_sizes(
    valid: Callable[[int], bool], bound: int, period: int, point: int, longest: int = LONGEST_PERIOD
) -> Sizes:
    """The sizes for which `valid` holds, which is known to be periodic from `bound` on: one period is looked at.

    From there it walks down. Of a period past the `longest` a sound subset is told: its multiples, else those that
    leave the rest of `point`, which is known to be valid, else that one alone, as past LONGEST_SUBSET.
    """
    alone = some([point])
    exact = period <= longest
    if exact:
        rests = frozenset(n % period for n in range(bound, bound + period) if valid(n))
    elif period > LONGEST_SUBSET:
        return alone
    else:
        first = -(-bound // period) * period
        kept = [rest for rest in (0, point % period) if valid(first + rest) and valid(first + rest + period)]
        if not kept:
            return alone
        rests = frozenset(kept[:1])
    low = tuple(n for n in (range(1, bound) if exact else (point,)) if n < bound and valid(n))
    return tidy(Sizes(low, bound, period, rests, exact))


def tidy(sizes: Sizes) -> Sizes:
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
    return Sizes(tuple(sorted(low)), start, period, rests, sizes.exact, sizes.last if rests else None)


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0] if n <= LONGEST_PERIOD else [n]


def describe(sizes: Sizes) -> str:
    """`multiples of 16, at least 32`; `any n >= 1`; `32, 64`; `none`."""
    if not sizes.rests:
        text = _listed(sizes.low) or "none"
        return text if sizes.exact else f"{text} (more may be valid)"
    first = next(n for n in range(sizes.start, sizes.start + sizes.period) if n in sizes)
    if sizes.last is not None:
        return _bounded(sizes, first)
    for n in range(first - 1, 0, -1):  # what lies below the start as the rest does is none of what is told apart
        if n % sizes.period in sizes.rests:
            if n not in sizes.low:
                break
            first = n
    sizes = sizes._replace(low=tuple(n for n in sizes.low if n < first or n % sizes.period not in sizes.rests))
    if len(sizes.rests) == sizes.period:
        gaps = [n for n in range(sizes.low[0], first) if n not in sizes] if sizes.low else []
        if gaps and len(gaps) <= 4:
            sizes, text = sizes._replace(low=()), f"any n >= {sizes.low[0]} but {', '.join(map(str, gaps))}"
        else:
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
    extra = f"; and {_listed(sizes.low)}" if sizes.low else ""
    return text + extra + ("" if sizes.exact else " (more may be valid)")


def _listed(numbers: Sequence[int]) -> str:
    """`2, 4, 7 to 12`."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    told = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    if len(told) > MOST_RUNS:
        told = [*told[: MOST_RUNS - 1], "…", told[-1]]
    return ", ".join(told)


def _bounded(sizes: Sizes, first: int) -> str:
    """The words for members up to a last one, which are as those without one, but for few of them."""
    few = sizes.members(9)
    if len(few) < 9:
        return _listed(few) + ("" if sizes.exact else " (more may be valid)")
    last = sizes.up_to(sizes.last or 0)
    endless = sizes._replace(last=None, exact=True)
    text = f"{first} to {last}" if len(sizes.rests) == sizes.period and not sizes.low else f"{endless}, at most {last}"
    return text + ("" if sizes.exact else " (more may be valid)")
