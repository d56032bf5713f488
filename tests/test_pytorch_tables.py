"""Long lists in emitted source: another form of the same numbers, and a shorter one."""

from __future__ import annotations

import random

from archdsl.backends.pytorch.tables import broken, table


def test_the_form_says_the_same() -> None:
    """Whatever form a list is given, Python makes the list of it."""
    draw = random.Random(0)
    found = 0
    for _ in range(300):
        values = [draw.randint(-9, 9)]
        for size in (draw.randint(1, 6) for _ in range(4)):
            step = draw.randint(-9, 9)
            values = [v + step * i for v in values for i in range(size)]
        rows = [[draw.choice([0.0, 1.0])] * draw.randint(20, 30) for _ in range(5)]
        for given in (values, rows, [rows[0]] * 9):
            shown = table(given)
            found += shown is not None
            assert shown is None or (eval(shown) == given and len(shown) < len(repr(given)))
    assert found > 300


def test_offsets_in_a_window() -> None:
    """The offsets of a window's positions are a sum over four indices."""
    offsets = [(a // 3 - b // 3 + 2) * 5 + a % 3 - b % 3 + 2 for a in range(9) for b in range(9)]
    assert table(offsets) == (
        "[12 + 5 * a + b - 5 * c - d for a in range(3) for b in range(3) for c in range(3) for d in range(3)]"
    )
    assert table(list(range(8))) is None


def test_rows_and_grids() -> None:
    """Rows of even numbers are loops within loops, pairs of two lists a grid; what is neither is written out."""
    rows = [[7 * a + b for b in range(7)] for a in range(7)]
    assert table(rows) == "[[7 * a + b for b in range(7)] for a in range(7)]"
    ticks = [-1.5, 0.25, 0.5, 3.0, 7.0]
    grid = [[[a, b] for b in ticks] for a in ticks]
    assert table(grid) == f"[[[a, b] for b in {ticks}] for a in {ticks}]" and table([grid]) == f"[{table(grid)}]"
    assert table([*grid[:-1], grid[0]]) is None or eval(str(table([*grid[:-1], grid[0]]))) == [*grid[:-1], grid[0]]


def test_long_ones_are_broken() -> None:
    """The lines of a long table are the table."""
    ticks = [i / 7 + 1e-9 for i in range(15)]
    steps = [[0.0] * 49 + [1.0] * 4 + [2.0] * 3] * 49 + [[3.0] * 49 + [4.0] * 4 + [5.0] * 3] * 4
    for values in ([[[a, b] for b in ticks] for a in ticks], [[[[a, b] for b in ticks] for a in ticks]], steps):
        shown = table(values)
        assert shown is not None
        lines = broken(shown)
        assert len(lines) > 3 and max(map(len, lines)) < 90
        assert eval("\n".join(lines)) == values
