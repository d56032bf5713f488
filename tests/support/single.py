"""One layer by itself, run by torch and by onnxruntime, to hold its rules against both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper
from torch import nn

from archdsl.backends.pytorch.render import render
from archdsl.layers.base import Layer
from archdsl.tensor import TensorType


class TorchLayer(nn.Module):
    """The layer's torch rule, rendered and evaluated."""

    def __init__(self, layer: Layer, *x: TensorType) -> None:
        super().__init__()
        code = layer.torch(*x)
        scope: dict[str, Any] = {"torch": torch, "nn": nn, "F": F}
        if code.helper:
            exec(code.helper, scope)  # the project's own source, executed as the emitted module would
        if code.register is not None:
            child = eval(render(code.register), scope)
            if code.kind == "buffer":
                self.register_buffer("child", child, persistent=layer.buffers(*x)[""].persistent)
            else:
                self.child = child
        names = [f"x{i}" for i in range(len(x))]
        self.call = eval(f"lambda self, {', '.join(names)}: {render(code.forward, names, 'self.child')}", scope)

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.call(self, *x)
        return result


class OracleRecorder:
    """A Recorder that builds onnx's own classes."""

    def __init__(self, opset: int = 20) -> None:
        self.opset = opset
        self.made: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def nodes(self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        names = [self.name() for _ in range(outputs)]
        given = {k: v for k, v in attributes.items() if v is not None}
        self.made.append(helper.make_node(operator, list(inputs), names, **given))
        return names

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        return self.nodes(operator, inputs, 1, **attributes)[0]

    def constant(self, values: Any, dtype: str = "float") -> str:
        array = np.array(values, dtype={"float": np.float32, "int": np.int64, "bool": np.bool_}[dtype])
        name = self.name()
        self.initializers.append(numpy_helper.from_array(array, name))
        return name


def tensors(x: Sequence[TensorType], batch: int, seed: int = 0, high: int = 4) -> list[torch.Tensor]:
    """Random inputs of these types; whole numbers are below `high`. An input without a batch has a batch of 1."""
    made = torch.Generator().manual_seed(seed)
    result = []
    for t in x:
        shape = (batch if t.batched else 1, *t.shape)
        if t.dtype == "float":
            result.append(torch.randn(shape, generator=made))
        else:
            result.append(torch.randint(0, high, shape, generator=made))
    return result


def value_info(name: str, t: TensorType) -> onnx.ValueInfoProto:
    """A graph's input or output of this type, with a dynamic batch."""
    kinds = {"float": onnx.TensorProto.FLOAT, "int": onnx.TensorProto.INT64, "bool": onnx.TensorProto.BOOL}
    return helper.make_tensor_value_info(name, kinds[t.dtype], ["N" if t.batched else 1, *t.shape])


def run_onnx(
    layer: Layer, module: nn.Module, values: Sequence[torch.Tensor], *x: TensorType, opset: int = 20
) -> np.ndarray:
    """What onnxruntime gives for the layer with the module's weights; the file's batch is dynamic."""
    r = OracleRecorder(opset)
    state = {k: v.detach() for k, v in (*module.named_parameters(), *module.named_buffers())}
    w = {}
    for key in (*layer.weights(*x), *layer.buffers(*x)):
        tensor = state[".".join(filter(None, ("child", key)))]
        name = f"w.{key}"
        r.initializers.append(numpy_helper.from_array(tensor.numpy(), name))
        w[key] = name
    names = [f"x{i}" for i in range(len(x))]
    output = layer.onnx(r, names, w, *x)
    if output in names:  # a layer that does nothing: a graph's output is a tensor of its own
        output = r.node("Identity", [output])
    y = layer.shape(*x)
    graph = helper.make_graph(
        r.made,
        "layer",
        [value_info(name, t) for name, t in zip(names, x)],
        [value_info(output, y)],
        r.initializers,
    )
    ir = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}.get(opset, 10)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {n: v.numpy() for n, v in zip(names, values)})[0]
    return result


def hold(layer: Layer, *x: TensorType, opset: int = 20, rtol: float = 1e-5, high: int = 4) -> None:
    """Hold a layer's shape, weights, buffers and ONNX against torch, in eval mode, at batch 1 and 3."""
    module = TorchLayer(layer, *x).eval()
    y = layer.shape(*x)
    own = {".".join(filter(None, ("child", k))): tuple(v.shape) for k, v in layer.weights(*x).items()}
    assert own == {k: tuple(v.shape) for k, v in module.named_parameters()}
    held = {".".join(filter(None, ("child", k))): tuple(v.shape) for k, v in layer.buffers(*x).items()}
    assert held == {k: tuple(v.shape) for k, v in module.named_buffers()}
    for parameter in module.parameters():  # ones and zeros would hide a mistake
        if parameter.ndim <= 1 or float(parameter.detach().std()) == 0:
            nn.init.normal_(parameter, 0.5, 0.5)
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    for batch in (1, 3):
        values = tensors(x, batch, high=high)
        with torch.no_grad():
            expected = module(*values).detach()
        rows = batch if any(t.batched for t in x) else 1
        assert tuple(expected.shape) == (rows, *y.shape), (tuple(expected.shape), y.shape)
        got = run_onnx(layer, module, values, *x, opset=opset)
        scale = max(1e-30, float(expected.abs().max())) if expected.dtype.is_floating_point else 1.0
        assert got.shape == tuple(expected.shape)
        error = float(np.abs(got.astype(np.float64) - expected.numpy().astype(np.float64)).max(initial=0)) / scale
        assert error <= rtol, error
