"""Warnings: where each is told and where not, the comments that silence them, and that the zoo has none unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archdsl import check
from archdsl.cli.commands import run
from archdsl.fixes import apply_edits

SPECS = Path(__file__).parent.parent / "specs"
MAP = "input 3x8x8\n"


def told(text: str) -> list[str]:
    """The codes of a text's findings, and the words that they stand at."""
    return [f"{d.code} {d.span.text if d.span else ''}" for d in check(text=text).diagnostics]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # a bias before a BN
        (MAP + "CONV(8, bias=true) - BN", ["W405 CONV"]),
        (MAP + "default CONV(bias=true)\nCONV(8) - BN", ["W405 CONV"]),
        (MAP + "(CONV(3, bias=true) - BN - RELU)*3", ["W405 CONV"]),
        (MAP + "block B() { CONV(8, bias=true) }\nB - BN", []),
        (MAP + "CONV(8, bias=true) - RELU - BN", []),
        (MAP + "a: CONV(8, bias=true) - BN - ADD{ | @a }", []),
        (MAP + "CONV(8) - BN", []),
        ("input 12\nFC(8, bias=true) - BN - RELU - FC(4)", ["W405 FC"]),
        # a BN behind the last scores
        ("input 12\nFC(10) - BN - SOFTMAX", ["W406 BN"]),
        ("input 12\nclasses = 10\nFC - BN - SIGMOID", ["W406 BN"]),
        (MAP + "GAP - FC(3) - BN", ["W406 BN"]),
        (MAP + "GAP - FC(3) - BN - DROPOUT", ["W406 BN"]),
        ("input 12\nFC(128) - features: BN\noutput features", []),
        ("input 12\nFC(128) - BN - RELU", []),
        ("input 12\nFC(10) - BN - RELU - SOFTMAX(10)", []),
        (MAP + "CONV(8) - BN", []),
        # a softmax of a softmax
        ("input 12\nFC(10) - SOFTMAX - DROPOUT(0.1) - LOGSOFTMAX", ["W407 LOGSOFTMAX"]),
        ("input 12\n(LINEAR(12) - SOFTMAX)*2 - SOFTMAX", ["W407 SOFTMAX"]),
        ("input 12\nFC(12) - SOFTMAX - FC(10) - SOFTMAX", []),
        # pooling over one position
        (MAP + "GAP - POOL(1)", ["W408 POOL"]),
        (MAP + "GAP - AVGPOOL(3, padding=1)", ["W408 AVGPOOL"]),
        (MAP + "POOL*3", []),
        # labels
        (MAP + "a: INPUT - CONV(8)", ["W409 a"]),
        (MAP + "a: INPUT - CONV(3) - ADD{ | @a }", []),
        (MAP + "a: INPUT - CONV(8)\nassert @a.channels == 3", []),
        (MAP + "a1: INPUT - CONV(3)\nfor i in [1] { ADD{ | @a{i} } }", []),
        (MAP + "a: INPUT - CONV(8) - b: RELU\noutput a, b", []),
        (MAP + "conv: CONV(8)", []),
        # shortcuts
        (MAP + "ADD{ CONV(3) - CONV(3) - CONV(3) | CONV(2, 1) - CONV(3, 1) }", ["W416 ADD"]),
        (MAP + "ADD{ POOL - UPSAMPLE | CONV(3) }", ["W416 ADD"]),
        (MAP + "(ADD{ CONV(3) | RELU - POOL - UPSAMPLE } - RELU)*3", ["W416 ADD"]),
        (MAP + "ADD{ CONV(1, 1) - CONV(1) - CONV(3, 1) | }", []),
        (MAP + "ADD{ CONV(1, 1) - CONV(1) - CONV(3, 1) | CONV(3, 1) }", []),
        (MAP + "ADD{ CONV(8, 3, 2) - CONV(8) | CONV(8, 1, 2) }", []),
        (MAP + "ADD{ POOL - CONV(3) - UPSAMPLE | CONV(3) - CONV(3) }", ["W416 ADD"]),
        (MAP + "ADD{ POOL - CONV(3) - CONV(3) - UPSAMPLE | CONV(3) }", []),
        (MAP + "CONCAT{ POOL - UPSAMPLE | CONV(3) }", []),
        # inputs
        ("input a: 3x8x8\ninput b: 3x8x8\nCONV(8)", ["W410 input b: 3x8x8"]),
        ("input a: 3x8x8\ninput b: 3x8x8\nADD{ | @b }", []),
        ("input a: 3x8x8\ninput b: 3x8x8\nCONV(@b.channels)", []),
        # blocks, functions, constants
        (MAP + "block B() { RELU }\nCONV(8)", ["W411 B"]),
        (MAP + "block A() { B }\nblock B() { RELU }\nCONV(8)", ["W411 A"]),
        (MAP + "let f(x) = x\nCONV(8)", ["W411 f"]),
        (MAP + "let f(x) = x\nCONV(f(8))", []),
        (MAP + "block B(act = RELU) { act }\nblock C() { RELU }\nB(C)", []),
        (MAP + "n = 3\nCONV(8)", ["W412 n"]),
        (MAP + "n = 3 in 1..4\nblock B(n) { CONV(n) }\nB(4)", ["W412 n"]),
        (MAP + "n = 3\nblock B(m = n) { CONV(m) }\nB", []),
        (MAP + "block B() {\n  n = 3\n  RELU\n}\nB", ["W412 n"]),
        (MAP + "block B() {\n  n = 3\n  CONV(n)\n}\nB", []),
        ("H = 8\ninput 3xHxH\nCONV(8)", []),
        (MAP + "classes = 10\nCONV(8)", []),
        (MAP + "n = 3\nCONV(8) - x{n}: RELU", []),
        # arms
        (MAP + "ADD{ CONV(3) | 0 }", ["W413 0 "]),
        (MAP + "MUL{ CONV(3) | 1 }", ["W413 1 "]),
        (MAP + "MUL{ CONV(3) | CONST([[[0.0]]]) }", ["W413 CONST"]),
        (MAP + "SUB{ 0 | CONV(3) }", []),
        (MAP + "SUB{ | }", ["W413 SUB"]),
        (MAP + "MUL{ | }", []),
        (MAP + "MAX{ CONV(3) | 0 }", []),
        # channels last
        ("input 227x227x3\nCONV(8)", ["W414 227x227x3"]),
        ("input 227x227x3\nFC(8)", []),
        ("input 8x4x4\nCONV(8)", []),
        ("input 64x64x64\nCONV(8)", []),
    ],
)
def test_where_it_is_told(text: str, wanted: list[str]) -> None:
    """At the word that is at fault, once for its place in the text; and where it is meant, nothing."""
    assert [found.strip() for found in told(text + "\n")] == [found.strip() for found in wanted]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (MAP + "CONV(8, bias=true) - BN\n", "CONV(8) - BN"),
        (MAP + "CONV(8, bias = true, kernel=1) - BN\n", "CONV(8, kernel=1) - BN"),
        (MAP + "CONV(bias=true, kernel=1) - BN\n", "CONV(kernel=1) - BN"),
        (MAP + "CONV(bias=true) - BN\n", "CONV - BN"),
        ("input picture: 227x227x3\nCONV(8)\n", "input picture: 3x227x227"),
    ],
)
def test_fixes(text: str, wanted: str) -> None:
    """With the fix applied the warning is gone."""
    [found] = check(text=text).diagnostics
    [fix] = found.fixes
    mended = apply_edits(text, fix.edits)
    assert wanted in mended and not check(text=mended).diagnostics


@pytest.mark.parametrize(
    ("line", "silent"),
    [
        ("CONV(8, bias=true) - BN  # archdsl: ignore W405", True),
        ("CONV(8, bias=true) - BN  # torch's own weights; archdsl: ignore W401, W405", True),
        ("# archdsl: ignore W405\nRELU - CONV(8, bias=true) - BN", True),
        ("RELU  # archdsl: ignore W405\nCONV(8, bias=true) - BN", False),
        ("CONV(8, bias=true) - BN  # archdsl: ignore W406", False),
        ("CONV(8, bias=true) - BN  # archdsl: ignore", False),
        ('CONV(8, bias=true) - BN - "# archdsl: ignore W405": RELU', False),
    ],
)
def test_silenced(line: str, silent: bool) -> None:
    """A comment silences its codes on its line, alone on a line in the whole file; nothing else does."""
    assert [d.code for d in check(text=f"{MAP}{line}\n").diagnostics] == ([] if silent else ["W405"])


def test_no_error_is_silenced() -> None:
    """An error stays one."""
    assert not check(text=f"{MAP}REUL  # archdsl: ignore E130\n# archdsl: ignore E130\n").ok


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.arch")), ids=lambda path: path.name)
def test_the_zoo_is_free_of_warnings(path: Path) -> None:
    """The published specs are told nothing of."""
    open_names = {"N": 2, "M": 2, "K": 2} if path.name == "cs231n.arch" else {}
    report = check(path, **open_names)
    assert report.ok and not report.diagnostics


@pytest.mark.parametrize(("target", "wide"), [("fp16", [30, 100]), ("tf32", [30]), ("int8", [30, 100, 8, 72])])
def test_target(target: str, wide: list[int], tmp_path: Path, capfd: Any) -> None:
    """Only with --target: convolutions and matrix products but depthwise ones and the scores."""
    path = tmp_path / "net.arch"
    widths = "CONV(30) - RELU - CONV(100) - CONV(8) - CONV(8, groups=8) - CONV(72) - CONV(6, 1)\n"
    path.write_text(f"input 3x8x8\n{widths}# archdsl: ignore W405\n", encoding="utf-8")
    assert run(["check", str(path)]) == 0
    assert "W415" not in capfd.readouterr().err
    assert run(["check", "--target", target, str(path)]) == 0
    err = capfd.readouterr().err
    assert [n for n in (30, 100, 8, 72, 6) if f"is {n} wide" in err] == [n for n in (30, 100, 8, 72) if n in wide]
    path.write_text(f"input 3x8x8\n{widths}# archdsl: ignore W415\n", encoding="utf-8")
    assert run(["check", "--target", target, str(path)]) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"a{i} = {i}\n" for i in range(5000)) + "input 3x8x8\nRELU",
        "input 3x8x8\nblock B() {\n" + "".join(f"a{i} = {i}\n" for i in range(4000)) + "RELU }\nB",
        "input 3x8x8\nCONV(8," + " " * 60_000 + "bias=true" + " " * 1000 + ") - BN",
        "input 3x8x8\n" + "".join(f"input i{i}: 8\n" for i in range(2000)) + "RELU\n" + 'ADD{ | @"i{1}" }\n',
        "input 12\n" + "ID - " * 2000 + "ADD{ " + " | ".join(["SOFTMAX"] * 300) + " }",
    ],
    ids=["constants", "in_a_block", "spaces", "inputs", "softmaxes"],
)
def test_hostile_texts_end_soon(text: str) -> None:
    """Looking for warnings ends, with few of them for a text of many alike."""
    assert len(check(text=text + "\n").diagnostics) < 1000
