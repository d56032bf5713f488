"""MHA and ATTENTION against torch and onnxruntime."""

from typing import Any

import pytest
import torch
from torch import nn

from archdsl.layers import layer_class
from archdsl.layers.base import LayerError
from archdsl.tensor import TensorType
from tests.support.single import TorchLayer, hold, tensors


def f(*shape: int, batched: bool = True) -> TensorType:
    """A tensor of floats."""
    return TensorType(shape, batched=batched)


CASES: list[tuple[str, dict[str, Any], tuple[TensorType, ...]]] = [
    ("MHA", {"heads": 2}, (f(5, 8),)),
    ("MHA", {"heads": 4, "causal": True, "dropout": 0.1}, (f(5, 8),)),
    ("MHA", {"heads": 2, "bias": False}, (f(5, 8),)),
    ("MHA", {"heads": 2}, (f(5, 8), f(7, 8))),
    ("MHA", {"heads": 2}, (f(5, 8), f(7, 6), f(7, 4))),
    ("MHA", {"heads": 2, "bias": False}, (f(5, 8), f(7, 6))),
    ("MHA", {"heads": 2}, (f(5, 8, batched=False), f(7, 8))),
    ("MHA", {"heads": 2}, (f(5, 8), f(7, 8, batched=False))),
    ("ATTENTION", {}, (f(5, 8), f(7, 8), f(7, 6))),
    ("ATTENTION", {"heads": 2}, (f(5, 8), f(7, 8), f(7, 6))),
    ("ATTENTION", {"heads": 2, "causal": True}, (f(5, 8),) * 3),
    ("ATTENTION", {"scale": 0.1, "causal": True}, (f(3, 5, 8),) * 3),
    ("ATTENTION", {"heads": 2}, (f(3, 5, 8), f(3, 7, 8), f(3, 7, 8))),
    ("ATTENTION", {"heads": 2}, (f(5, 8, batched=False), f(7, 8), f(7, 8))),
    ("ATTENTION", {}, (f(5, 8), f(7, 8), f(7, 8), f(5, 7))),
    ("ATTENTION", {"heads": 2}, (f(5, 8), f(7, 8), f(7, 8), f(5, 7))),
    ("ATTENTION", {"heads": 2}, (f(5, 8), f(7, 8), f(7, 8), f(2, 5, 7))),
    ("ATTENTION", {"heads": 2}, (f(5, 8), f(7, 8), f(7, 8), f(2, 5, 7, batched=False))),
    ("ATTENTION", {"heads": 2}, (f(3, 5, 8), f(3, 7, 8), f(3, 7, 8), f(3, 1, 7))),
    ("ATTENTION", {"heads": 2}, (f(3, 5, 8), f(3, 7, 8), f(3, 7, 8), f(5, 7, batched=False))),
]


@pytest.mark.parametrize("opset", [17, 20, 23])
@pytest.mark.parametrize("name, arguments, x", CASES)
def test_parity(name: str, arguments: dict[str, Any], x: tuple[TensorType, ...], opset: int) -> None:
    """Shapes, weights and numbers equal torch's."""
    hold(layer_class(name)(**arguments), *x, opset=opset)


@pytest.mark.parametrize("training", [False, True])
def test_mha_is_torchs(training: bool) -> None:
    """The very numbers and names of nn.MultiheadAttention, called as vision transformers call it."""
    x = f(5, 8)
    layer = layer_class("MHA")(heads=2)
    torch.manual_seed(0)
    module = TorchLayer(layer, x).train(training)
    torch.manual_seed(0)
    expected = nn.MultiheadAttention(8, 2, batch_first=True).train(training)
    assert list(layer.weights(x)) == list(expected.state_dict())
    (value,) = tensors([x], 3)
    assert torch.equal(module(value), expected(value, value, value, need_weights=False)[0])
    bound = layer.weights(x)["in_proj_weight"].init.b
    assert float(expected.in_proj_weight.detach().abs().max()) == pytest.approx(bound, rel=0.05)


def test_causal() -> None:
    """No position sees a later one."""
    x = f(5, 8)
    module = TorchLayer(layer_class("MHA")(heads=2, causal=True), x).train()
    (value,) = tensors([x], 1)
    changed = value.clone()
    changed[:, 3:] += 1
    before, after = module(value), module(changed)
    assert torch.allclose(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:])


def test_macs() -> None:
    """Four projections and two products with the attention."""
    assert layer_class("MHA")(heads=2).macs(f(5, 8)) == 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8
    assert layer_class("ATTENTION")(heads=2).macs(f(5, 8), f(7, 8), f(7, 6)) == 5 * 7 * (8 + 6)


@pytest.mark.parametrize(
    "name, arguments, x, words",
    [
        ("MHA", {"heads": 3}, (f(5, 8),), "heads (=3) do not divide the width of q (=8)"),
        ("MHA", {"heads": 2}, (f(8, 5, 5),), "q is 8x5x5"),
        ("MHA", {"heads": 2}, (f(5, 8), f(6, 8), f(7, 8)), "6 and 7: 6x8 and 7x8"),
        ("ATTENTION", {}, (f(5, 8), f(6, 7), f(6, 8)), "8 and 7"),
        ("ATTENTION", {"heads": 4}, (f(5, 8), f(6, 8), f(6, 6)), "the width of v (=6)"),
        ("ATTENTION", {}, (f(2, 5, 8), f(3, 6, 8), f(2, 6, 8)), "2x5x8 and 3x6x8"),
        ("ATTENTION", {}, (f(5, 8), f(6, 8), f(6, 8), f(6, 5)), "5x6, and its mask is 6x5"),
        ("ATTENTION", {"causal": True}, (f(5, 8), f(6, 8), f(6, 8), f(5, 6)), "not both"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], x: tuple[TensorType, ...], words: str) -> None:
    """Errors carry their numbers."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(*x)
    assert caught.value.code == "E226"
    assert words in caught.value.message
    for trial in caught.value.trials:
        layer_class(name)(**{**arguments, trial.argument: trial.value}).shape(*x)
