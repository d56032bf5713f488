"""`archdsl zoo` and `archdsl new`: what is listed, what is copied, and that nothing is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl import check, zoo
from archdsl.cli.commands import run


def test_every_file_is_found() -> None:
    """Each network is found by its whole name, and by its last part where no other comes before."""
    known = zoo.names()
    assert "resnet50" in known and "torchvision/swin_t" in known and not any("blocks" in name for name in known)
    for name in known:
        path = zoo.find(name)
        assert path is not None and Path(path).is_file()
    assert zoo.find("swin_t") == zoo.find("torchvision/swin_t") and zoo.find("nothing") is None


def test_list(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each network: name, parameters, MACs, lines."""
    monkeypatch.setattr(zoo, "names", lambda: ["lenet5", "torchvision/resnet18"])
    assert run(["zoo"]) == 0
    _, first, second = capfd.readouterr().out.splitlines()
    assert first.split() == ["lenet5", "454,922", "11,065,088", "5"]
    assert second.split()[:2] == ["torchvision/resnet18", "11,689,512"]


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
