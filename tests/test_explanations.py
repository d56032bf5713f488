"""`archdsl explain`: every code that the program can give has a text, and its examples do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from archdsl import explain
from archdsl.cli.commands import run

ROOT = Path(__file__).parent.parent
NO_SPEC = {
    "E001",
    "E002",
    "E003",
    "E104",
    "E105",
    "E156",
    "E157",
    "E601",
    "E602",
    "E603",
    "E604",
    "E605",
    "E606",
    "E607",
    "E608",
    "E609",
    "E610",
    "E611",
    "W404",
}
"""Codes that a short spec cannot show: files, weights, limits. None of data and training, E7, can be shown so."""


def given() -> set[str]:
    """The codes that stand in the program."""
    found: set[str] = set()
    for path in (ROOT / "archdsl").rglob("*.py"):
        found.update(re.findall(r"\"([EW]\d{3})\"", path.read_text(encoding="utf-8")))
    return found


def test_every_code_is_explained() -> None:
    """No code without a text, and no text without a code; but for a few each has both examples."""
    assert set(explain.codes()) == given()
    for code in explain.codes():
        found = explain.read(code)
        assert found.title and found.meaning and not found.title.endswith("."), code
        assert bool(found.wrong and found.right) == (code not in NO_SPEC and not code.startswith("E7")), code


@pytest.mark.parametrize("code", [code for code in explain.codes() if explain.read(code).wrong])
def test_examples(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    """The wrong example gets its code and no error but that, the right one nothing at all."""
    monkeypatch.chdir(tmp_path)
    found = explain.read(code)
    for name, text in found.files.items():
        Path(name).write_text(text, encoding="utf-8")
    for kind, text in (("wrong", found.wrong), ("right", found.right)):
        options = [word for line in re.findall(r"^# (-.*)$", text, re.MULTILINE) for word in shlex.split(line)]
        Path("net.arch").write_text(text, encoding="utf-8")
        status = run(["check", "net.arch", *options])
        told = set(re.findall(r"^(?:error|warning)\[(\w+)\]", capfd.readouterr().err, re.MULTILINE))
        assert told == ({code} if kind == "wrong" else set()), kind
        assert status == int(kind == "wrong" and code.startswith("E"))


def test_the_page_is_up_to_date() -> None:
    """Made anew, docs/errors.md is the same."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert page == explain.markdown(), "run: python -m archdsl.explain > docs/errors.md"


def test_the_command(capfd: Any) -> None:
    """A text by its code in any case, a list without one, and what was meant for one that there is not."""
    assert run(["explain", "e201"]) == 0
    shown = capfd.readouterr().out
    assert shown.startswith("E201: doesn't fit") and "CONV(16, 3, stride=3, padding=0)" in shown
    assert run(["explain"]) == 0
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()] == explain.codes()
    assert run(["explain", "E2012"]) == 2
    assert "there is no code E2012" in capfd.readouterr().err
    assert run(["explain", "201"]) == 2 and "did you mean E201?" in capfd.readouterr().err
    assert run(["explain", "../../README"]) == 2
