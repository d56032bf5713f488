"""Functions of one number and reductions against torch and onnxruntime."""

from typing import Any

import pytest
import torch

from archdsl.layers import layer_class
from archdsl.layers.base import EVERYTHING, LayerError
from archdsl.tensor import TensorType
from tests.support.single import TorchLayer, hold, tensors

CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("EXP", {}, (3, 4)),
    ("ABS", {}, (3, 4)),
    ("NEG", {}, (3, 4)),
    ("CLAMP", {"min": -0.5, "max": 1}, (3, 4)),
    ("CLAMP", {"min": 0}, (3, 4)),
    ("CLAMP", {"max": 0.2}, (3, 4)),
    *(
        (name, {"axis": axis, "keep": keep}, (3, 4, 5))
        for name in ("MEAN", "SUM", "NORM")
        for axis, keep in (((1, 2), False), ((1, 2), True), ((0,), False), ((-1,), True), ((0, 1, 2), False))
    ),
    ("NORM", {"axis": (1,), "p": 1}, (3, 4)),
    ("NORM", {"axis": (0,), "p": 3, "keep": True}, (3, 4)),
    ("NORMALIZE", {}, (3, 4, 5)),
    ("NORMALIZE", {}, (4, 5)),
    ("NORMALIZE", {"axis": 0, "p": 1, "eps": 3}, (4, 5)),
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_parity(name: str, arguments: dict[str, Any], shape: tuple[int, ...], opset: int) -> None:
    """Shapes and numbers equal torch's."""
    hold(layer_class(name)(**arguments), TensorType(shape), opset=opset)


@pytest.mark.parametrize("name", ["LOG", "SQRT"])
def test_functions_of_what_is_above_zero(name: str) -> None:
    """They are torch's, by the names of ONNX's."""
    x = TensorType((3, 4))
    value = tensors([x], 2)[0].abs()
    assert torch.equal(TorchLayer(layer_class(name)(), x)(value), getattr(torch, name.lower())(value))
    assert layer_class(name).node == name.capitalize()


def test_windows() -> None:
    """A reduction over positions sees everything, one over channels its own place."""
    assert layer_class("MEAN")(axis=(1, 2)).window(TensorType((3, 4, 5))) == EVERYTHING
    assert layer_class("MEAN")(axis=(0,)).window(TensorType((3, 4, 5))) is None
    assert layer_class("MEAN")(axis=(-1,)).window(TensorType((7, 5))) is None


@pytest.mark.parametrize(
    "name, arguments, words",
    [
        ("MEAN", {}, "needs the axes"),
        ("SUM", {"axis": (2,)}, "no axis 2"),
        ("SUM", {"axis": (1, -1)}, "axis 1 of 3x4 twice"),
        ("NORM", {"axis": (0,), "p": 0}, "order 0"),
        ("CLAMP", {}, "min, max, or both"),
        ("CLAMP", {"min": 2, "max": 1}, "min (=2) lies above max (=1)"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], words: str) -> None:
    """Errors carry their numbers."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(TensorType((3, 4)))
    assert words in caught.value.message
