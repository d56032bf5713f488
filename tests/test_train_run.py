"""The run: `archdsl train` from a spec to weights, its folder, what it refuses, and when it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import archdsl
from archdsl.cli.commands import run
from archdsl.diagnostics import ArchError
from archdsl.training.run import open_run
from archdsl.training.settings import OPTIMIZERS
from tests.support.training import DIGITS, same, state_of, trained


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a spec that uses another file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "unit.arch").write_text("block Unit(n) { CONV(n) - BN - RELU - POOL }\n")
    text = 'use Unit from "blocks/unit.arch"\ninput 1x8x8\nUnit(N) - Unit(16) - FC(classes) - SOFTMAX\n'
    path = tmp_path / "digits.arch"
    path.write_text(text)
    return path


CALL = ["-D", "N=8", "-D", "classes=10", "--data", "builtin:digits", "--device", "cpu"]


def test_digits_are_learned(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three epochs come to 90% of the validation; the folder has all that a run has, and the module runs alone."""
    spec.with_name("train.toml").write_text("lr = 0.01\nepochs = 9\n")
    assert run(["train", "digits.arch", *CALL, "--epochs", "3"]) == 0
    assert "all epochs are done" in capsys.readouterr().err
    folder = Path("run")
    events = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [e["event"] for e in events if e["event"] != "step"] == ["start", "epoch", "epoch", "epoch", "end"]
    epochs = [e for e in events if e["event"] == "epoch"]
    assert max(e["valid_accuracy"] for e in epochs) > 0.9
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.safetensors", "blocks", "checkpoints", "digits.arch", "digits.py", "last.safetensors", "metrics.jsonl",
        "run.json",
    ]  # fmt: skip
    assert len(list((folder / "checkpoints").iterdir())) == 2
    found = open_run("run")
    assert (
        found.network.arguments == "-D N=8 -D classes=10" and found.settings.epochs == 3 and found.settings.lr == 0.01
    )
    assert found.data["sizes"] == {"train": 1438, "valid": 359, "test": 0} and len(found.data["classes"]) == 10
    namespace: dict[str, type[torch.nn.Module]] = {}
    exec((folder / "digits.py").read_text(), namespace)
    net = namespace[found.network.name]()
    net.load_state_dict(load_file(found.weights("best")))
    assert same(dict(net.state_dict()), load_file(found.weights("last"))) == (epochs[-1]["best"])


def test_the_seed_decides_everything(tmp_path: Path) -> None:
    """Equal seeds give equal bits, whatever was drawn before; another seed gives others."""
    settings = {"epochs": 1, "batch": 256, "augment": ["crop"]}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        trained(tmp_path / name, **settings, seed=seed)
        torch.rand(3)
    a, b, c = (state_of(tmp_path / name) for name in "abc")
    assert same(a, b) and not same(a["model"], c["model"])


def test_workers_change_nothing(tmp_path: Path) -> None:
    """Batches that two other processes prepare are the same ones."""
    settings = {"epochs": 2, "batch": 252, "accumulate": 3, "augment": ["crop"]}
    trained(tmp_path / "none", **settings)
    trained(tmp_path / "two", **settings, workers=2)
    none, two = state_of(tmp_path / "none"), state_of(tmp_path / "two")
    assert same(none["model"], two["model"]) and same(none["random"], two["random"])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_learn(tmp_path: Path, optimizer: str) -> None:
    """Each, with its own learning rate, makes the loss smaller."""
    text = "input 1x8x8\nFC(32) - RELU - FC(10) - SOFTMAX\n"
    heard = trained(tmp_path / "run", text, optimizer=optimizer, epochs=3, weight_decay=0.01)
    assert heard.epochs[-1]["valid_loss"] < heard.epochs[0]["valid_loss"]
    assert heard.epochs[-1]["valid_accuracy"] > 0.5


def test_patience(tmp_path: Path) -> None:
    """Where nothing is learned the run ends so many epochs after the best one; the best is kept."""
    heard = trained(tmp_path / "run", epochs=20, batch=512, patience=2, lr=1e-30)
    assert heard.end == "no better validation in 2 epochs" and len(heard.epochs) < 20
    best = max(
        range(len(heard.epochs)), key=lambda i: (heard.epochs[i]["valid_accuracy"], -heard.epochs[i]["valid_loss"])
    )
    assert len(heard.epochs) == best + 3
    assert state_of(tmp_path / "run")["progress"]["best_epoch"] == best + 1
    assert trained(tmp_path / "run").epochs == []


def test_a_loss_that_is_lost_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """E740 names the step, and nothing of it is saved."""
    with pytest.raises(ArchError) as error:
        trained(tmp_path / "run", optimizer="sgd", lr=1e30, every=1)
    assert "E740" in str(error.value) and "lower" in str(error.value)
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        state = torch.load(path, weights_only=True)
        assert all(bool(torch.isfinite(w).all()) for w in state["model"].values())


def test_tensors_are_learned(tmp_path: Path) -> None:
    """An autoencoder: the mean squared error of tensors, no accuracy, the best by its loss."""
    x = np.random.default_rng(0).random((256, 1, 8, 8), np.float32)
    np.savez(tmp_path / "x.npz", x=x, y=x)
    text = "input 1x8x8\nCONV(8) - RELU - CONV(1)\n"
    heard = trained(tmp_path / "run", text, str(tmp_path / "x.npz"), epochs=3, lr=0.01)
    assert heard.plan["loss"] == "mse of output"
    assert heard.epochs[-1]["valid_loss"] < heard.epochs[0]["valid_loss"] and "valid_accuracy" not in heard.epochs[0]


def test_dry_run_says_and_writes_nothing(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shapes, parameters, memory and steps."""
    assert run(["train", "digits.arch", *CALL, "--dry-run", "--accumulate", "2"]) == 0
    told = capsys.readouterr().out
    net = archdsl.load("digits.arch", N=8, classes=10)
    for part in ("1x8x8 -> 10", f"{sum(p.numel() for p in net.parameters()):,}", "1,438", "MiB", "110", "64 = 1"):
        assert part in told
    assert not Path("run").exists()


def test_a_run_is_not_overwritten(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with a run in it, or with anything, is left alone; --force replaces a run, and no other folder."""
    short = [*CALL, "--epochs", "1", "--batch", "512"]
    assert run(["train", "digits.arch", *short]) == 0
    before = Path("run", "run.json").read_bytes()
    assert run(["train", "digits.arch", *short]) == 2
    assert "--resume goes on with it, --force replaces it" in capsys.readouterr().err
    assert run(["train", "digits.arch", *short, "--seed", "3", "--force"]) == 0
    assert Path("run", "run.json").read_bytes() != before
    Path("notes").mkdir()
    Path("notes", "mine.txt").write_text("mine")
    for force in ([], ["--force"]):
        assert run(["train", "digits.arch", *short, "-o", "notes", *force]) == 2
        assert "and no run" in capsys.readouterr().err
    assert [path.name for path in Path("notes").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a spec"),
        (["--resume"], "there is no run in run to go on with; name a spec"),
        (["digits.arch"], "--data is missing"),
        (["digits.arch", "--data", "builtin:digits", "--resume", "--force"], "give one of them"),
        (["digits.arch", *CALL, "--nnodes", "2"], "--nnodes needs --nproc and --rendezvous"),
        (["-", *CALL, "--nproc", "2"], "standard input"),
        (["digits.arch", *CALL, "--batch", "2000"], "more than the 1438 samples"),
        (["digits.arch", *CALL, "--batch", "63", "--accumulate", "2"], "help: --batch 64"),
        (["digits.arch", *CALL, "--fsdp"], "--fsdp is for several processes"),
        (["digits.arch", *CALL, "--device", "abacus"], "there is no device abacus"),
        (["digits.arch", *CALL, "--device", "cuda:99"], "there is no device cuda:99"),
        (["digits.arch", *CALL, "--loss", "bce"], "SOFTMAX ends it"),
        (["nothing.arch", *CALL], "no such file"),
    ],
)
def test_a_wrong_call_is_told(spec: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    """Exit status 2, and no folder is made."""
    assert run(["train", *words]) == 2
    assert told in capsys.readouterr().err
    assert not Path("run").exists()


def test_what_was_changed_is_no_run(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A spec in the folder that is not the trained one (E734), and a folder without a run (E733)."""
    assert run(["train", "digits.arch", *CALL, "--epochs", "1", "--batch", "512"]) == 0
    Path("run", "blocks", "unit.arch").write_text("block Unit(n) { CONV(n) - RELU - POOL }\n")
    with pytest.raises(ArchError, match="E734"):
        open_run("run")
    with pytest.raises(ArchError, match="E733"):
        open_run("blocks")
    Path("run", "run.json").write_text("{}")
    with pytest.raises(ArchError, match="E734"):
        open_run("run")


def test_without_the_extra(spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that training needs is named, with what installs it."""
    monkeypatch.setitem(sys.modules, "archdsl.training.distributed", None)
    monkeypatch.delitem(sys.modules, "archdsl.training.distributed")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run(["train", "digits.arch", *CALL]) == 2
    assert "pip install 'archdsl[train]'" in capsys.readouterr().err


def test_one_line(tmp_path: Path) -> None:
    """The one-liner trains as it stands, and DIGITS is a spec of its own."""
    text = "input 1x8x8\nclasses = 10\nN = 1\nM = 2\nK = 1\n[(CONV-RELU)*N-POOL]*M-(FC-RELU)*K-SOFTMAX\n"
    heard = trained(tmp_path / "run", text, epochs=1, batch=256)
    assert heard.plan["parameters"] == sum(p.numel() for p in archdsl.load(text=text).parameters())
    assert DIGITS
