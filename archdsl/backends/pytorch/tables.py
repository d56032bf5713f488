"""Long lists of numbers as a person would write them: runs of equal items, and sums over indices as comprehensions."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Optional

LONG = 24  # items of a list that is worth another form
_INDICES = "abcdefgh"


def table(values: Any) -> Optional[str]:
    """The list as Python's code in a shorter form than its items; None where there is none."""
    if not isinstance(values, list) or _count(values) < LONG:
        return None
    formula = _formula(values) if all(type(v) is int for v in values) else None
    shown = formula or _runs(values)
    return shown if len(shown) < len(repr(values)) // 2 else None


def _count(values: Any) -> int:
    return sum(map(_count, values)) if isinstance(values, list) else 1


def _runs(values: Any) -> str:
    """`[0] * 49 + [1] * 4`; equal rows are runs as well."""
    if not isinstance(values, list):
        return repr(values)
    runs = [(item, len(list(same))) for item, same in groupby(values)]
    if len(runs) * 2 > len(values):
        return "[" + ", ".join(map(_runs, values)) + "]"
    return " + ".join(f"[{_runs(item)}] * {times}" if times > 1 else f"[{_runs(item)}]" for item, times in runs)


def _formula(values: list[int]) -> Optional[str]:
    """`[84 - b - 13 * a for a in range(7) for b in range(7)]`, where the numbers grow evenly in each index."""
    steps: list[tuple[int, int]] = []  # size and step of each index, the innermost first
    rest = values
    while len(rest) > 1:
        step = rest[1] - rest[0]
        size = next((i for i, v in enumerate(rest) if v != rest[0] + i * step), len(rest))
        while size > 1 and len(rest) % size:
            size -= 1
        even = all(v == rest[i - i % size] + i % size * step for i, v in enumerate(rest)) if size > 1 else False
        if not even or len(steps) == len(_INDICES):
            return None
        steps.append((size, step))
        rest = rest[::size]
    names = _INDICES[: len(steps)]
    outermost = list(zip(names, reversed(steps)))
    terms = "".join(_term(name, step) for name, (_, step) in outermost if step)
    sign = terms[1:2]
    start = f"{rest[0]}{terms}" if rest[0] or not terms else terms[3:] if sign == "+" else f"-{terms[3:]}"
    return f"[{start} {' '.join(f'for {name} in range({size})' for name, (size, _) in outermost)}]"


def _term(name: str, step: int) -> str:
    return f" {'-' if step < 0 else '+'} {name if abs(step) == 1 else f'{abs(step)} * {name}'}"
