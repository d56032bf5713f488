"""Long lists in emitted source: another form of the same numbers, and a shorter one."""

from __future__ import annotations

import random

from archdsl.backends.pytorch.tables import table


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
