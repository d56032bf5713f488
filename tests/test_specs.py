"""Every spec of specs/: compiled to PyTorch and to ONNX, both run and agree, and the published totals are met."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest
import torch

import archdsl
from archdsl.analyses import all as analyses
from archdsl.backends.pytorch import emit
from archdsl.cli.commands import run
from archdsl.graph import Network
from archdsl.live import instance
from archdsl.pipeline import build
from archdsl.syntax.source import Source
from tests.support.compare import NEAR, outputs, save, tensors

SPECS = Path(__file__).parent.parent / "specs"
LARGE = {
    "alexnet",
    "densenet121",
    "googlenet",
    "unet",
    "vgg16",
    "vit_b_16",
    "wavenet",
    "yolov3",
}  # more than some seconds each

PUBLISHED = {
    "alexnet": 62_378_344,  # CS231n, lecture 9, with one tower
    "vgg16": 138_357_544,  # this and the others: torchvision's table of models
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "googlenet": 6_624_904,  # without the auxiliary heads
    "mobilenetv2": 3_504_872,
    "densenet121": 7_978_856,
    "regnet_y_400mf": 4_344_144,
    "vit_b_16": 86_567_656,
}


def network(name: str) -> Network:
    """The network of a spec of specs/."""
    source = Source((SPECS / f"{name}.arch").read_text(encoding="utf-8"), f"{name}.arch", str(SPECS / f"{name}.arch"))
    found, findings = build(source, constants={}, inputs={}, fit=None)
    assert found is not None and not findings.found
    return found


def names(*but: str) -> list[object]:
    """The specs, those that take long marked."""
    found = sorted(path.stem for path in SPECS.glob("*.arch") if path.stem not in but)
    return [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in found]


def test_a_check_of_the_folder_finds_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Networks, their blocks, and specs with open sizes and counts, all in one call."""
    assert run(["check", str(SPECS)]) == 0
    told = capfd.readouterr()
    assert not told.err and len(told.out.splitlines()) > 100


@pytest.mark.parametrize("name", names())
def test_both_backends_agree(name: str, tmp_path: Path) -> None:
    """Module and onnxruntime give equal numbers for equal weights, of the inferred shapes, at batch 1 and 3."""
    graph = network(name)
    torch.manual_seed(0)
    module = instance(emit(graph, f"{name}.arch"), graph.name).eval()
    state = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    assert state == {key: tuple(entry.weight.shape) for key, entry in analyses.state_shapes(graph).items()}
    save(module, tmp_path / "net.safetensors")
    archdsl.to_onnx(SPECS / f"{name}.arch", tmp_path / "net.onnx", weights=tmp_path / "net.safetensors")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    shapes = [output.value.type.shape for output in graph.outputs if not output.training]
    for batch in (1, 3):
        given = tensors(graph, batch)
        with torch.no_grad():
            made = outputs(module, given)
        assert [tuple(y.shape) for y in made] == [(batch, *shape) for shape in shapes]
        other = session.run(None, {key: value.numpy() for key, value in given.items()})
        for y, o in zip(made, other):
            assert float((y - torch.from_numpy(o)).abs().max()) <= NEAR * float(y.abs().max())


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_parameters_are_the_published_ones(name: str) -> None:
    """The total is what the authors, or torchvision's page, say."""
    assert analyses.parameters(network(name)) == PUBLISHED[name]


def test_macs_are_the_published_ones() -> None:
    """torchvision's page gives ResNet-50 as 4.09 GFLOPS, which are multiply-accumulates: 4,089,184,256 of them."""
    assert analyses.macs(network("resnet50")) == 4_089_184_256


RECURRENT = {"charrnn": "torch._dynamo breaks the graph at nn.LSTM unless told otherwise"}


@pytest.mark.parametrize("name", names(*RECURRENT))
def test_no_graph_breaks(name: str) -> None:
    """torch.compile takes each module as one graph; recurrent ones apart, at whose cells it breaks the graph itself."""
    graph = network(name)
    with torch.device("meta"):
        module = instance(emit(graph, f"{name}.arch"), graph.name).eval()
    given = {key: value.to("meta") for key, value in tensors(graph, 2).items()}
    torch._dynamo.reset()
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    assert [y.shape for y in outputs(compiled, given)] == [y.shape for y in outputs(module, given)]
