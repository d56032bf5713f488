"""What the options of the ONNX backend change, held against torch, onnx and onnxruntime."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tracemalloc
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

import archdsl
from archdsl.backends.onnx import external
from archdsl.diagnostics import ArchError
from archdsl.files import Outputs, Refused
from tests.support.parity import Network, Untestable, hold_opsets, inputs, network, random_state, single

NORMED = """\
input 3x8x8
block Unit(w, s = 1) { ADD{ conv: CONV(w, 3, s) - bn: BN - RELU | if s > 1 { CONV(w, 1, s) - BN } } - RELU }
stem: CONV(8, bias=true) - BN(eps=1e-3) - RELU
a: [Unit(8)*2 - Unit(16, 2)]
up: UPCONV(6, groups=2) - norm: BN
CONV(6, groups=3) - BN(affine=false)
keep: CONV(4) - ADD{ BN | ID }
GAP - FC(5) - SOFTMAX
"""


def filled(text: str = NORMED) -> dict[str, torch.Tensor]:
    """Weights for a spec, normalisation statistics that are not 0 and 1 among them."""
    module = archdsl.load(text=text)
    made = torch.Generator().manual_seed(0)
    return {
        key: torch.rand(value.shape, generator=made) + 0.5 if value.is_floating_point() else value
        for key, value in module.state_dict().items()
    }


def run(data: bytes | str, x: np.ndarray) -> np.ndarray:
    """What onnxruntime gives for the one input."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {session.get_inputs()[0].name: x})[0]
    return result


def wanted(x: np.ndarray, weights: dict[str, torch.Tensor], text: str = NORMED, logits: bool = False) -> np.ndarray:
    """What torch gives."""
    module: Any = archdsl.load(text=text).eval()
    module.load_state_dict(weights)
    with torch.no_grad():
        result: np.ndarray = (module.logits if logits else module)(torch.from_numpy(x)).numpy()
    return result


@pytest.fixture
def weights(tmp_path: Path) -> tuple[str, dict[str, torch.Tensor]]:
    """A file of weights, and what is in it."""
    path = str(tmp_path / "w.pt")
    torch.save(filled(), path)
    return path, filled()


X = np.linspace(-1, 1, 2 * 192, dtype=np.float32).reshape(2, 3, 8, 8)


@pytest.mark.parametrize("functions", [False, True])
@pytest.mark.parametrize("opset", [17, 20, 22, 26])
def test_folded(weights: tuple[str, dict[str, torch.Tensor]], opset: int, functions: bool) -> None:
    """Folding changes no number, takes away each BN behind a convolution that nothing else reads, and no other."""
    path, state = weights
    data = archdsl.to_onnx(text=NORMED, weights=path, opset=opset, fold_bn=True, functions=functions)
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    bodies = [model.graph.node, *(f.node for f in model.functions)]
    assert sum(node.op_type == "BatchNormalization" for nodes in bodies for node in nodes) == 1
    names = {tensor.name for tensor in model.graph.initializer}
    assert {"a.0.conv.weight", "a.0.conv.bias", "stem.bias", "up.weight"} <= names
    assert [n for n in names if "running" in n] == [n for n in names if n.startswith("bn") and "running" in n]
    np.testing.assert_allclose(run(data, X), wanted(X, state), rtol=1e-5, atol=1e-6)


def test_folding_is_in_doubles(tmp_path: Path) -> None:
    """The weights are those that doubles give, rounded once."""
    text = "input 3x4x4\nconv: CONV(5) - bn: BN"
    state = filled(text)
    path = str(tmp_path / "w.pt")
    torch.save(state, path)
    model = onnx.load_from_string(archdsl.to_onnx(text=text, weights=path, fold_bn=True))
    made = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    wide = {key: value.double() for key, value in state.items()}
    factor = wide["bn.weight"] / torch.sqrt(wide["bn.running_var"] + 1e-5)
    kernel = (wide["conv.weight"] * factor[:, None, None, None]).float().numpy()
    assert np.array_equal(made["conv.weight"], kernel)
    bias = (wide["bn.bias"] - wide["bn.running_mean"] * factor).float().numpy()
    np.testing.assert_allclose(made["conv.bias"], bias, rtol=3e-7)
    assert [node.op_type for node in model.graph.node] == ["Conv"]
    assert model.graph.node[0].name == "conv/Conv"


@pytest.mark.parametrize("bias", ["true", "false"])
def test_folding_into_a_fully_connected_layer(tmp_path: Path, bias: str) -> None:
    """A BN behind an FC goes into it; one behind a LINEAR stays."""
    text = f"input 3x4x4\nFC(6, bias={bias}) - BN - RELU - LINEAR(5) - BN"
    state = filled(text)
    torch.save(state, tmp_path / "w.pt")
    data = archdsl.to_onnx(text=text, weights=tmp_path / "w.pt", fold_bn=True)
    operators = [node.op_type for node in onnx.load_from_string(data).graph.node]
    assert operators[:3] == ["Flatten", "Gemm", "Relu"] and operators.count("BatchNormalization") == 1
    x = X[:, :, :4, :4]
    np.testing.assert_allclose(run(data, x), wanted(x, state, text), rtol=1e-5, atol=1e-6)


def test_shared_weights_are_not_folded(tmp_path: Path) -> None:
    """A convolution applied twice, once before a BN, keeps its weights."""
    text = "input 3x4x4\nconv: CONV(3, bias=false) - bn: BN\nshare conv"
    state = filled(text)
    torch.save(state, tmp_path / "w.pt")
    data = archdsl.to_onnx(text=text, weights=tmp_path / "w.pt", fold_bn=True)
    x = X[:, :, :4, :4]
    np.testing.assert_allclose(run(data, x), wanted(x, state, text), rtol=1e-5)
    assert b"BatchNormalization" in data


def test_functions() -> None:
    """Equal blocks are one function; a call has the block's path; numbers and weights' names are the same."""
    plain, made = (onnx.load_from_string(archdsl.to_onnx(text=NORMED, functions=f)) for f in (False, True))
    assert [f.name for f in made.functions] == ["Unit", "Unit_2"] and not plain.functions
    calls = [node for node in made.graph.node if node.domain == "archdsl"]
    assert [(node.op_type, node.name) for node in calls] == [("Unit", "a.0"), ("Unit", "a.1"), ("Unit_2", "a.2")]
    assert {o.domain: o.version for o in made.opset_import} == {"": 20, "archdsl": 1}
    names = [{t.name for t in m.graph.initializer if "constant" not in t.name} for m in (plain, made)]
    assert names[0] == names[1]
    assert np.array_equal(*(run(m.SerializeToString(), X) for m in (plain, made)))


def test_logits(weights: tuple[str, dict[str, torch.Tensor]]) -> None:
    """The scores before the SOFTMAX, under the output's name; where there is none, an error."""
    path, state = weights
    data = archdsl.to_onnx(text=NORMED, weights=path, logits=True)
    np.testing.assert_allclose(run(data, X), wanted(X, state, logits=True), rtol=1e-5, atol=1e-6)
    assert b"Softmax" not in data
    for text in ("input 3\nFC(2)", "input 3\nFC(2) - SOFTMAX - RELU"):
        with pytest.raises(ArchError, match=r"E609.*none ends this network"):
            archdsl.to_onnx(text=text, logits=True)
    two = "input 3\nlogits: FC(4) - probs: SOFTMAX\noutput probs, logits"
    with pytest.raises(ArchError, match=r"E609.*for a network of one output, and this one has probs, logits"):
        archdsl.to_onnx(text=two, logits=True)


def test_batch() -> None:
    """A fixed batch stands in inputs and outputs; a PARAM alone has one of 1."""
    model = onnx.load_from_string(archdsl.to_onnx(text="input 3\nt: PARAM(2)\nx: @input\noutput t, x", batch=7))
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {"input": [7, 3], "t": [1, 2], "x": [7, 3]}
    with pytest.raises(ValueError, match="batch"):
        archdsl.to_onnx(text="input 3\nRELU", batch=0)


@pytest.mark.parametrize(("half", "type"), [("float16", torch.float16), ("bfloat16", torch.bfloat16)])
@pytest.mark.parametrize("fold_bn", [False, True])
def test_half(weights: tuple[str, dict[str, torch.Tensor]], half: str, type: torch.dtype, fold_bn: bool) -> None:
    """Matrices and kernels are stored as torch rounds them, vectors as they are; numbers are those of such weights."""
    path, state = weights
    data = archdsl.to_onnx(text=NORMED, weights=path, half=half, fold_bn=fold_bn)
    onnx.checker.check_model(data, full_check=True)
    model = onnx.load_from_string(data)
    kinds = {t.name: t.data_type for t in model.graph.initializer}
    assert kinds["stem.weight"] == {"float16": 10, "bfloat16": 16}[half] and kinds["stem.bias"] == 1
    if not fold_bn:
        rounded = {k: v.to(type).float() if v.ndim > 1 else v for k, v in state.items()}
        held = {t.name: t.raw_data for t in model.graph.initializer}
        assert held["stem.weight"] == state["stem.weight"].to(type).view(torch.int16).numpy().tobytes()
        np.testing.assert_allclose(run(data, X), wanted(X, rounded), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run(data, X), wanted(X, state), rtol=0.1, atol=0.02)
    with pytest.raises(ValueError, match="half"):
        archdsl.to_onnx(text=NORMED, half="float8")


def test_halves_of_all_numbers(tmp_path: Path) -> None:
    """Ties, numbers below normal, infinities and none at all, as torch rounds them; too large for float16 is E608."""
    bits = torch.randint(-(2**31), 2**31 - 1, (300_000,), generator=torch.Generator().manual_seed(0)).int()
    special = [0x3F808000, 0x3F818000, 0x7F7FFFFF, 0x7F800000, -0x800000, 0x7F800001, 0x7FFFFFFF, 1, 0]
    bits[: len(special)] = torch.tensor(special, dtype=torch.int32)
    every = bits.view(torch.float32).reshape(300, 1000)
    text = "input 1000\nlinear: LINEAR(300, bias=false)"
    path = tmp_path / "w.pt"
    for half, type in (("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        values = every if half == "bfloat16" else every.where(every.abs() < 65519, 0.0)
        torch.save({"linear.weight": values}, path)
        [tensor] = [
            t for t in onnx.load_from_string(archdsl.to_onnx(text=text, weights=path, half=half)).graph.initializer
            if t.name == "linear.weight"
        ]  # fmt: skip
        got = torch.frombuffer(bytearray(tensor.raw_data), dtype=type).reshape(values.shape)
        expected = values.to(type)
        assert torch.equal(got.isnan(), expected.isnan()) and torch.equal(got.nan_to_num(7), expected.nan_to_num(7))
    torch.save({"linear.weight": torch.full((300, 1000), 65520.0)}, path)
    with pytest.raises(ArchError, match="E608"):
        archdsl.to_onnx(text=text, weights=path, half="float16")


# ---- weights in a file of their own


def pair(folder: Path) -> list[str]:
    """The files beside `net.onnx`, itself left out."""
    return sorted(name for name in os.listdir(folder) if name.startswith("net.onnx."))


def test_external_data(tmp_path: Path, weights: tuple[str, dict[str, torch.Tensor]]) -> None:
    """Two files with the same numbers, which onnx checks and onnxruntime runs; equal whenever they are made again."""
    path, state = weights
    target = tmp_path / "net.onnx"
    made = []
    for folder in ("a", "b"):
        os.mkdir(tmp_path / folder)
        target = tmp_path / folder / "net.onnx"
        archdsl.to_onnx(None, target, text=NORMED, weights=path, external_data=True)
        [name] = pair(target.parent)
        made.append((target.read_bytes(), name, (target.parent / name).read_bytes()))
    assert made[0] == made[1]
    onnx.checker.check_model(str(target), full_check=True)
    np.testing.assert_allclose(run(str(target), X), wanted(X, state), rtol=1e-5, atol=1e-6)
    outside = [t for t in onnx.load(str(target), load_external_data=False).graph.initializer if t.data_location == 1]
    assert outside and all({e.key: e.value for e in t.external_data}["location"] == name for t in outside)
    assert all(int(e.value) % external.WORDS == 0 for t in outside for e in t.external_data if e.key == "offset")


def test_large_tensors_start_at_pages(tmp_path: Path) -> None:
    """So that they can be mapped."""
    archdsl.to_onnx(None, tmp_path / "net.onnx", text="input 700\nLINEAR(700) - LINEAR(700)", external_data=True)
    model = onnx.load(str(tmp_path / "net.onnx"), load_external_data=False)
    places = {t.name: int(e.value) for t in model.graph.initializer for e in t.external_data if e.key == "offset"}
    assert {name for name, place in places.items() if place % external.PAGES == 0} >= {"0.weight", "1.weight"}
    assert len(places) == 4


def test_replacing_removes_the_old_weights(tmp_path: Path) -> None:
    """Other weights are another file, and the old one goes; so it does where the new model needs none."""
    target = tmp_path / "net.onnx"
    (tmp_path / "net.onnx.mine.data").write_text("somebody's")
    text = "input 64\nFC(64)"
    for seed in (0, 1):
        archdsl.to_onnx(None, target, text=text, seed=seed, external_data=True)
        assert len(pair(tmp_path)) == 2
        assert run(str(target), np.ones((1, 64), np.float32)).shape == (1, 64)
    archdsl.to_onnx(None, target, text=text)
    assert pair(tmp_path) == ["net.onnx.mine.data"]


def test_other_widths_have_another_name(tmp_path: Path) -> None:
    """The name tells contents apart, though it is settled before they are made."""
    names = set()
    for width in (32, 64):
        archdsl.to_onnx(None, tmp_path / "net.onnx", text=f"input 64\nFC({width}) - FC(16)", external_data=True)
        names.update(pair(tmp_path))
    assert len(names) == 2


def test_links_are_refused(tmp_path: Path) -> None:
    """A link where the weights would go, and a link as the output; nothing is written then."""
    target = tmp_path / "net.onnx"
    text = "input 64\nFC(64)"
    archdsl.to_onnx(None, target, text=text, external_data=True)
    [name] = pair(tmp_path)
    before = target.read_bytes()
    os.unlink(tmp_path / name)
    (tmp_path / "victim").write_text("whole")
    os.symlink(tmp_path / "victim", tmp_path / name)
    with pytest.raises(Refused, match="in the way"):
        archdsl.to_onnx(None, target, text=text, external_data=True)
    os.symlink(target, tmp_path / "link.onnx")
    with pytest.raises(Refused, match="is a link"):
        archdsl.to_onnx(None, tmp_path / "link.onnx", text=text, external_data=True)
    assert (tmp_path / "victim").read_text() == "whole" and target.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == sorted(["link.onnx", "net.onnx", name, "victim"])


@pytest.mark.parametrize("name", ["a b\\c.onnx", "ünïcode.onnx", "x" * 240 + ".onnx", "-.onnx"])
def test_names_beside_are_safe(tmp_path: Path, name: str) -> None:
    """Whatever the file is called, the weights' name is plain, and onnxruntime finds them."""
    archdsl.to_onnx(None, tmp_path / name, text="input 64\nFC(64)", external_data=True)
    [other] = set(os.listdir(tmp_path)) - {name}
    assert all(c.isascii() and (c.isalnum() or c in "._-") for c in other)
    assert run(str(tmp_path / name), np.ones((1, 64), np.float32)).shape == (1, 64)


KILLED = """
import os, sys, archdsl
from archdsl import files
calls = 0
def counted(function):
    def inner(*arguments):
        global calls
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), 9)
        return function(*arguments)
    return inner
for name in ("replace", "fsync", "unlink"):
    setattr(files.os, name, counted(getattr(os, name)))
archdsl.to_onnx(None, sys.argv[1], text="input 64\\nFC(64)", seed=1, external_data=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_a_kill_leaves_the_old_pair_or_the_new_one(tmp_path: Path) -> None:
    """Killed before each call that changes the folder: the model that is there always runs, as one of the two."""
    x = np.ones((1, 64), np.float32)
    text = "input 64\nFC(64)"
    old, new = (run(archdsl.to_onnx(text=text, seed=seed), x) for seed in (0, 1))
    target = tmp_path / "net.onnx"
    ends = []
    for step in range(1, 7):
        archdsl.to_onnx(None, target, text=text, seed=0, external_data=True)
        env = {**os.environ, "PYTHONPATH": os.getcwd()}
        done = subprocess.run([sys.executable, "-c", KILLED, str(target), str(step)], env=env)
        result = run(str(target), x)
        assert np.array_equal(result, old) or np.array_equal(result, new)
        ends.append((done.returncode, np.array_equal(result, new)))
    assert ends[0] == (-9, False) and (-9, True) in ends and ends[-1] == (0, True)


KILLED_WHILE_WRITING = """
import os, sys, archdsl
from archdsl.backends.onnx import weights
made, calls = weights.initial, 0
def initial(*arguments):
    global calls
    for part in made(*arguments):
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), 9)
        yield part
weights.initial = initial
archdsl.to_onnx(None, sys.argv[1], text="input 64\\nFC(512) - FC(64)", seed=1, external_data=bool(int(sys.argv[3])))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
@pytest.mark.parametrize("step", [1, 4])
@pytest.mark.parametrize("external", [False, True])
def test_a_kill_while_weights_are_written_leaves_the_old_file(tmp_path: Path, step: int, external: bool) -> None:
    """What is half written has another name; the old model and its weights are as they were."""
    target = tmp_path / "net.onnx"
    archdsl.to_onnx(None, target, text="input 64\nFC(512) - FC(64)", external_data=external)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    arguments = [str(target), str(step), str(int(external))]
    assert subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, *arguments], env=env).returncode == -9
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name: after.pop(name) for name in before} == before
    assert after and all(name.endswith(".tmp") for name in after)


def test_a_stream_has_no_place_beside_it() -> None:
    """Bytes and streams hold all their weights."""
    with pytest.raises(ArchError, match="E603"):
        archdsl.to_onnx(text="input 64\nFC(64)", external_data=True)


def test_too_large_goes_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the format's limit weights lie beside the file without being asked."""
    monkeypatch.setattr(import_module("archdsl.backends.onnx.emit"), "LARGEST", 10_000)
    archdsl.to_onnx(None, tmp_path / "net.onnx", text="input 64\nFC(64)")
    assert len(pair(tmp_path)) == 1
    assert run(str(tmp_path / "net.onnx"), np.ones((1, 64), np.float32)).shape == (1, 64)


def test_an_unnamed_companion_is_thrown_away(tmp_path: Path) -> None:
    """One that was opened and never got its name leaves nothing."""
    with Outputs() as outputs:
        outputs.open(str(tmp_path / "net.onnx")).write(b"model")
        outputs.beside(str(tmp_path / "net.onnx")).open().write(b"weights")
    assert os.listdir(tmp_path) == ["net.onnx"]


# ---- parity


@pytest.mark.parametrize("start", range(0, 300, 30))
def test_random_layers(start: int) -> None:
    """Single layers at three opsets and two batches, options turn by turn."""
    assert sum(hold_opsets(single(seed), seed) for seed in range(start, start + 30)) >= 60


@pytest.mark.parametrize("opset", range(17, 27))
def test_every_opset(opset: int) -> None:
    """Single layers at each opset."""
    assert sum(hold_opsets(single(seed), seed, (opset,)) for seed in range(opset * 20, opset * 20 + 20)) >= 15


@pytest.mark.parametrize("seed", range(1000, 1040))
def test_random_networks(seed: int) -> None:
    """Networks at three opsets, blocks as functions and BN folded."""
    try:
        hold_opsets(network(seed), seed, options={"functions": True, "fold_bn": True})
    except Untestable as error:
        pytest.skip(str(error))


def test_parity_sees_a_mistake() -> None:
    """The test of the test: other weights give other numbers."""
    spec = single(3)
    reference = Network(spec)
    with torch.no_grad():
        first = reference.run(inputs(spec, 1))
        random_state(reference, 1)
        assert not torch.equal(first[0], reference.run(inputs(spec, 2))[0])


def test_a_shared_block_has_no_weights_of_its_own() -> None:
    """The bias that a BN behind a CONV takes away is away at the second place too."""
    text = "input 4x8\nu: [CONV(4) - BN - RELU]\nshare u"
    model = onnx.load_from_string(archdsl.to_onnx(text=text))
    names = {t.name for t in model.graph.initializer}
    assert names == {"u.0.weight", "u.1.weight", "u.1.bias", "u.1.running_mean", "u.1.running_var"}


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize(
    "steps", ["PAD(1) - POOL(2)", "PAD(1) - PAD(1) - POOL(2)", "PAD(2) - AVGPOOL(2)", "PAD(2) - POOL(1, 2)"]
)
def test_padding_before_pooling(steps: str, opset: int) -> None:
    """onnxruntime would merge the two: wrong for negative maps, and refused where the padding is wide."""
    text = f"input 3x4x6\n{steps}"
    x = -np.abs(X[:, :, :4, :6]) - 1
    np.testing.assert_allclose(run(archdsl.to_onnx(text=text, opset=opset), x), wanted(x, {}, text), rtol=1e-6)


class Nowhere(io.RawIOBase):
    """A stream that keeps nothing."""

    def write(self, data: Any) -> int:
        return len(data)


@pytest.mark.parametrize("options", [{}, {"fold_bn": True}, {"half": "float16"}, {"half": "bfloat16"}])
@pytest.mark.parametrize("file", [False, True])
def test_memory_is_flat(tmp_path: Path, file: bool, options: dict[str, Any]) -> None:
    """Tensors stream: one of 32 MiB takes less, drawn or read, folded or stored in halves."""
    text = "input 1024x2x2\nconv: CONV(8192, 1, bias=false) - bn: BN"
    weights: Path | None = None
    if file:
        weights = tmp_path / "w.pt"
        vectors = {f"bn.{name}": torch.ones(8192) for name in ("weight", "bias", "running_mean", "running_var")}
        torch.save({"conv.weight": torch.ones(8192, 1024, 1, 1), **vectors}, weights)
    archdsl.to_onnx(None, Nowhere(), text="input 2x2x2\nCONV(2)")  # type: ignore[call-overload]  # a stream that only writes
    tracemalloc.start()
    try:
        archdsl.to_onnx(None, Nowhere(), text=text, weights=weights, **options)  # type: ignore[call-overload]
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()
