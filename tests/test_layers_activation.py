"""Activations, DROPOUT and DROPPATH against torch and onnxruntime."""

from typing import Any

import pytest
import torch
from torchvision.ops import stochastic_depth

from archdsl.layers import layer_class
from archdsl.layers.base import WHOLE, LayerError
from archdsl.tensor import TensorType
from tests.support.single import TorchLayer, hold, tensors

CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("RELU", {}, (3, 4)),
    ("RELU6", {}, (3, 4)),
    ("LRELU", {"slope": 0.1}, (3, 4)),
    ("PRELU", {}, (3, 4)),
    ("PRELU", {"count": 3}, (3, 4, 2)),
    ("PRELU", {"count": 3}, (3,)),
    ("ELU", {}, (3, 4)),
    ("ELU", {"alpha": 0.5}, (3, 4)),
    ("SELU", {}, (3, 4)),
    ("GELU", {}, (3, 4)),
    ("GELU", {"approximate": "tanh"}, (3, 4)),
    ("SILU", {}, (3, 4)),
    ("MISH", {}, (3, 4)),
    ("SIGMOID", {}, (3, 4)),
    ("TANH", {}, (3, 4)),
    ("HSWISH", {}, (3, 4)),
    ("HSIGMOID", {}, (3, 4)),
    ("SOFTPLUS", {}, (3, 4)),
    ("SOFTPLUS", {"beta": 2, "threshold": 0.5}, (3, 4)),
    ("SOFTMAX", {}, (6,)),
    ("SOFTMAX", {}, (3, 6)),
    ("SOFTMAX", {}, (3, 4, 5)),
    ("SOFTMAX", {"axis": -1}, (3, 4, 5)),
    ("LOGSOFTMAX", {}, (3, 4, 5)),
    ("DROPOUT", {"rate": 0.2}, (3, 4)),
    ("DROPPATH", {"rate": 0.2}, (3, 4)),
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_parity(name: str, arguments: dict[str, Any], shape: tuple[int, ...], opset: int) -> None:
    """Shapes, weights and numbers equal torch's."""
    hold(layer_class(name)(**arguments), TensorType(shape), opset=opset)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_inplace(name: str) -> None:
    """A layer says that it works in place just where torch's module can and it is no dropout."""
    given = {"rate": 0.1} if name == "DROPPATH" else {}
    child = TorchLayer(layer_class(name)(**given), TensorType((3, 4))).child
    assert layer_class(name).inplace == (hasattr(child, "inplace") and name != "DROPOUT")


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_whole_numbers(name: str) -> None:
    """Activations are of floats."""
    given = {"rate": 0.1} if name == "DROPPATH" else {}
    with pytest.raises(LayerError, match="7 of int"):
        layer_class(name)(**given).shape(TensorType((7,), "int"))


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_droppath_is_torchvisions(rate: float) -> None:
    """In training mode, with one seed, the very numbers of torchvision's stochastic depth by rows."""
    x = TensorType((3, 4, 5))
    module = TorchLayer(layer_class("DROPPATH")(rate=rate), x).train()
    (value,) = tensors([x], 16)
    torch.manual_seed(5)
    expected = stochastic_depth(value, rate, "row", True)
    torch.manual_seed(5)
    assert torch.equal(module(value), expected)


def test_softmax_window() -> None:
    """Over the features nothing is seen but the own position, over positions all is."""
    softmax = layer_class("SOFTMAX")
    assert softmax().window(TensorType((3, 4, 5))) is None
    assert softmax(axis=1).window(TensorType((3, 4, 5))) == WHOLE
    assert softmax().window(TensorType((7, 5))) is None
    assert softmax(axis=0).window(TensorType((7, 5))) == WHOLE


def test_errors() -> None:
    """Errors carry their numbers."""
    with pytest.raises(LayerError, match="4 slopes for the 3 channels of 3x5") as caught:
        layer_class("PRELU")(count=4).shape(TensorType((3, 5)))
    assert [t.value for t in caught.value.trials] == [3, 1]
    with pytest.raises(LayerError, match="no axis 3"):
        layer_class("SOFTMAX")(axis=3).shape(TensorType((3, 5)))
