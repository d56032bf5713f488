"""Counts that nothing defines: what is told of them is what elaborating with each of them gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import archdsl
from archdsl.cli.commands import run
from archdsl.elaborate.counts import Counts

KNOWN = 24  # counts that are elaborated one by one


def told(text: str) -> dict[str, str]:
    """What is said of each count."""
    report = archdsl.check(text=text)
    assert report.network is not None and report.network.open is not None
    for name, valid in report.network.open.valid.items():
        assert isinstance(valid, Counts)
        at = report.network.open.point
        right = [n for n in range(1, KNOWN) if archdsl.check(text=text, **{**at, name: n}).ok]
        said = [n for n in range(1, KNOWN) if any(a <= n and (b is None or n <= b) for a, b in valid.ranges)]
        assert said == (right[: len(said)] if valid.cut else right), name
    return {name: str(valid) for name, valid in report.network.open.valid.items()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input 3x32x32\nCONV(8)*N", "any count"),
        ("input 3x32x32\n[CONV(8)-POOL]*N", "at most 5 (6: a 2x2 window is larger than"),
        (
            "input 3x64x64\n[CONV(16)-POOL]*N\nassert output == (16, 8, 8)",
            "3 (4: the assertion fails: output is 16x4x4",
        ),
        (
            "input 3x32x32\nCONV(4, kernel=2, padding=0)*N - POOL",
            "2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30",
        ),
        ("input 3x32x32\nCONV(4)*N - POOL(7 if 4 < N < 9 else 8)", "1 to 4, 9"),
        ("input 3x32x32\nassert params < 10K\nCONV(16)*N", "at most 5 (6: the assertion fails: params is"),
    ],
)
def test_one_count(text: str, words: str) -> None:
    """Any, a greatest one, one alone, and some of them, with the reason for the next."""
    assert told(text)["N"].startswith(words)


def test_a_count_too_large_to_be_tried() -> None:
    """Where one copy takes all steps that there are for tries, that one is what is known."""
    assert told("input 3x8x8\nfor i in range(3000) { a{i}: CONV(1) - @input }*N") == {"N": "1, as far as 1 was tried"}


def test_counts_beside_each_other() -> None:
    """Each is told with the others at the point, which is named."""
    text = "input 3x32x32\n[(CONV(8)-RELU)*N-POOL]*M-(FC(10)-RELU)*K-SOFTMAX"
    assert [words.partition(" (")[0] for words in told(text).values()] == ["at most 5", "any count", "any count"]


def test_more_counts_than_can_be_tried() -> None:
    """What no step is left for is told as far as it was tried, and as no greatest one."""
    text = "input 3x64x64\n" + "".join(f"POOL(1)*{name} - " for name in "ABCDEFGHIJKLM") + "RELU"
    words = told(text)
    assert words["A"] == "any count" and words["M"] == "1, as far as 1 was tried"


def test_a_fault_beside_an_open_count() -> None:
    """What is wrong with each count is told once, with one copy; beside open sizes a count needs its value."""
    report = archdsl.check(text="input 3x32x32\nCONV(8)*N - FC(4) - CONV(8)")
    assert [d.code for d in report.diagnostics] == ["E206"] and "with N of 1" in report.diagnostics[0].notes
    report = archdsl.check(text="input 3xHxW\nCONV(8)*N - POOL")
    assert [d.code for d in report.diagnostics] == ["E130"] and "N" in report.diagnostics[0].message


def test_solve(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Legal sizes, those nearest to some others, the greatest count, all as text and as JSON."""
    spec = tmp_path / "net.arch"
    spec.write_text("input 3xHxW\n[CONV(8)-POOL]*M\nassert output.height >= 4\n")
    assert run(["solve", str(spec), "-D", "M=3", "--near", "500x375"]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "H: multiples of 8, at least 32",
        "W: multiples of 8",
        "output: 8 x H/8 x W/8",
        "H nearest: 496 or 504",
        "W nearest: 368 or 376",
    ]
    assert run(["solve", str(spec), "--input", "3x64x64", "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["outputs"] == {"output": "8x32x32"} and answer["valid"]["M"].startswith("at most 4 (5: ")
    assert run(["solve", str(spec), "-D", "M=1", "--near", "500"]) == 2
    assert "one size for each of H, W" in capfd.readouterr().err
    assert run(["solve", str(spec), "-D", "M=1", "--input", "3x8x8"]) == 2
    assert "nothing is open here" in capfd.readouterr().err
