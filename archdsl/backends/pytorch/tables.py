"""Long lists of numbers as a person would write them: runs of equal items, and sums over indices as comprehensions."""

from __future__ import annotations

from itertools import groupby
from textwrap import wrap

from archdsl.annotations import Any, Optional

LONG = 24  # items of a list that is worth another form
_INDICES = "abcdefgh"


def table(values: Any) -> Optional[str]:
    """The list as Python's code in a shorter form than its items; None where there is none."""
    if not isinstance(values, list) or _count(values) < LONG:
        return None
    if len(values) == 1:
        inner = table(values[0])
        return inner and f"[{inner}]"
    shown = _formula(values) or _product(values) or _runs(values)
    return shown if len(shown) < len(repr(values)) // 2 else None


def broken(text: str) -> list[str]:
    """The lines of a table that is too long for one: a comprehension before its loops, a sum before each term."""
    if " for a in " in text:
        item, _, loops = text[1:-1].partition(" for a in ")
        return ["[", *_wrapped(item), *_wrapped(f"for a in {loops}"), "]"]
    first, *rest = _terms(text)
    return ["(", *_wrapped(first), *(line for term in rest for line in _wrapped(f"+ {term}")), ")"] if rest else [text]


def _wrapped(text: str) -> list[str]:
    deep = " " * 4
    return wrap(text, 80, initial_indent=deep, subsequent_indent=deep, break_long_words=False, break_on_hyphens=False)


def _terms(text: str) -> list[str]:
    """The terms of a sum, which stand outside of all brackets."""
    terms, depth, start = [], 0, 0
    for i, character in enumerate(text):
        depth += (character in "[(") - (character in "])")
        if not depth and text.startswith(" + ", i):
            terms.append(text[start:i])
            start = i + 3
    return [*terms, text[start:]]


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


def _product(values: list[Any]) -> Optional[str]:
    """`[[[a, b] for b in (…)] for a in (…)]`, a grid of pairs."""
    rows = [row for row in values if isinstance(row, list) and row]
    if len(rows) < len(values) or not all(isinstance(v, list) and len(v) == 2 for row in rows for v in row):
        return None
    first, second = [row[0][0] for row in values], [pair[1] for pair in values[0]]
    if any(isinstance(v, list) for v in first + second) or values != [[[a, b] for b in second] for a in first]:
        return None
    return f"[[[a, b] for b in {second!r}] for a in {first!r}]"


def _formula(values: list[Any]) -> Optional[str]:
    """`[84 - b - 13 * a for a in range(7) for b in range(7)]`, where the numbers grow evenly in each index.

    Rows are lists within: `[[b + 7 * a for b in range(7)] for a in range(7)]`.
    """
    rows = values if all(isinstance(row, list) and row for row in values) else [values]
    if not all(type(v) is int for row in rows for v in row):
        return None
    inner, outer = _steps(rows[0]), _steps([row[0] for row in rows])
    rise = [v - rows[0][0] for v in rows[0]]
    if inner is None or outer is None or any([v - row[0] for v in row] != rise for row in rows):
        return None
    steps, first = [*outer, *inner], rows[0][0]
    if len(steps) > len(_INDICES):
        return None
    terms = "".join(_term(name, step) for name, (_, step) in zip(_INDICES, steps) if step)
    start = f"{first}{terms}" if first or not terms else terms[3:] if terms[1] == "+" else f"-{terms[3:]}"
    loops = [f"for {name} in range({size})" for name, (size, _) in zip(_INDICES, steps)]
    row = " ".join([start, *loops[len(outer) :]])
    return f"[{row}]" if rows[0] is values else f"[[{row}] {' '.join(loops[: len(outer)])}]"


def _steps(values: list[int]) -> Optional[list[tuple[int, int]]]:
    """The size and the step of each index, the outermost first; None where the numbers grow otherwise."""
    steps: list[tuple[int, int]] = []
    rest = values
    while len(rest) > 1:
        step = rest[1] - rest[0]
        size = next((i for i, v in enumerate(rest) if v != rest[0] + i * step), len(rest))
        while size > 1 and len(rest) % size:
            size -= 1
        even = all(v == rest[i - i % size] + i % size * step for i, v in enumerate(rest)) if size > 1 else False
        if not even:
            return None
        steps.append((size, step))
        rest = rest[::size]
    return steps[::-1]


def _term(name: str, step: int) -> str:
    return f" {'-' if step < 0 else '+'} {name if abs(step) == 1 else f'{abs(step)} * {name}'}"
