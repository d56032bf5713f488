"""FC, LINEAR and FLATTEN against torch and onnxruntime."""

import pytest

from archdsl.layers import layer_class
from archdsl.layers.base import LayerError
from archdsl.tensor import TensorType
from tests.support.single import TorchLayer, hold

CASES = [
    ("FC", {"width": 5}, (12,)),
    ("FC", {"width": 5}, (3, 4, 2)),
    ("FC", {"width": 5, "bias": False}, (3, 4)),
    ("FC", {"width": 5}, ()),
    ("LINEAR", {"width": 5}, (12,)),
    ("LINEAR", {"width": 5}, (7, 12)),
    ("LINEAR", {"width": 5, "bias": False}, (2, 7, 12)),
    ("FLATTEN", {}, (3, 4, 2)),
    ("FLATTEN", {}, (3,)),
    ("FLATTEN", {"start": 1}, (3, 4, 2)),
    ("FLATTEN", {"end": -2}, (3, 4, 2)),
    ("FLATTEN", {"start": 1, "end": 2}, (2, 3, 4, 2)),
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("shape", [(4,), (7, 4)])
def test_weights_as_arms(shape: tuple[int, ...], opset: int) -> None:
    """LINEAR over a weight and a bias that come from elsewhere learns nothing and computes the same."""
    weight, bias = TensorType((5, 4), batched=False), TensorType((5,), batched=False)
    hold(layer_class("LINEAR")(width=5), TensorType(shape), weight, bias, opset=opset)
    hold(layer_class("LINEAR")(width=5), TensorType(shape), weight, opset=opset)
    with pytest.raises(LayerError, match="the weight of LINEAR is 5x4 here, and 4x5 arrives"):
        layer_class("LINEAR")(width=5).shape(TensorType(shape), TensorType((4, 5), batched=False))


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_parity(name: str, arguments: dict[str, object], shape: tuple[int, ...], opset: int) -> None:
    """Shapes, weights and numbers equal torch's."""
    hold(layer_class(name)(**arguments), TensorType(shape), opset=opset)


def test_macs() -> None:
    """The products of a dense layer are inputs times outputs, at each position."""
    assert layer_class("FC")(width=10).macs(TensorType((512, 7, 7))) == 512 * 7 * 7 * 10
    assert layer_class("LINEAR")(width=10).macs(TensorType((7, 512))) == 7 * 512 * 10


def test_keys() -> None:
    """The tensors have nn.Linear's names, and nn.Linear's bound."""
    x = TensorType((3, 4))
    layer = layer_class("FC")(width=5)
    assert list(TorchLayer(layer, x).child.state_dict()) == list(layer.weights(x)) == ["weight", "bias"]
    assert layer.weights(x)["weight"].init.b == pytest.approx(12**-0.5)


@pytest.mark.parametrize(
    "name, arguments, x, code, words",
    [
        ("FC", {"width": 5}, TensorType((4,), "int"), "E207", "4 of int"),
        ("LINEAR", {"width": 5}, TensorType(()), "E209", "no axes"),
        ("FLATTEN", {"start": 3}, TensorType((3, 4)), "E209", "axis 3"),
        ("FLATTEN", {"start": 1, "end": 0}, TensorType((3, 4)), "E210", "axis 1 of 3x4"),
    ],
)
def test_errors(name: str, arguments: dict[str, object], x: TensorType, code: str, words: str) -> None:
    """Errors carry their numbers."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(x)
    assert caught.value.code == code
    assert words in caught.value.message
