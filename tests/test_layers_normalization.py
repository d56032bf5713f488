"""BN, LN, GN, INSTANCENORM and LRN against torch and onnxruntime."""

from typing import Any

import pytest
import torch
from torchvision.models.convnext import LayerNorm2d  # type: ignore[import-untyped]  # has no types

from archdsl.layers import layer_class
from archdsl.layers.base import LayerError
from archdsl.layers.layernorm import LayerNorm
from archdsl.tensor import TensorType
from tests.support.single import TorchLayer, hold

CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("BN", {}, (4,)),
    ("BN", {}, (4, 5)),
    ("BN", {}, (4, 5, 6)),
    ("BN", {"affine": False, "eps": 1e-3}, (4, 5, 6, 3)),
    ("BN", {"track": False}, (4, 5, 6)),
    ("BN", {"track": False, "affine": False}, (4, 5)),
    ("LN", {}, (7,)),
    ("LN", {}, (5, 7)),
    ("LN", {"eps": 1e-6, "bias": False}, (5, 7)),
    ("LN", {"affine": False}, (5, 6, 7)),
    ("LN", {"axis": (0,)}, (7,)),
    ("LN", {"axis": (0,)}, (4, 5)),
    ("LN", {"axis": (0,)}, (4, 5, 6)),
    ("LN", {"axis": (-3,), "affine": False}, (4, 5, 6)),
    ("LN", {"axis": (0,), "bias": False}, (4, 5, 3, 2)),
    ("LN", {"axis": (0, 1, 2)}, (4, 5, 6)),
    ("LN", {"axis": (-2, -1), "affine": False}, (4, 5, 6)),
    ("GN", {"groups": 2}, (4,)),
    ("GN", {}, (64, 5)),
    ("GN", {"groups": 4, "affine": False}, (4, 5, 2)),
    ("GN", {"groups": 1, "eps": 1e-3}, (4, 5, 2, 3)),
    ("INSTANCENORM", {}, (4, 5)),
    ("INSTANCENORM", {"affine": True}, (4, 5, 6)),
    ("INSTANCENORM", {"track": True}, (4, 5, 6)),
    ("INSTANCENORM", {"track": True, "affine": True}, (4, 5, 6, 2)),
    ("LRN", {}, (7, 5, 6)),
    ("LRN", {"size": 4, "alpha": 0.5}, (7, 5, 6)),
    ("LRN", {"size": 3, "alpha": 0.7, "k": 2}, (7, 5)),
    ("LRN", {"alpha": 0.7, "k": 2, "beta": 0.5}, (7, 5, 2, 3)),
    ("LRN", {"size": 9, "alpha": 0.7}, (3, 5, 2)),
    ("LRN", {"size": 1, "alpha": 0.7}, (3, 5, 2)),
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_parity(name: str, arguments: dict[str, Any], shape: tuple[int, ...], opset: int) -> None:
    """Weights, buffers and numbers equal torch's."""
    hold(layer_class(name)(**arguments), TensorType(shape), opset=opset)


def test_channel_norm_is_torchvision_s() -> None:
    """LN(axis=0) gives the bits of torchvision's LayerNorm2d."""
    own, theirs = TorchLayer(LayerNorm(axis=(0,), eps=1e-6), TensorType((8, 5, 6))), LayerNorm2d(8, eps=1e-6)
    for module in (own, theirs):
        torch.manual_seed(0)
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter)
    x = torch.randn(3, 8, 5, 6)
    assert torch.equal(own(x), theirs(x))
    assert list(theirs.state_dict()) == ["weight", "bias"] == [k.removeprefix("child.") for k in own.state_dict()]


@pytest.mark.parametrize(
    "name, arguments, x, code",
    [
        ("BN", {"eps": -1.0}, TensorType((4, 5, 5)), "E210"),
        ("BN", {}, TensorType((4, 5, 5, 5, 5)), "E206"),
        ("BN", {}, TensorType((4, 5, 5), "int"), "E207"),
        ("LN", {"axis": (3,)}, TensorType((4, 5, 5)), "E209"),
        ("LN", {"axis": (1,)}, TensorType((4, 5, 5)), "E209"),
        ("LN", {"axis": ()}, TensorType((4, 5, 5)), "E209"),
        ("LN", {}, TensorType(()), "E209"),
        ("GN", {}, TensorType((48, 5)), "E205"),
        ("GN", {"groups": 8}, TensorType((8, 1, 1)), "E209"),
        ("INSTANCENORM", {}, TensorType((8, 1, 1)), "E209"),
        ("INSTANCENORM", {}, TensorType((8,)), "E206"),
        ("LRN", {}, TensorType((8,)), "E206"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], x: TensorType, code: str) -> None:
    """What a layer cannot take has a code."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(x)
    assert caught.value.code == code
