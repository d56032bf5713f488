"""Assertions about open sizes: the sizes that are told are those at which a closed check passes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.symbolic.sizes import Sizes

SIZES = range(1, 41)


def told(text: str) -> dict[str, Sizes]:
    """The sizes that are told, each held against a check with it: all of them, or none but right ones."""
    report = archdsl.check(text=text)
    assert report.network is not None, report.diagnostics
    valid = {s: sizes for s, sizes in report.network.open.valid.items() if isinstance(sizes, Sizes)}
    exact = all(sizes.exact for sizes in valid.values())
    step = 3 if len(valid) > 1 else 1
    for point in itertools.product(SIZES[::step], SIZES[1::step]) if len(valid) > 1 else zip(SIZES):
        at = dict(zip(valid, point))
        inside = all(n in valid[symbol] for symbol, n in at.items())
        if inside or exact:
            assert archdsl.check(text=text, **at).ok == inside, at
    return valid


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input 3xHxH\n[CONV(8)-POOL]*3\nassert macs < 1M", {"H": "8, 16, 24, 32, 40, 48"}),
        ("input 3xHxH\n[CONV(8)-POOL]*3\nassert macs < 100M", {"H": "multiples of 8, at most 496"}),
        (
            "input 3xHxW\n[CONV(8)-POOL]*3\nassert output.height >= 4",
            {"H": "multiples of 8, at least 32", "W": "multiples of 8"},
        ),
        (
            "input 3xHxW\nCONV(8)-GAP\nassert H % 32 == 0 and W % 7 == 3",
            {"H": "multiples of 32", "W": "7*k + 3, at least 3"},
        ),
        ("input 3xHxW\n[CONV(8)-POOL]*2\nassert output == (8, 8, 4)", {"H": "32", "W": "16"}),
        (
            "input 1xHxW\nPOOL-UPSAMPLE(2)\nassert output == (1, H, W)\nassert output.height < 30",
            {"H": "multiples of 2, at most 28", "W": "multiples of 2"},
        ),
        (
            "input 1xHxW\nPOOL(fit=floor)-UPSAMPLE(2)\nassert output == 1xHxW",
            {"H": "multiples of 2", "W": "multiples of 2"},
        ),
        (
            "input 1xHxW\nCONV(4, kernel=5, padding=0)\nassert 3 <= output.width <= 7\nassert output.height != 12",
            {"H": "any n >= 5 but 16", "W": "7 to 11"},
        ),
        (
            "input 1xHxH\nPOOL(fit=floor)\nassert output.height * 3 <= H + 6 and output.height // 2 == 3",
            {"H": "12, 13, 15"},
        ),
        ("input 1xHxH\nCONV(2)\nassert 20 - H > 3 - output.width // 2", {"H": "1 to 32"}),
        ("input 1xHxH\nCONV(2)\nassert H < 8 or H > 30", {"H": "1 to 7 (more may be valid)"}),
        (
            "input 1xHxW\nCONV(2)\nassert memory < 3K",
            {"H": "1 to 15 (more may be valid)", "W": "1 to 15 (more may be valid)"},
        ),
        (
            "input 1xHxW\nCONV(2)\nassert macs > 9K",
            {"H": "any n >= 23 (more may be valid)", "W": "any n >= 23 (more may be valid)"},
        ),
        ("input 1xHxW\nCONV(2)\nassert params == 20 and depth == 1", {"H": "any n >= 1", "W": "any n >= 1"}),
    ],
)
def test_bounds(text: str, words: dict[str, str]) -> None:
    """Measures bound the sizes, comparisons of sizes pick some; two sizes together have the same bound, a subset."""
    assert {symbol: str(sizes) for symbol, sizes in told(text).items()} == words


@settings(max_examples=30, deadline=None)
@given(
    body=st.sampled_from(
        ["POOL(fit=floor)", "POOL(3, stride=2, fit=ceil)", "CONV(2, kernel=4, padding=0)", "UPSAMPLE(2)"]
    ),
    times=st.integers(-3, 3),
    size=st.integers(-3, 3),
    plus=st.integers(-20, 20),
    by=st.sampled_from(["", " // 3", " % 4"]),
    sign=st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
)
def test_any_comparison(body: str, times: int, size: int, plus: int, by: str, sign: str) -> None:
    """Sums, multiples, quotients and rests of sizes, compared: no size is told wrongly."""
    text = f"input 1xHxH\n{body}\nassert ({times})*output.height + ({size})*H{by} {sign} {plus}"
    report = archdsl.check(text=text)
    if report.ok:
        told(text)
    else:
        assert not any(archdsl.check(text=text, H=n).ok for n in SIZES)


@pytest.mark.parametrize(
    "text",
    [
        "input 1xHxW\nUPSAMPLE(2)\nassert output == (1, H, W)",
        "input 1xHxH\nCONV(2)\nassert params < 10",
        "input 1xHxH\nCONV(2)\nassert macs < 10 and H > 5",
        "input 1xHxH\nPOOL\nassert H % 2 == 1",
    ],
)
def test_no_size_holds(text: str) -> None:
    """An assertion that no legal size satisfies is an error, with the values at one."""
    report = archdsl.check(text=text)
    assert [d.code for d in report.diagnostics] == ["E301"]
    assert any("no legal size" in note for note in report.diagnostics[0].notes)
    assert not any(archdsl.check(text=text, H=n, W=n).ok for n in SIZES)
