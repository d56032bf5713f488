"""EMBEDDING, RNN, LSTM and GRU against torch and onnxruntime."""

from typing import Any

import pytest

from archdsl.layers import layer_class
from archdsl.layers.base import LayerError
from archdsl.tensor import TensorType
from tests.support.single import TorchLayer, hold

CASES: list[dict[str, Any]] = [
    {"width": 4},
    {"width": 4, "layers": 2, "dropout": 0.3},
    {"width": 4, "bidirectional": True},
    {"width": 3, "layers": 2, "bidirectional": True, "bias": False},
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("states", [0, 1, 2])
@pytest.mark.parametrize("arguments", CASES)
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_parity(name: str, arguments: dict[str, Any], states: int, opset: int) -> None:
    """Shapes, weights and numbers equal torch's; a first state may lack the batch."""
    if states == 2 and name != "LSTM":
        states = 1
    rows = arguments.get("layers", 1) * (2 if arguments.get("bidirectional") else 1)
    state = [TensorType((rows, arguments["width"]), batched=states == 2) for _ in range(states)]
    hold(layer_class(name)(**arguments), TensorType((6, 5)), *state, opset=opset)


def test_relu() -> None:
    """An RNN may take another function."""
    hold(layer_class("RNN")(width=4, activation="relu", bidirectional=True), TensorType((6, 5)))


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("padding", [None, 0])
@pytest.mark.parametrize("shape, batched", [((7,), True), ((), True), ((3, 2), False)])
def test_embedding(shape: tuple[int, ...], batched: bool, padding: int | None, opset: int) -> None:
    """Whole numbers of any shape become vectors."""
    x = TensorType(shape, "int", batched)
    hold(layer_class("EMBEDDING")(count=4, width=3, padding=padding), x, opset=opset)


def test_names_and_their_order() -> None:
    """The tensors stand as in torch's state_dict."""
    x = TensorType((6, 5))
    layer = layer_class("LSTM")(width=4, layers=2, bidirectional=True)
    assert list(layer.weights(x)) == list(TorchLayer(layer, x).child.state_dict())
    assert layer.macs(x) == 6 * 2 * (16 * (5 + 4) + 16 * (8 + 4))


@pytest.mark.parametrize(
    "name, arguments, x, code, words",
    [
        ("GRU", {"width": 4}, [TensorType((3, 4, 5))], "E206", "3x4x5"),
        ("GRU", {"width": 4}, [TensorType((3, 4)), TensorType((2, 4))], "E206", "1x4, and 2x4"),
        ("GRU", {"width": 4, "dropout": 0.5}, [TensorType((3, 4))], "E210", "dropout (=0.5)"),
        ("LSTM", {"width": 4}, [TensorType((3, 4), "int")], "E207", "3x4 of int"),
        ("EMBEDDING", {"count": 4, "width": 3}, [TensorType((3, 4))], "E207", "3x4 of float"),
        ("EMBEDDING", {"count": 4, "width": 3, "padding": 4}, [TensorType((3,), "int")], "E210", "padding (=4)"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], x: list[TensorType], code: str, words: str) -> None:
    """Errors carry their numbers."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(*x)
    assert caught.value.code == code
    assert words in caught.value.message
