"""`archdsl zoo` and `archdsl new`: what is listed, what is copied, and that nothing is replaced."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from archdsl import check, zoo, zoo_table
from archdsl.cli.commands import run


def test_every_file_is_found() -> None:
    """Each network is found by its whole name, and by its last part where no other comes before."""
    known = zoo.names()
    assert "resnet50" in known and "torchvision/swin_t" in known and not any("blocks" in name for name in known)
    for name in known:
        path = zoo.find(name)
        assert path is not None and Path(path).is_file()
    assert zoo.find("swin_t") == zoo.find("torchvision/swin_t") and zoo.find("nothing") is None


def test_list(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A line for each network: name, parameters, MACs, lines, the same with a table; none that does not fit is read."""
    monkeypatch.setattr(zoo, "names", lambda: ["lenet5", "torchvision/resnet18"])
    monkeypatch.setattr(zoo_table, "TABLE", str(tmp_path / "table.json"))
    wanted = [["lenet5", "454,922", "11,065,088", "5"], ["torchvision/resnet18", "11,689,512", "1,814,073,344"]]

    def listed() -> list[list[str]]:
        assert run(["zoo"]) == 0
        return [line.split() for line in capfd.readouterr().out.splitlines()[1:]]

    first, second = listed()
    assert [first, second[:3]] == wanted
    (tmp_path / "table.json").write_text(zoo_table.text())
    with monkeypatch.context() as patched:
        patched.setattr(zoo_table, "worked_out", None)
        assert listed() == [first, second]
    kept = json.loads((tmp_path / "table.json").read_text())
    for broken in (json.dumps({**kept, "made_of": "else"}), "{", json.dumps({**kept, "rows": [], "made_of": ""})):
        (tmp_path / "table.json").write_text(broken)
        assert listed() == [first, second]


def test_what_the_table_hangs_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another spec, a block and a line of code all make it another."""
    before = zoo_table.fingerprint()
    assert before == zoo_table.fingerprint()
    shutil.copytree(zoo.folder(), tmp_path / "specs")
    monkeypatch.setattr(zoo, "folder", lambda: str(tmp_path / "specs"))
    assert zoo_table.fingerprint() == before
    with open(tmp_path / "specs" / "torchvision" / "blocks" / "resnet.arch", "a", encoding="utf-8") as file:
        file.write("# more")
    changed = zoo_table.fingerprint()
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "one.py").write_text("1")
    monkeypatch.setattr(zoo_table, "PACKAGE", str(tmp_path / "code"))
    assert len({before, changed, zoo_table.fingerprint()}) == 3


def test_show(capfd: pytest.CaptureFixture[str]) -> None:
    """The text of a spec is printed as it is; a name that is none gets a hint."""
    path = zoo.find("lenet5")
    assert path is not None
    assert run(["zoo", "show", "lenet5"]) == 0
    assert capfd.readouterr().out == Path(path).read_text(encoding="utf-8")
    assert run(["zoo", "show", "resnt50"]) == 2
    assert "did you mean resnet50?" in capfd.readouterr().err


def test_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A copy compiles where it lies, with the blocks that it uses; a second one shares them."""
    monkeypatch.chdir(tmp_path)
    assert run(["new", "regnet_x_400mf", "my.arch"]) == 0
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.arch")) == [
        "blocks/regnet.arch", "blocks/unit.arch", "my.arch",
    ]  # fmt: skip
    assert check("my.arch").ok
    assert run(["new", "mobilenet_v2"]) == 0 and check("mobilenet_v2.arch").ok
    capfd.readouterr()
    assert run(["new", "mobilenet_v2"]) == 0
    assert capfd.readouterr().err == "nothing to do: mobilenet_v2.arch\n"
    assert run(["new", "alexnet"]) == 0
    assert "wrote alexnet.arch\nthere is torchvision/alexnet as well" in capfd.readouterr().err
    assert run(["new", "resnet18", "my.arch"]) == 2
    assert capfd.readouterr().err == "error: my.arch is there already; name another file\n"
    assert not (tmp_path / "blocks" / "resnet.arch").exists()


def test_new_keeps_what_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file of blocks was changed, nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "resnet.arch").write_text("# mine\n")
    assert run(["new", "resnet34"]) == 2
    assert not (tmp_path / "resnet34.arch").exists()
    assert (tmp_path / "blocks" / "resnet.arch").read_text() == "# mine\n"
