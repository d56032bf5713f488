"""From trained weights to all that is done with them: evaluate, predict, look, plot, compile."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import archdsl
from archdsl.cli.commands import run
from archdsl.live import instance
from archdsl.metadata import read_made
from archdsl.training.data import DataOptions, open_data, prepare
from archdsl.training.metrics import read_metrics
from archdsl.training.trained import names_run, open_trained

SPEC = """\
# a network for 8x8 digits
input 1x8x8
CONV(width) - RELU - CONV(width) - RELU - POOL
FC(64) - RELU
FC(10) - SOFTMAX
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spec, a run over some epochs of it, and images of the digits 0 to 9."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("trained")
    (folder / "net.arch").write_text(SPEC)
    settings = ["--epochs", "6", "--lr", "0.003", "--batch", "32"]
    data = ["--data", "builtin:digits", "-o", str(folder / "run")]
    assert run(["train", str(folder / "net.arch"), "-D", "width=16", *data, *settings]) == 0
    digits = load_digits()
    (folder / "images").mkdir()
    for label in range(10):
        pixels = digits.images[list(digits.target).index(label)] * (255 / 16)
        Image.fromarray(pixels.round().astype(np.uint8)).save(folder / "images" / f"{label}.png")
    return folder


def answer(folder: Path, *arguments: str, capfd: Any, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> Any:
    """What a command prints, in the folder."""
    monkeypatch.chdir(folder)
    capfd.readouterr()
    assert run(list(arguments)) == status
    return capfd.readouterr()


@pytest.fixture
def ask(trained: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command in the folder and gives what it printed."""

    def asked(*arguments: str, status: int = 0) -> Any:
        return answer(trained, *arguments, capfd=capfd, monkeypatch=monkeypatch, status=status)

    return asked


def test_it_learned(ask: Any) -> None:
    """After six epochs it reads at least 95 of 100 real digits that it has not seen."""
    told = json.loads(ask("evaluate", "--json").out)
    assert told["part"] == "valid" and told["samples"] == 359 and told["weights"] == "best.safetensors"
    assert told["accuracy"] >= 0.95
    assert read_metrics("run/metrics.jsonl")[-1]["event"] == "end"


def test_evaluate(ask: Any, trained: Path) -> None:
    """The numbers are those of the training's own validation; the parts, the last weights and a table can be had."""
    epochs = [line for line in read_metrics(str(trained / "run" / "metrics.jsonl")) if line["event"] == "epoch"]
    last = json.loads(ask("evaluate", "run/last.safetensors", "--json").out)
    assert last["loss"] == pytest.approx(epochs[-1]["valid_loss"], rel=1e-5)
    assert last["accuracy"] == pytest.approx(epochs[-1]["valid_accuracy"])
    best = json.loads(ask("evaluate", "--json", "--batch", "100").out)
    assert best["accuracy"] == pytest.approx(max(line["valid_accuracy"] for line in epochs))
    told = ask("evaluate", "run", "--on", "train").out
    assert told.startswith("builtin:digits, train: 1,438 samples, loss 0.") and "what was said" in told
    assert "has no test part" in ask("evaluate", "--on", "test", status=2).err


def test_evaluate_on_other_data(ask: Any, trained: Path) -> None:
    """Data that the run never saw is judged whole, by the run's normalisation and classes."""
    folder = trained / "other"
    for name in ("3", "7"):
        (folder / name).mkdir(parents=True)
        shutil.copy(trained / "images" / f"{name}.png", folder / name / "a.png")
        shutil.copy(trained / "images" / f"{name}.png", folder / name / "b.png")
    told = json.loads(ask("evaluate", "--data", "other", "--json").out)
    assert (told["part"], told["samples"]) == ("all of it", 4)
    assert [sum(told["confusion"][i]) for i in range(10)] == [2 * (i in (3, 7)) for i in range(10)]


def pixels(path: str) -> torch.Tensor:
    """A grey image as 1xHxW from 0 to 1."""
    with Image.open(path) as image:
        return torch.from_numpy(np.asarray(image, np.float32) / 255)[None]


def test_predict(ask: Any) -> None:
    """What is said is what the module says; in a line or as JSON; a folder stands for its images."""
    told = json.loads(ask("predict", "images", "--weights", "run/", "--json", "-k", "3").out)
    assert [entry["file"] for entry in told] == [f"images/{i}.png" for i in range(10)]
    scale = json.loads(Path("run/run.json").read_text())["data"]["normalisation"]
    x = (torch.stack([pixels(f"images/{i}.png") for i in range(10)]) - scale["mean"][0][0]) / scale["std"][0][0]
    with torch.inference_mode():
        expected = open_trained("run").module()(x)
    assert sum(int(row.argmax()) == i for i, row in enumerate(expected)) >= 8
    for entry, row in zip(told, expected):
        assert entry["classes"][0]["class"] == str(int(row.argmax()))
        assert entry["classes"][0]["probability"] == pytest.approx(float(row.max()), rel=1e-4)
        parts = [one["probability"] for one in entry["classes"]]
        assert len(parts) == 3 and parts == sorted(parts, reverse=True) and sum(parts) <= 1.000001
    lines = ask("predict", "images/0.png", "images/1.png", "-k", "1").out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["images/0.png", "images/1.png"]
    assert all(re.fullmatch(r"\S+ \d \d+\.\d\d%", line) for line in lines)


def test_images_that_do_not_do(ask: Any, trained: Path) -> None:
    """A wrong size is taken with --resize alone; what is no image, or not there, is named."""
    with Image.open(trained / "images" / "5.png") as digit:
        digit.resize((32, 32)).save(trained / "large.png")
    told = ask("predict", "large.png", status=1).err
    assert "error[E706]" in told and "--resize" in told and "--input" not in told
    assert ask("predict", "large.png", "--resize").out.startswith("large.png: ")
    (trained / "text.png").write_text("no image")
    told = ask("predict", "images/1.png", "text.png", status=1)
    assert "error[E713]" in told.err and "--> text.png" in told.err and told.out == ""
    assert "error[E713]" in ask("predict", "nowhere.png", status=1).err
    (trained / "empty").mkdir(exist_ok=True)
    assert "there is no image in empty" in ask("predict", "empty", status=2).err


def test_runs_that_are_none(ask: Any, trained: Path) -> None:
    """A folder that is no run, weights that are not its own, and damaged ones are errors of the call."""
    assert "E733" in ask("predict", "images/1.png", "--weights", "images", status=2).err
    assert "E733" in ask("evaluate", "run/other.safetensors", status=2).err
    broken = trained / "broken"
    shutil.copytree(trained / "run", broken, dirs_exist_ok=True)
    state = load_file(broken / "best.safetensors")
    save_file({**state, "0.bias": torch.zeros(3)}, broken / "best.safetensors")
    told = ask("predict", "images/1.png", "--weights", "broken", status=2).err
    assert "E601" in told and "0.bias is 16 in the network and 3 in the file" in told
    (broken / "best.safetensors").write_bytes(b"xx")
    assert "E602" in ask("evaluate", "broken", status=2).err


def test_look(ask: Any, trained: Path) -> None:
    """A page with the layers and what the network says, and a sheet; nothing of another's is replaced."""
    assert ask("look", "net.arch", "images/6.png", "--weights", "run/").err == "wrote look.html\n"
    page = (trained / "look.html").read_text(encoding="utf-8")
    for part in ("6.png in net.arch", "<code>0.weight</code>", "the filters of CONV(16)", "SOFTMAX; 10", "<td>6<td>"):
        assert part in page, part
    ask("look", "net.arch", "images/6.png", "-o", "sheet.png", "--only", "0")
    with Image.open(trained / "sheet.png") as small:
        ask("look", "net.arch", "images/6.png", "-o", "sheet.png")
        with Image.open(trained / "sheet.png") as sheet:
            assert sheet.height > small.height
    (trained / "mine.html").write_text("<html>")
    assert "--force" in ask("look", "net.arch", "images/6.png", "-o", "mine.html", status=2).err
    assert "is neither" in ask("look", "net.arch", "images/6.png", "-o", "look.pdf", status=2).err


def test_plot(ask: Any, trained: Path) -> None:
    """The run's own metrics can be drawn."""
    assert ask("plot", "run", "-o", "curves.svg").err == "wrote curves.svg\n"
    assert (trained / "curves.svg").read_text(encoding="utf-8").count("<circle") == 12


def test_compile(ask: Any, trained: Path) -> None:
    """--weights run/ writes what was trained: onnxruntime gives what torch gives, and the file knows its classes."""
    ask("compile", "net.arch", "--to", "onnx", "--weights", "run/")
    made = read_made("net.onnx")
    assert made.classes == tuple("0123456789") and made.arguments == "-D width=16"
    stored = json.loads(Path("run/run.json").read_text())["data"]["normalisation"]
    assert made.normalisation == stored
    told = ask("show", "net.onnx").err
    assert "its classes are 0, 1, 2" in told and "its inputs are (x - mean)/std" in told
    x = torch.randn(4, 1, 8, 8)
    with torch.inference_mode():
        expected = open_trained("run").module()(x).numpy()
    given = onnxruntime.InferenceSession("net.onnx").run(None, {"input": x.numpy()})[0]
    assert np.allclose(given, expected, atol=1e-5)
    archdsl.to_onnx("net.arch", "api.onnx", weights="run")
    assert Path("api.onnx").read_bytes() == Path("net.onnx").read_bytes()
    ask("compile", "net.arch", "--to", "onnx", "--weights", "run/last.safetensors", "-o", "last.onnx")
    assert read_made("last.onnx").classes == made.classes
    ask("compile", "net.arch", "-D", "width=16", "--to", "onnx", "-o", "plain.onnx")
    assert read_made("plain.onnx").classes == () and read_made("plain.onnx").normalisation is None


def test_the_run_says_what_completes_the_spec(ask: Any, trained: Path) -> None:
    """-D given goes over the run's; another network than the trained one is an error that names the difference."""
    told = ask("compile", "net.arch", "--to", "onnx", "-D", "width=8", "--weights", "run", "-o", "x.onnx", status=2).err
    assert "error[E761]" in told and "-D width=8 here, -D width=16 in the run" in told
    (trained / "other.arch").write_text(SPEC.replace("FC(64)", "FC(65)"))
    told = ask("look", "other.arch", "images/1.png", status=2).err
    assert "line 4 is `FC(65) - RELU` here, `FC(64) - RELU` in the run" in told
    (trained / "same.arch").write_text(SPEC.replace("# a network for 8x8 digits\n", "\n\n").replace(" - ", "-"))
    ask("compile", "same.arch", "--to", "onnx", "--weights", "run", "-o", "same.onnx")
    assert not (trained / "x.onnx").exists()
    with pytest.raises(archdsl.ArchError, match="E761"):
        archdsl.to_onnx(str(trained / "other.arch"), weights=str(trained / "run"))


def test_what_names_a_run(trained: Path, tmp_path: Path) -> None:
    """A folder, or weights in one that has run.json; a file of weights that lies alone names none."""
    assert names_run(str(trained / "run")) and names_run(str(trained / "run" / "last.safetensors"))
    shutil.copy(trained / "run" / "best.safetensors", tmp_path / "alone.safetensors")
    assert not names_run(str(tmp_path / "alone.safetensors"))
    assert not names_run(str(trained / "run" / "net.py"))


def test_the_emitted_module_takes_the_weights(trained: Path) -> None:
    """Whoever goes on without archdsl loads the run's module and weights by torch and safetensors alone."""
    source = (trained / "run" / "net.py").read_text(encoding="utf-8")
    module = instance(source, "Net")
    module.load_state_dict(load_file(trained / "run" / "best.safetensors"), strict=True)


def train(folder: Path, spec: str, *arguments: str) -> None:
    """An epoch of a spec, into the folder run; the current folder is `folder`."""
    (folder / "net.arch").write_text(spec)
    assert run(["train", "net.arch", "--epochs", "1", *arguments]) == 0


@pytest.mark.parametrize("shape", ["8x8", "64"])
def test_images_that_are_no_maps(
    shape: str, trained: Path, tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that takes an image's rows as a sequence, or its pixels, is given images as files, too."""
    monkeypatch.chdir(tmp_path)
    head = "LSTM(8) - SELECT(-1) - " if shape == "8x8" else ""
    train(tmp_path, f"input {shape}\n{head}FC(10) - SOFTMAX\n", "--data", "builtin:digits")
    capfd.readouterr()
    run_of = open_trained("run").run
    data = open_data("builtin:digits", run_of.network, DataOptions())
    row = next(i for i in range(len(data.train)) if data.train.name(i) == "builtin:digits:3")
    image = str(trained / "images" / "3.png")  # that very digit
    [given] = prepare([image], run_of.network, data.normalisation, DataOptions())
    assert torch.equal(given, data.train.batch([row], None).inputs[0])
    assert run(["predict", image]) == 0 and capfd.readouterr().out.startswith(image)
    assert run(["look", "net.arch", image]) == 0


def test_text(tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of text is shown a text: its last characters; where it tells the next one, predict does."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("abcd efgh\n" * 60)
    spec = "input text: 12 of int\nEMBEDDING(16, 8) - GRU(8) - SELECT(-1) - FC(10) - SOFTMAX\n"
    train(tmp_path, spec, "--data", "text.txt", "--batch", "8")
    capfd.readouterr()
    assert run(["predict", "text.txt", "-k", "1"]) == 0 and capfd.readouterr().out.startswith("text.txt: ")
    assert run(["look", "net.arch", "text.txt"]) == 0
    assert "EMBEDDING(16, 8); 12x8" in Path("look.html").read_text()
    assert run(["evaluate"]) == 0 and "'\\n'" in capfd.readouterr().out
    Path("short.txt").write_text("abc")
    assert run(["predict", "short.txt"]) == 1 and "E716" in capfd.readouterr().err
    Path("other.txt").write_text("z" * 20)
    assert run(["predict", "other.txt"]) == 1 and "E718" in capfd.readouterr().err
    assert run(["predict", "none.txt"]) == 2 and "cannot read none.txt" in capfd.readouterr().err
