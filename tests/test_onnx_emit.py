"""Whole networks as ONNX files: what onnxruntime makes of them, their names, their bytes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from onnxruntime.capi.onnxruntime_pybind11_state import Fail
from safetensors.torch import save_file
from torch import nn

from archdsl.analyses.parameters import state_shapes
from archdsl.backends.onnx import emit, write
from archdsl.backends.onnx.initialize import CHUNK, initial
from archdsl.backends.onnx.tensors import Data, joined
from archdsl.diagnostics import ArchError
from archdsl.graph import Network
from archdsl.layers.base import Init, Weight
from tests.support.build import Again, At, Block, Join, Label, Times, layers, network

CONV, BN, RELU, POOL, FC, ADD, GAP = layers("CONV", "BN", "RELU", "POOL", "FC", "ADD", "GAP")


def model_of(net: Network, **options: Any) -> onnx.ModelProto:
    """The file, parsed and checked; onnx would write the very same bytes."""
    data = b"".join(emit(net, **options))
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    assert model.SerializeToString(deterministic=True) == data
    return model


def run(model: onnx.ModelProto, **inputs: np.ndarray) -> list[np.ndarray]:
    """What onnxruntime gives."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: list[np.ndarray] = session.run(None, inputs)
    return result


def weights(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The initializers by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def ones(*shape: int) -> np.ndarray:
    """An input that is not the same everywhere."""
    return np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def residual(filters: int) -> list[Any]:
    """The body of a ResNet's basic block."""
    arm = [Label("conv", CONV(filters, bias=False)), Label("bn", BN()), RELU()]
    return [Join(ADD(), [arm, []]), RELU()]


def small() -> Network:
    """A stem, two residual copies and a classifier."""
    body = Label("body", Block("", [Times(2, [Block("Residual", residual(8))])]))
    return network([Label("stem", CONV(8)), body, POOL(), Label("fc", FC(10))])


class Residual(nn.Module):
    """The same block in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(torch.relu(self.bn(self.conv(x))) + x)


class Small(nn.Module):
    """The same network in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.body = nn.Sequential(Residual(), Residual())
        self.fc = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.fc(torch.max_pool2d(self.body(self.stem(x)), 2).flatten(1))
        return result


@pytest.mark.parametrize("opset", range(17, 27))
def test_equals_torch(tmp_path: Path, opset: int) -> None:
    """With torch's weights, at any batch, in every opset."""
    torch.manual_seed(0)
    module = Small().eval()
    for name, buffer in module.named_buffers():
        if name.endswith(("mean", "var")):
            buffer.uniform_(0.5, 2)
    assert set(state_shapes(small())) == set(module.state_dict())
    path = str(tmp_path / "w.safetensors")
    save_file(module.state_dict(), path)
    model = model_of(small(), weights=path, opset=opset)
    assert model.opset_import[0].version == opset
    try:
        run(model, x=ones(1, 3, 8, 8))
    except Fail as error:
        if "max supported IR version" in str(error):
            pytest.skip("onnxruntime is older than this opset")
        raise
    for batch in (1, 3):
        x = torch.randn(batch, 3, 8, 8)
        np.testing.assert_allclose(run(model, x=x.numpy())[0], module(x).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_structure() -> None:
    """Names are the modules' paths; the batch is a symbol; weights are no inputs; the spec is inside."""
    model = model_of(small())
    graph = model.graph
    assert [node.name for node in graph.node][:4] == [
        "stem/Conv",
        "body.0.conv/Conv",
        "body.0.bn/BatchNormalization",
        "body.0.relu1/Relu",
    ]
    assert set(weights(model)) >= {
        "stem.weight",
        "stem.bias",
        "body.1.conv.weight",
        "body.1.bn.running_var",
        "fc.weight",
    }
    assert not any("num_batches_tracked" in name for name in weights(model))
    assert [i.name for i in graph.input] == ["x"] and [o.name for o in graph.output] == ["output"]
    assert [d.dim_param or d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] == ["N", 3, 8, 8]
    assert [d.dim_param or d.dim_value for d in graph.output[0].type.tensor_type.shape.dim] == ["N", 10]
    assert (model.ir_version, model.producer_name, graph.name) == (10, "archdsl", "Built")
    assert {p.key: p.value for p in model.metadata_props}["archdsl.spec"] == "built by hand"


def test_random_weights_follow_their_names() -> None:
    """The seed decides, the order does not: a layer more changes no other layer's weights."""
    first, second = weights(model_of(small())), weights(model_of(small(), seed=1))
    assert all(np.array_equal(first[k], second[k]) != k.endswith("conv.weight") for k in first if "body" in k)
    longer = network([Label("new", RELU()), Label("stem", CONV(8)), Label("more", CONV(4))])
    assert np.array_equal(weights(model_of(longer))["stem.weight"], first["stem.weight"])


def test_same_bytes_in_another_process() -> None:
    """No hash, time or path gets into the file, and neither torch nor onnx is imported."""
    code = (
        "import sys; from tests.support.plain import data; sys.stdout.buffer.write(data())\n"
        "assert not {'torch', 'onnx', 'onnxruntime', 'safetensors'} & set(sys.modules)"
    )
    found = set()
    for seed in "12":
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.getcwd()}
        found.add(subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True).stdout)
    assert len(found) == 1 and len(found.pop()) > 1000


def test_several_outputs() -> None:
    """Each under its own name: an input, one value twice, a tensor in the middle."""
    items = [Label("a", CONV(4)), Label("b", RELU()), At("b"), Label("c", GAP())]
    net = network(items, outputs=["a", "c", "x"])
    net.outputs.append(net.outputs[1]._replace(name="again"))
    net.outputs.append(net.outputs[2]._replace(name="copy"))
    model = model_of(net)
    x = ones(2, 3, 8, 8)
    a, c, same, again, copy = run(model, x=x)
    assert [o.name for o in model.graph.output] == ["a", "c", "x", "again", "copy"]
    assert np.array_equal(same, x) and np.array_equal(copy, x) and np.array_equal(c, again)
    np.testing.assert_allclose(np.maximum(a, 0).mean((2, 3), keepdims=True), c, rtol=1e-5, atol=1e-6)


def test_training_outputs_are_left_out() -> None:
    """With their layers and weights; the state_dict has them all the same."""
    items = [Label("a", CONV(4)), Label("aux", FC(3)), At("a"), Label("out", GAP())]
    net = network(items, outputs=["out"], training=["aux"])
    model = model_of(net)
    assert {name for name in weights(model) if not name.startswith("constant:")} == {"a.weight", "a.bias"}
    assert [o.name for o in model.graph.output] == ["out"]
    assert "aux.weight" in state_shapes(net)


def test_share() -> None:
    """A module applied twice has its weights once; so has one inside of a repetition."""
    tower = Label("tower", Block("", [CONV(4), RELU(), CONV(3)]))
    net = network([tower, Again("tower"), GAP()])
    model = model_of(net)
    kernels = [node.input[1] for node in model.graph.node if node.op_type == "Conv"]
    assert kernels == ["tower.0.weight", "tower.2.weight"] * 2
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    assert list(state_shapes(net)) == ["tower.0.weight", "tower.0.bias", "tower.2.weight", "tower.2.bias"]

    inner = Block("Unit", [Label("conv", CONV(3)), RELU(), Again("conv")])
    model = model_of(network([Times((2, 1), [inner])]))
    kernels = [node.input[1] for node in model.graph.node if node.op_type == "Conv"]
    assert kernels == [f"{i}.conv.weight" for i in (0, 0, 1, 1, 2, 2)]


def test_shared_module_equals_torch() -> None:
    """Twice the same module, by numbers."""
    net = network([Label("tower", Block("", [CONV(3), RELU()])), Again("tower")])
    model = model_of(net)
    tower = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU())
    tower.load_state_dict({k.removeprefix("tower."): torch.from_numpy(v.copy()) for k, v in weights(model).items()})
    x = torch.randn(2, 3, 8, 8)
    np.testing.assert_allclose(run(model, x=x.numpy())[0], tower(tower(x)).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_repetition_inside_repetition() -> None:
    """Copies are numbered through, each with weights of its own."""
    net = network([Times(2, [Times((2, 1), [CONV(3), RELU()])])])
    assert [k for k in state_shapes(net) if k.endswith("weight")] == [f"{i}.weight" for i in range(0, 12, 2)]
    assert run(model_of(net), x=ones(1, 3, 8, 8))[0].shape == (1, 3, 8, 8)


def test_whole_numbers_in() -> None:
    """An input of int is INT64."""
    net = network([layers("EMBEDDING")[0](10, 4)], dtype="int", text=(7,))
    model = model_of(net)
    (y,) = run(model, text=np.arange(14).reshape(2, 7) % 10)
    assert np.array_equal(y[0], weights(model)["0.weight"][np.arange(7)])


def test_tensors_without_a_batch() -> None:
    """A PARAM has a batch axis of 1 in the file and joins what has one; as an output it is one row."""
    param = Label("token", layers("PARAM")[0]((3, 8, 8)))
    net = network([Label("sum", Join(ADD(), [[param], [At("x")]]))], outputs=["sum", "token"])
    model = model_of(net)
    x = ones(2, 3, 8, 8)
    total, token = run(model, x=x)
    assert token.shape == (1, 3, 8, 8) and np.allclose(total, x + token)
    assert np.array_equal(weights(model)["token_2"], token[0])


def shapes(chunks: Iterable[Data]) -> np.ndarray:
    """Chunks as one array; each holds until the next one is asked for."""
    return np.frombuffer(joined(chunks), np.float32)


def test_initial_values() -> None:
    """Bounds, mean and deviation of each kind, over several chunks."""
    size = 2 * CHUNK + 3
    uniform = shapes(initial("a", Weight((size,), Init("uniform", -0.25, 0.75)), 0))
    assert uniform.size == size and -0.25 <= uniform.min() < -0.2498 and 0.7498 < uniform.max() <= 0.75
    assert abs(uniform.mean() - 0.25) < 0.005 and abs(uniform.std() - 1 / 12**0.5) < 0.005
    assert abs(np.corrcoef(uniform[1:], uniform[:-1])[0, 1]) < 0.01
    normal = shapes(initial("a", Weight((size,), Init("normal", 3, 0.5)), 0))
    assert normal.size == size and abs(normal.mean() - 3) < 0.01 and abs(normal.std() - 0.5) < 0.01
    assert np.array_equal(shapes(initial("a", Weight((size,), Init("constant", 2)), 0)), np.full(size, 2, "f4"))
    assert joined(initial("a", Weight((), Init("constant", 5), "int"), 0)) == (5).to_bytes(8, "little")
    values = shapes(initial("a", Weight((2, 2), Init("values", values=[[1, 2], [3, 4]])), 0))
    assert values.tolist() == [1, 2, 3, 4]
    padded = shapes(initial("a", Weight((4, 5), Init("normal", 0, 1, zero=2)), 0)).reshape(4, 5)
    assert not padded[2].any() and padded[[0, 1, 3]].all()
    assert list(initial("a", Weight((0, 3), Init("uniform", 0, 1)), 0)) == []
    with pytest.raises(ValueError, match="unknown"):
        list(initial("a", Weight((1,), Init("other")), 0))


def test_chunks_of_a_whole_file_stay() -> None:
    """Those of `emit` may be kept, other than a tensor's, which lie in one place one after the other."""
    net = network([Label("fc", FC(width=CHUNK))])
    stream = io.BytesIO()
    write(net, stream)
    assert b"".join(emit(net)) == stream.getvalue()
    assert sum(map(len, emit(net))) > 3 * 4 * CHUNK


def test_streams_are_apart() -> None:
    """Another key or another seed, other values; the same ones give the same."""
    weight = Weight((100,), Init("uniform", -1, 1))
    starts = (("a", 0), ("b", 0), ("a", 1), ("a", -1), ("a", 0))
    made = [joined(initial(key, weight, seed)) for key, seed in starts]
    assert len(set(made)) == 4 and made[0] == made[4]
    # Files of an earlier version can be made again: these numbers stay.
    assert np.frombuffer(made[0], "<f4")[:3].tolist() == pytest.approx([-0.58258778, -0.34029472, 0.13218843])


def test_an_output_with_the_name_of_an_input() -> None:
    """Two tensors of one name cannot be told apart in a file."""
    net = network([RELU()])
    net.outputs[0] = net.outputs[0]._replace(name="x")
    with pytest.raises(ArchError, match="E606"):
        emit(net)


@pytest.mark.parametrize(
    ("items", "options", "code", "part"),
    [
        ([Times(10**12, [RELU()])], {}, "E604", "1_000_000_000_000 layers"),
        ([FC(2**24), FC(2**10)], {}, "E603", "2 GiB"),
        ([RELU()], {"opset": 16}, "E605", "17 to 26"),
        ([RELU()], {"opset": 27}, "E605", "17 to 26"),
        ([CONV(2)], {"weights": "none.safetensors"}, "E602", "cannot be read"),
    ],
)
def test_errors_come_before_any_byte(items: list[Any], options: dict[str, Any], code: str, part: str) -> None:
    """One error, in no time, and nothing written."""
    stream = io.BytesIO()
    with pytest.raises(ArchError) as caught:
        write(network(items), stream, **options)
    (found,) = caught.value.diagnostics
    assert found.code == code and part in found.message
    assert stream.getvalue() == b""
