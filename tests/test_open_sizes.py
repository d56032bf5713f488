"""Open sizes: the valid ones and the output's expression against sizes run one by one."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.symbolic.expression import Size
from archdsl.symbolic.sizes import Sizes, find_sizes
from tests.support.open_sizes import elaborated, one_by_one, random_map, random_spec, solve

TRIED = range(1, 301)


@pytest.mark.parametrize(
    "seed", [*range(60), 1147, 1191, 1290, 1300, 1315, 1616, 1_000_952, 119]
)  # the last found faults
def test_sets_are_exact(seed: int) -> None:
    """The set that is told holds just the sizes that the rules take, and the output's expression gives their shapes."""
    text = random_spec(seed)
    network = solve(text)
    if network is None or network.open is None:
        assert elaborated(text, H=256) is None  # refused at the first size that is tried
        return
    sizes = network.open.valid["H"]
    assert isinstance(sizes, Sizes)
    assert [n for n in TRIED if n in sizes] == one_by_one(network, TRIED), text
    shape = network.outputs[0].value.type.shape
    if any(isinstance(s, Size) and not s.exact for s in shape):
        assert "about" in str(shape[1])  # it says that it is none
        return
    for n in sizes.members(12):
        assert elaborated(text, H=n) == tuple(s.at(n) if isinstance(s, Size) else s for s in shape), (text, n)


@pytest.mark.parametrize("seed", range(40))
def test_sets_of_maps_are_exact(seed: int) -> None:
    """Each symbol of a map with the other at its point, where windows and strides differ along the axes."""
    text = random_map(seed)
    network = solve(text)
    if network is None or network.open is None:
        return
    for symbol, sizes in network.open.valid.items():
        assert isinstance(sizes, Sizes)
        told, right = {n for n in TRIED if n in sizes}, set(one_by_one(network, TRIED, symbol))
        assert told == right if sizes.exact else told <= right, (symbol, text)
        assert sizes.exact or sizes.period > 1000  # one such period is too much to be tried


@pytest.mark.parametrize(
    "text, valid, output",
    [
        ("input 3xHxW\n(CONV - POOL)*3 - GAP - FC(10)", "multiples of 8", ["10"]),
        ("input 3xHxW\nCONV(64, 7, stride=2) - POOL(3, stride=2, padding=1)", "any n >= 1", ["64", "floor((H + 3)/4)"]),
        (
            "input 3xHxH\nCONV(8, 3, stride=2, padding=0) - CONV(8, 5, padding=0)",
            "2*k + 1, at least 11",
            ["8", "(H - 9)/2"],
        ),
        ("input 3xHxW\nPOOL - UPSAMPLE(3) - POOL", "multiples of 4", ["3", "3*H/4"]),
        ("input 3xHxW\nPOOL(2x3) - POOL(2)", "multiples of 4", ["3", "H/4"]),
        ("input 3xWxH\nPOOL(2x3) - POOL(2)", "multiples of 6", ["3", "W/4"]),
        ("input 3xWxH\nUPSAMPLE(2x3) - POOL(2)", "multiples of 2", ["3", "W"]),
        ("input 2xH\nCONCAT(axis=1){ ID | UPSAMPLE(2) } - POOL", "multiples of 2", ["2", "3*H/2"]),
        ("input 2xH\nSLICE(0, -1, 2, axis=1) - POOL", "4*k + 0 or 1, at least 4", ["2", "floor(H/4)"]),
        ("input 2xH\nSLICE(-20, 100, axis=1)", "100 to 119", ["2", "(120 - H)"]),
        ("input 2xH\nRESHAPE(2, 1000)", "1000", ["2", "1000"]),
        ("input 2xH\nPOOL*12", "multiples of 4096", ["2", "H/4096"]),
        ('input 4xHxH\nREARRANGE("c h w -> (h w) c")', "any n >= 1", ["H**2", "4"]),
        ("input 4xHxH\nPOOL - FLATTEN", "multiples of 2", ["H**2"]),
        ("input H of int\nEMBEDDING(9, 4)", "any n >= 1", ["H", "4"]),
    ],
)
def test_words(text: str, valid: str, output: list[str]) -> None:
    """The sets and sizes are said in the words that a person would use."""
    model = archdsl.check(text=text).model
    assert model is not None
    assert model.valid["H"] == valid
    assert [str(size) for size in model.outputs[0].to_dict()["shape"]][: len(output)] == output


@pytest.mark.parametrize(
    "text",
    [
        "input 3xHxW\nCONV - FC(10)",  # the weights hang on it
        "input 3xHxW\nCONV(in.height)",  # an expression reads it
        "input 3xHxW\nCONV(4) - RESHAPE(4, -1)",  # a product of two open sizes
        "input 3xHxW\nif in.width > 100 { CONV(8) } else { CONV(9) }",
    ],
)
def test_sizes_that_cannot_stay_open(text: str) -> None:
    """What hangs on an open size beyond the layers' own shapes is an error that names it."""
    report = archdsl.check(text=text)
    assert [d.code for d in report.diagnostics] == ["E131"]
    assert archdsl.check(text=text, H=128, W=128).ok


@pytest.mark.parametrize(
    ("body", "values"), [("FC(3)", "-D H=224 -D W=224"), ("SELECT(0, axis=1) - LINEAR(3)", "-D W=224")]
)
def test_the_letters_that_a_weight_hangs_on(body: str, values: str) -> None:
    """Those that it needs are named, and with them given it is right."""
    text = f"input 3xHxW\n{body}"
    (found,) = archdsl.check(text=text).diagnostics
    assert f"give a value: {values}; or GAP before it" in found.help
    assert archdsl.check(text=text, **{value[0]: 224 for value in values.split("-D ")[1:]}).ok


def test_the_letters_of_a_product() -> None:
    """Those whose product a size is are named, and with all but one of them given it is right."""
    text = "input 3xDxHxW\nFLATTEN(start=2)"
    (found,) = archdsl.check(text=text).diagnostics
    assert "hangs on H and W together" in found.message and "give all but one of them a value: -D W=224" in found.help
    assert archdsl.check(text=text, W=224).ok


def test_assertions_hold_for_all_sizes() -> None:
    """An assertion may speak of the symbols, and fails with the size at which it does."""
    assert archdsl.check(text="input 1xHxW\nPOOL - UPSAMPLE(2)\nassert output == (1, H, W)").ok
    report = archdsl.check(text="input 1xHxW\nUPSAMPLE(2)\nassert output == (1, H, W)")
    assert [d.code for d in report.diagnostics] == ["E301"]


@pytest.mark.parametrize(
    ("rest", "told"),
    [(0, [5000, 10000]), (7, [5007, 10007]), (None, [12])],
)
def test_a_period_past_the_limit(rest: int | None, told: list[int]) -> None:
    """A sound subset with at least the size that is known to be valid, and it says that it is one."""
    point = 12 if rest is None else 5000 + rest
    sizes = find_sizes(lambda n: n == point if rest is None else n % 5000 == rest, 64, 5000, point)
    assert not sizes.exact and point in sizes
    assert sizes.members(5)[: len(told)] == told
    assert str(sizes).endswith("(more may be valid)")


@pytest.mark.parametrize("text", ["CONV(8) - INSTANCENORM - RELU", "POOL - INSTANCENORM", "ADD{ INSTANCENORM | ID }"])
def test_sizes_that_are_refused_together_are_left_out(text: str) -> None:
    """INSTANCENORM takes 1x2 and 2x1 and no 1x1: a subset is told, all pairs of which are valid."""
    network = solve(f"input 3xHxW\n{text}")
    assert network is not None and network.open is not None
    heights, widths = network.open.valid.values()
    assert isinstance(heights, Sizes) and isinstance(widths, Sizes)
    assert "(more may be valid)" in f"{heights} {widths}"
    for h in heights.members(3):
        for w in widths.members(3):
            assert elaborated(f"input 3xHxW\n{text}", H=h, W=w) is not None, (h, w)


def test_a_fault_of_any_size_is_told_without_one() -> None:
    """Three channels are in no seven parts, however high the map is, and few sizes are tried to see that."""
    report = archdsl.check(text="input 3xHxW\nCONV(3) - CHUNK(0, 7, axis=0) - POOL(2)")
    (found,) = report.diagnostics
    assert found.code == "E227" and not any("tried" in note for note in found.notes)
    (found,) = archdsl.check(text="input 3xHxW\nADD{ ID | POOL }").diagnostics
    assert found.code == "E220" and any("no size that was tried fits" in note for note in found.notes)
