"""Assertions about open sizes: the sizes that are told are those at which a closed check passes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.symbolic.sizes import Equal, Sizes

SIZES = range(1, 41)


def told(text: str) -> dict[str, object]:
    """What is told of the sizes, each point held against a check with it: all of them, or none but right ones."""
    report = archdsl.check(text=text)
    assert report.network is not None and report.network.open is not None, report.diagnostics
    valid = report.network.open.valid
    exact = all(sizes.exact for sizes in valid.values() if isinstance(sizes, Sizes))
    axes = [SIZES] if len(valid) == 1 else [SIZES[::3], SIZES[1::3]] if len(valid) == 2 else [SIZES[::6]] * len(valid)
    equal = [(n,) * len(valid) for n in SIZES]
    for point in {*itertools.product(*axes), *equal}:
        at = dict(zip(valid, point))
        inside = all(
            at[symbol] == at[sizes.symbol] if isinstance(sizes, Equal) else at[symbol] in sizes  # type: ignore[operator]  # these two alone
            for symbol, sizes in valid.items()
        )
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
        ("input 1xHxH\nCONV(2)\nassert H < 8 or H > 30", {"H": "any n >= 31; and 1 to 7"}),
        (
            "input 1xHxW\nCONV(2)\nassert H == 20 or not (H > 4 or W < 9)",
            {
                "H": "20 (more may be valid)",
                "W": "any n >= 1 (more may be valid)",
            },
        ),
        ("input 1xHxH\nCONV(2)\nassert H % 4 == 0 or H == 9", {"H": "multiples of 4; and 9"}),
        ("input 1xHxH\nPOOL(fit=floor)\nassert H//3 != output.height/4", {"H": "any n >= 2"}),
        (
            "input 1xHxH\nPOOL(fit=floor)\nassert output.height == H/2 and H**2 < 300",
            {"H": "2, 4, 6, 8, 10, 12, 14, 16"},
        ),
        (
            "input 1xHxW\nCONV(2)\nassert max(H, 3) <= 9 and (H - 1)*(H - 1) > 5",
            {"H": "4 to 9 (more may be valid)", "W": "any n >= 1"},
        ),
        (
            "input 1xHxW\nCONV(2)\nassert (H // 2)*(W // 2) > 5",
            {"H": "any n >= 6 (more may be valid)", "W": "any n >= 6 (more may be valid)"},
        ),
        ("input 1xH\nSLICE(-9, 20, axis=1)\nassert output.features < 4", {"H": "26 to 28"}),
        ("input 4xHxH\nRESHAPE(2, -1, 8)\nassert output.height == 5*H", {"H": "20 (more may be valid)"}),
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input 3xHxW\nADD{ID|PERMUTE(0,2,1)}-GAP-FC(10)", {"H": "any n >= 1", "W": "equal to H"}),
        (
            "input a: 2xHxW\ninput b: 2xHxL\nCONCAT{@a|@b}-GAP",
            {"H": "any n >= 1", "W": "any n >= 1", "L": "equal to W"},
        ),
        (
            "input 3xHxW\nPOOL(fit=floor)-ADD{ID|PERMUTE(0,2,1)}-GAP",
            {"H": "any n >= 2 (more may be valid)", "W": "equal to H"},
        ),
        (
            "input a: 1xHxW\ninput b: 1xKxL\nADD{@a|@b}-POOL",
            {"H": "multiples of 2", "W": "multiples of 2", "K": "equal to H", "L": "equal to W"},
        ),
        (
            "input a: 1xA\ninput b: 1xB\ninput c: 1xC\nADD{@a|@b|@c}",
            {"A": "any n >= 1", "B": "equal to A", "C": "equal to A"},
        ),
        ("input 3xHxW\nCONV(8)-POOL-GAP\nassert W == H", {"H": "multiples of 2", "W": "equal to H"}),
        (
            "input 3xHxW\nCONV(8)-GAP\nassert output.channels == 8 and W == H and H >= 24 and H % 4 == 0",
            {"H": "multiples of 4, at least 24", "W": "equal to H"},
        ),
        ("input 3xHxH\nCONV(8)-POOL\nRESHAPE(8,49)\nFC(10)", {"H": "14"}),
        ("input Lx8\nADD{ID|PARAM(30,8)}-FC(10)", {"L": "30"}),
        ("input 3xHxW\nPOOL-ADD{ID|PARAM(3,7,15)}", {"H": "14 (more may be valid)", "W": "30 (more may be valid)"}),
        (
            "input 3xHxW\nADAPTIVEAVGPOOL(5)-MUL{ID|@input}",
            {"H": "1, 5 (more may be valid)", "W": "1, 5 (more may be valid)"},
        ),
        (
            "input a: 1xHxH\ninput b: 1xKxK\nADD{@a-POOL|@b}",
            {"H": "512 (more may be valid)", "K": "256 (more may be valid)"},
        ),
    ],
)
def test_sizes_that_hang_together(text: str, words: dict[str, str]) -> None:
    """Symbols that have to be equal are told so; sizes that one constant alone allows are found."""
    assert {symbol: str(sizes) for symbol, sizes in told(text).items()} == words


@pytest.mark.parametrize(
    "holds", ["W > H", "W >= 2*H", "H + W == 64", "min(H, W) >= 32", "W == H or W == 2*H", "(H - 1)*(W - 1) > 100"]
)
def test_two_sizes_that_an_assertion_ties(holds: str) -> None:
    """Where no exact answer is known some sizes are told, of which all are right, and it is no error."""
    sizes = told(f"input 1xHxW\nCONV(2)\nassert {holds}")
    assert all("(more may be valid)" in str(found) for found in sizes.values())


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
