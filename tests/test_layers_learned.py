"""PARAM and CONST against torch and onnxruntime."""

from typing import Any

import pytest
import torch

from archdsl.layers import layer_class
from archdsl.layers.base import LayerError
from archdsl.layers.initialization import CONSTANTS, Start, uniform, xavier_normal
from tests.support.single import TorchLayer, hold

CASES: list[tuple[str, dict[str, Any]]] = [
    ("PARAM", {"sizes": (1, 8)}),
    ("PARAM", {"sizes": (4,), "init": CONSTANTS["zeros"]}),
    ("PARAM", {"sizes": (), "init": CONSTANTS["ones"]}),
    ("PARAM", {"sizes": (3, 2), "init": uniform()}),
    ("PARAM", {"sizes": (3, 1, 1), "init": Start("constant", 1e-6)}),
    ("CONST", {"values": [[0, 1], [2, 3]]}),
    ("CONST", {"values": [[0, 1.5], [2, 3]], "persistent": True}),
    ("CONST", {"values": 3}),
    ("CONST", {"values": [1, 2], "dtype": "float"}),
    ("CONST", {"values": [[True], [False]]}),
    ("PARAM", {"sizes": (1, 8), "batch": True}),
    ("PARAM", {"sizes": (3, 2), "init": Start("constant", 0.5), "batch": True}),
    ("CONST", {"values": [[0, 1], [2, 3]], "persistent": True, "batch": True}),
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments", CASES)
def test_parity(name: str, arguments: dict[str, Any], opset: int) -> None:
    """Shapes, tensors and numbers equal torch's."""
    hold(layer_class(name)(**arguments), opset=opset)


def test_initialisation() -> None:
    """A parameter starts as its rule says, and as torch's generator would have it."""
    torch.manual_seed(0)
    normal = TorchLayer(layer_class("PARAM")(sizes=(200, 100))).child
    torch.manual_seed(0)
    assert torch.equal(normal, torch.randn(200, 100) * 0.02)
    spread = TorchLayer(layer_class("PARAM")(sizes=(200, 100), init=uniform(0.5))).child.detach()
    assert 0.49 < float(spread.max()) <= 0.5 and -0.5 <= float(spread.min()) < -0.49
    filled = TorchLayer(layer_class("PARAM")(sizes=(3, 1, 1), init=Start("constant", 1e-6))).child
    assert torch.equal(filled, torch.full((3, 1, 1), 1e-6))


def test_const_is_no_parameter() -> None:
    """A constant is a buffer, in the state_dict where it is to be."""
    assert not TorchLayer(layer_class("CONST")(values=[1.0])).state_dict()
    assert list(TorchLayer(layer_class("CONST")(values=[1.0], persistent=True)).state_dict()) == ["child"]


@pytest.mark.parametrize(
    "name, arguments, words",
    [
        ("PARAM", {"sizes": (3,), "init": xavier_normal()}, "a tensor of 1 axes joins nothing"),
        ("CONST", {"values": [[1, 2], [3]]}, "item 0 has 2 items, item 1 1 items"),
        ("CONST", {"values": []}, "empty"),
        ("CONST", {"values": ["a"]}, "'a'"),
        ("CONST", {"values": [1.5], "dtype": "int"}, "type int"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], words: str) -> None:
    """Errors carry their numbers."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape()
    assert caught.value.code == "E210"
    assert words in caught.value.message
