"""specs/torchvision is torchvision's models for images and video: names, shapes, totals and numbers, in little text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torchvision")

import torch
import torchvision

from archdsl.analyses.parameters import parameters
from archdsl.backends.pytorch import emit
from archdsl.live import instance
from tests.support import zoo
from tests.support.source import brevity, code_lines, needed


@pytest.mark.parametrize("name", zoo.NAMES)
def test_shapes_and_names(name: str) -> None:
    """A spec's state_dict is the original's, as promised and as made: keys, shapes, and the total in the spec."""
    made, theirs = zoo.network(name), zoo.original(name, "meta")
    shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert zoo.state_shapes(made) == shapes
    source = emit(made)
    with torch.device("meta"):
        ours = instance(source, made.name)
    assert {key: tuple(value.shape) for key, value in ours.state_dict().items()} == shapes
    assert parameters(made) == sum(p.numel() for p in theirs.parameters())
    head = Path(zoo.spec(name)).read_text(encoding="utf-8").splitlines()[0]
    assert head.endswith(f" {parameters(made):,} parameters.")
    if name in zoo.MIDDLE:
        assert code_lines(source) <= 1.5 * needed(name)


@pytest.mark.parametrize("name", ["mnasnet0_5", "shufflenet_v2_x0_5", "squeezenet1_1"])
def test_numbers_of_small_ones(name: str) -> None:
    """What the slow test asserts of all, of a few that are quickly computed."""
    test_numbers(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.NAMES)
def test_numbers(name: str) -> None:
    """With the original's weights the numbers are the original's, in evaluation, in training and by ONNX."""
    found = zoo.compare(name)
    assert found.evaluated == "equal"
    assert found.trained == "equal"
    assert found.onnx < 1e-4


def test_all_are_there() -> None:
    """Each classification model of torchvision has a spec, and each segmenting one, and of video all convolutions."""
    models = torchvision.models
    video = {"r3d_18", "mc3_18", "r2plus1d_18", "s3d"}
    known = set(models.list_models(module=models)) | set(models.list_models(module=models.segmentation)) | video
    assert set(zoo.NAMES) == known
    assert len(zoo.NAMES) == 90


def test_classes_come_from_outside() -> None:
    """A spec of the zoo is made for other classes by one constant."""
    for name in ("resnet18", "googlenet", "swin_t"):
        made, _ = zoo.build(zoo.read_spec(zoo.spec(name)), constants={"classes": "7"}, inputs={}, fit=None)
        assert made is not None and {output.value.type.shape for output in made.outputs} == {(7,)}


def test_brevity() -> None:
    """All specs and their blocks together are at most a tenth of torchvision's lines for the same models."""
    ours, theirs = brevity(zoo.SPECS)
    assert ours <= 0.1 * theirs, f"{ours} lines for {theirs}"


@pytest.mark.slow
def test_source_is_clean(tmp_path: Path) -> None:
    """The emitted source of each family's middle model has nothing that ruff or mypy would mend."""
    for name in zoo.MIDDLE:
        (tmp_path / f"{name}.py").write_text(emit(zoo.network(name)), encoding="utf-8")
    rules = ["--isolated", "--select", "E,F,I,UP,B,W", "--line-length", "120"]
    for tool in (["ruff", "check", *rules, "."], ["mypy", "."]):
        done = subprocess.run([sys.executable, "-m", *tool], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stdout + done.stderr
