"""Calls that are served without click: they do what click would have done, and leave to it what is not plain."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.cli.commands import run
from archdsl.cli.plain import plain


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, but for a spec that is right, one that is wrong, and a file of somebody else's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.arch").write_text("input 3x8x8\nCONV(8) - RELU\n")
    (tmp_path / "odd.arch").write_text("input 3x8x8\nPOOL(9)\n")
    (tmp_path / "mine.py").write_text("print('mine')\n")
    return tmp_path


@pytest.mark.parametrize(
    "call",
    [
        "check net.arch", "check net.arch odd.arch", "check .", "check none.arch", "compile net.arch",
        "compile net.arch -o made.py", "compile net.arch --to onnx", "compile -o a.onnx --to onnx net.arch",
        "compile --to onnx --to torch net.arch -o a.onnx -o b.py", "compile odd.arch", "compile none.arch",
        "compile net.arch -o mine.py", "compile net.arch -o mine.py --force", "compile net.arch -o none/made.py",
    ],
)  # fmt: skip
def test_plain_calls(call: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same status, words and files."""
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}

    def outcome(status: int | None) -> object:
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
        for path in folder.iterdir():
            path.unlink()
        for name, data in kept.items():
            (folder / name).write_bytes(data)
        return status, capfd.readouterr(), found

    assert outcome(plain(call.split())) == outcome(run(call.split()))


@pytest.mark.parametrize(
    "call",
    [
        "", "--help", "check", "check --json net.arch", "check -", "compile", "compile --help", "compile net.arch -",
        "compile net.arch odd.arch", "compile net.arch -o", "compile net.arch -o -", "compile net.arch --to",
        "compile net.arch --to none",
        "compile net.arch --to=onnx", "compile net.arch --seed 1", "compile net.arch --to onnx --to onnx",
        "compile net.arch -o a.py -o b.py", "compile net.arch --to onnx -o a.py", "show net.arch", "chek net.arch",
    ],
)  # fmt: skip
def test_other_calls(call: str, folder: Path) -> None:
    """Nothing is done, nothing written."""
    before = sorted(folder.iterdir())
    assert plain(call.split()) is None
    assert sorted(folder.iterdir()) == before
