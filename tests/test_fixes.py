"""Fixes: each that is offered mends what it is offered for, and `--fix` applies those that are safe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archdsl import check, explain
from archdsl.cli.commands import run
from archdsl.diagnostics import Diagnostic, Edit, Fix
from archdsl.fixes import apply_edits, safe_edits
from archdsl.syntax.source import Source, Span
from tests.support.cases import Case, cases, elaborated, read


def fixed() -> Iterator[tuple[Case, Diagnostic, Fix]]:
    """Every fix that a case of tests/cases is offered in its own text."""
    for path in cases():
        case = read(path)
        for diagnostic in elaborated(case)[1].found:
            for fix in diagnostic.fixes:
                if all(edit.span.source.path == str(path) for edit in fix.edits):
                    yield case, diagnostic, fix


FIXED = list(fixed())


def test_there_are_fixes() -> None:
    """The cases hold fixes of many codes, safe ones and others: the test below is not empty."""
    assert len(FIXED) > 60 and len({diagnostic.code for _, diagnostic, _ in FIXED}) > 12
    assert {fix.safe for _, _, fix in FIXED} == {True, False}


@pytest.mark.parametrize(("case", "told", "fix"), FIXED, ids=lambda value: getattr(value, "name", ""))
def test_a_fix_mends_its_error(case: Case, told: Diagnostic, fix: Fix) -> None:
    """With the fix applied, what it was offered for is not told at this place any more."""
    text = apply_edits(case.text, fix.edits)
    assert text != case.text
    assert _times(case._replace(text=text), told) < _times(case, told), text


def _times(case: Case, told: Diagnostic) -> int:
    """How often the same is told on the same line."""

    def key(d: Diagnostic) -> object:
        return d.code, d.message, d.span and d.span.source.position(d.span.start)[0]

    return sum(key(found) == key(told) for found in elaborated(case)[1].found)


def test_a_fix_is_told_as_help() -> None:
    """Each fix is one that a person reads of as well: its title stands in the help, or says the name that is meant."""
    for case, told, fix in FIXED:
        help = "; ".join(told.help)
        words = fix.title.removeprefix("write ").removeprefix("rearrange before it: ").removeprefix("an input of ")
        assert words.removesuffix(" fits").split(" fits")[0] in help, (case.name, fix.title, help)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("input 3x7x7\nCONV(16, 3, stride=3, padding=0)\n", "CONV(16, 3, stride=3, padding=1)"),
        ("input 3x7x7\nx: POOL(2)*1\n", "x: POOL(2, padding=1)*1"),
        ("input 3x7x7\nPOOL - RELU\n", "POOL(padding=1) - RELU"),
        ("input 3x7x7\nPOOL(2,) - RELU\n", "POOL(2,padding=1) - RELU"),
        ('input 3x7x7\nPOOL(2, # a ) here\n  fit="cover"\n)\n', 'fit="cover"\n, padding=1)'),
        ("input 3x7x7\nblock B(s) { POOL(s, stride=s) }\nB(2)\n", "{ POOL(s, stride=s, padding=1) }"),
        ("input 3x7x7\npool = POOL(2)\npool\n", "pool = POOL(2, padding=1)"),
    ],
)
def test_where_an_argument_goes(text: str, wanted: str) -> None:
    """It replaces the value that is there, or stands as the last one, where the layer is written."""
    [told] = [d for d in check(text=text).diagnostics if d.code == "E201"]
    fix = next(fix for fix in told.fixes if fix.title.startswith("padding=1"))
    assert wanted in apply_edits(text, fix.edits)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("input 3x8x8\nCONV(8) - REUL\n", "CONV(8) - RELU"),
        ("input 3x8x8\nConv2d - RELU\n", "CONV - RELU"),
        ("input 3x8x8\nCONV(8, kernel_size=5, pading=1)\n", "CONV(8, kernel=5, padding=1)"),
        ("input 3x8x8\nCONV (8)\n", "CONV(8)"),
        ("input 4x6\nREARRANGE('a b -> b a')\n", 'REARRANGE("a b -> b a")'),
        ("input 3x8x8\nCONV(8) // the stem\n", "CONV(8) # the stem"),
        ("input 3x8x8\nstem: CONV(3) - ADD{ RELU | @stme }\n", "ADD{ RELU | @stem }"),
        ('input 3x8x8\n"a-stem": CONV(3) - ADD{ RELU | @a_stem }\n', 'ADD{ RELU | @"a-stem" }'),
        ("input 3x8x8\nstem: CONV(3)\nRELU\noutput stme\n", "output stem"),
        ("input 3x8x8\nblock B(width) { CONV(width) }\nB(widht=4)\n", "B(width=4)"),
        ("input 3x8x8\nCONV(8, padding=haf)\n", "CONV(8, padding=half)"),
    ],
)
def test_safe(text: str, wanted: str, tmp_path: Path, capfd: Any) -> None:
    """What is near and unique is written instead, and the difference shown."""
    path = tmp_path / "net.arch"
    path.write_text(text, encoding="utf-8")
    assert run(["check", "--diff", str(path)]) == 1
    shown = capfd.readouterr().out
    assert path.read_text(encoding="utf-8") == text
    assert f"+{wanted}" in shown or wanted in shown
    assert run(["check", "--fix", str(path)]) == 0
    assert capfd.readouterr().out.startswith(shown)
    assert wanted in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    ["input 3x7x7\nPOOL\n", "input 3x8x8\nCONV(8) - BN(8)\n", "input 3x8x8\nConv2d(3, 8, 3)\n", "input 3x8x8\nQQQ\n"],
)
def test_not_safe(text: str, tmp_path: Path, capfd: Any) -> None:
    """What a person has to say is not written unasked."""
    path = tmp_path / "net.arch"
    path.write_text(text, encoding="utf-8")
    assert run(["check", "--fix", str(path)]) == 1
    assert capfd.readouterr().out == "" and path.read_text(encoding="utf-8") == text


def test_fix_goes_on_until_nothing_is_left(tmp_path: Path, capfd: Any) -> None:
    """A fault that hides another one is no end; what is not safe stays and is told; line ends and mode stay."""
    path = tmp_path / "net.arch"
    path.write_bytes("\ufeffinput 3x8x8\r\nCONV (8, kernal=3) - REUL\r\nPOOL(3)\r\n".encode())
    path.chmod(0o640)
    assert run(["check", "--fix", str(path)]) == 1
    captured = capfd.readouterr()
    assert "E201" in captured.err and "E130" not in captured.err and "E124" not in captured.err
    assert path.read_bytes() == "\ufeffinput 3x8x8\r\nCONV(8, kernel=3) - RELU\r\nPOOL(3)\r\n".encode()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["net.arch"]


def test_fix_leaves_files_alone_that_are_not_asked_for(tmp_path: Path) -> None:
    """A fault in a file that is used is told, and mended only where that file is named."""
    (tmp_path / "b.arch").write_text("block B(n) { CONV(n) - REUL }\n", encoding="utf-8")
    (tmp_path / "net.arch").write_text('use B from "b.arch"\ninput 3x8x8\nB(4)\n', encoding="utf-8")
    assert run(["check", "--fix", str(tmp_path / "net.arch")]) == 1
    assert "REUL" in (tmp_path / "b.arch").read_text(encoding="utf-8")
    assert run(["check", "--fix", str(tmp_path)]) == 0
    assert "RELU" in (tmp_path / "b.arch").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a file that cannot be written")
def test_fix_of_a_file_that_is_write_protected(tmp_path: Path, capfd: Any) -> None:
    """One message, status 2, and the file as it was."""
    path = tmp_path / "net.arch"
    path.write_text("input 3x8x8\nREUL\n", encoding="utf-8")
    path.chmod(0o444)
    assert run(["check", "--fix", str(path)]) == 2
    assert "write-protected" in capfd.readouterr().err


def test_edits_that_overlap() -> None:
    """Of two fixes for one stretch the first is taken; those of another source are none of this file's."""
    source, other = Source("RELU - RELU\n"), Source("RELU\n")
    told = [
        Diagnostic("E130", "one", fixes=(Fix("a", (Edit(Span(source, 0, 4), "GELU"),), True),)),
        Diagnostic("E130", "two", fixes=(Fix("b", (Edit(Span(source, 2, 6), ""),), True),)),
        Diagnostic("E130", "three", fixes=(Fix("c", (Edit(Span(other, 0, 4), ""),), True),)),
        Diagnostic("E130", "four", fixes=(Fix("d", (Edit(Span(source, 7, 11), "SILU"),), True),)),
        Diagnostic("E130", "five", fixes=(Fix("e", (Edit(Span(source, 11, 11), "!"),)),)),
    ]
    assert apply_edits(source.text, safe_edits(told, source)) == "GELU - SILU\n"


def test_explained_errors_with_a_fix_become_right() -> None:
    """The wrong examples of `explain` whose only fault has a safe fix are right with it."""
    mended = 0
    for code in explain.codes():
        text = explain.read(code).wrong
        report = check(text=text) if text and not text.startswith("# -") else None
        if report is None or len(report.diagnostics) != 1:
            continue
        for fix in report.diagnostics[0].fixes:
            if fix.safe:
                assert check(text=apply_edits(text, fix.edits)).ok, code
                mended += 1
    assert mended >= 5


def test_words_that_are_far_off_are_offered_and_not_applied() -> None:
    """A slip of a word is mended by --fix; of one that is merely alike a person decides."""
    for word, meant, safe in (("flor", "floor", True), ("cieling", "ceil", False)):
        (found,) = check(text=f"input 3x8x8\nPOOL(3, fit={word})").diagnostics
        (fix,) = found.fixes
        assert (fix.title, fix.safe) == (f"write {meant}", safe)
