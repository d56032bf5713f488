"""How weights start: by `init`, as torch's functions do it, and in the zoo as torchvision's models do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.backends.onnx.initialize import initial
from archdsl.backends.onnx.tensors import joined
from archdsl.backends.pytorch import emit
from archdsl.graph import Network
from archdsl.layers.base import Init, Weight
from archdsl.pipeline import build
from archdsl.syntax.source import Source

SPEC = """
input 3x8x8
default CONV(init=kaiming_normal(fan_out), bias_init=zeros)
first: CONV(64) - RELU
ADD{ last: CONV(64, init=uniform(0.01), bias_init=0.5) - norm: BN(init=zeros) | ID }
plain: CONV(64, 1, bias=false) - UPCONV(8, init=xavier_normal) - GAP - FLATTEN
one: FC(50, init=kaiming_uniform(fan_in, 2), bias_init=ones) - two: FC(40) - three: FC(30)
"""


def test_module() -> None:
    """A module's tensors start as the spec says, those of one class in different ways too."""
    torch.manual_seed(0)
    made = archdsl.load(text=SPEC).state_dict()
    assert _near(made["first.weight"], math.sqrt(2 / (64 * 9))) and not made["first.bias"].any()
    assert made["last.weight"].abs().max() <= 0.01 and _near(made["last.weight"], 0.01 / math.sqrt(3))
    assert not made["norm.weight"].any() and not made["norm.bias"].any()
    assert _near(made["plain.weight"], math.sqrt(2 / 64))
    assert _near(made["upconv1.weight"], math.sqrt(2 / (8 * 4 + 64 * 4)))
    assert _near(made["one.weight"], math.sqrt(2 / 5 / 8)) and made["one.bias"].eq(1).all()
    assert _near(made["two.weight"], 1 / math.sqrt(3 * 50))  # torch's own


def _network(text: str) -> Network:
    made, findings = build(Source(text), constants={}, inputs={}, fit=None)
    assert made is not None, [d.message for d in findings.found]
    return made


def _near(tensor: Tensor, deviation: float) -> bool:
    return abs(float(tensor.std()) / deviation - 1) < 4 / math.sqrt(tensor.numel())


def test_promised() -> None:
    """What the layers promise of their starts, which an ONNX file takes, is what the module's tensors have."""
    from archdsl.analyses.parameters import state_shapes

    network = _network(SPEC)
    torch.manual_seed(0)
    made = archdsl.load(text=SPEC).state_dict()
    for key, entry in state_shapes(network).items():
        if entry.weight.dtype != "float":
            continue
        data = joined(initial(key, entry.weight, 0))
        values = np.frombuffer(data, np.float32)
        theirs = made[key].flatten().numpy()
        assert len(values) == len(theirs)
        assert abs(values.std() - theirs.std()) <= 6 * max(values.std(), theirs.std()) / math.sqrt(len(values)), key
        assert abs(values.mean() - theirs.mean()) <= 6 * theirs.std() / math.sqrt(len(values)) + 1e-7, key


@pytest.mark.parametrize("deviation", [0.02, 1.5, 40.0])
def test_trunc_normal(deviation: float) -> None:
    """What is cut off is drawn again, however much it is: the numbers have torch's deviation."""
    weight = Weight((300_000,), Init("trunc_normal", 0.0, deviation))
    values = np.frombuffer(joined(initial("w", weight, 0)), np.float32)
    theirs = nn.init.trunc_normal_(torch.empty(300_000), std=deviation)
    assert len(values) == 300_000 and np.abs(values).max() <= 2
    assert abs(values.std() / float(theirs.std()) - 1) < 0.01 and abs(values.mean()) < 0.01


def test_embedding_keeps_its_padding() -> None:
    """The row of the padding stays 0, however the table starts."""
    table = archdsl.load(text="input 5 of int\nEMBEDDING(7, 4, padding=2, init=uniform(1))").state_dict()["0.weight"]
    assert not table[2].any() and table[[0, 1, 3, 4, 5, 6]].all()


def test_attention_is_left_alone() -> None:
    """What torch's attention starts with stays as it is, though a Linear is a part of it."""
    made = archdsl.load(text="input 5x8\nMHA(2) - LINEAR(8, init=zeros, bias_init=ones)").state_dict()
    assert made["0.out_proj.weight"].any() and not made["0.out_proj.bias"].any() and not made["1.weight"].any()


def test_nothing_said_nothing_written() -> None:
    """Where all starts as torch has it the source has no loop."""
    assert "nn.init" not in emit(_network("input 3x8x8\nCONV(8) - BN - FC(10)"))


_EQUAL = [
    "squeezenet1_1", "resnet18", "mobilenet_v2", "mobilenet_v3_small", "mnasnet0_5", "shufflenet_v2_x0_5",
    "regnet_y_400mf", "efficientnet_b0", "densenet121", "convnext_tiny", "s3d",
]  # fmt: skip
_ALIKE = ["swin_t", "swin_v2_t", "maxvit_t", "googlenet", "lraspp_mobilenet_v3_large"]  # drawn in another order


def _both(name: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The state of the zoo's module and of the original, each made from the same seed."""
    torchvision = pytest.importorskip("torchvision")
    from tests.support import zoo

    given: dict[str, Any] = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None, **(given or zoo.arguments(name))).state_dict()
    torch.manual_seed(0)
    return archdsl.load(zoo.spec(name)).state_dict(), theirs


@pytest.mark.parametrize(
    "name",
    [
        *(name if name in _EQUAL[:7] else pytest.param(name, marks=pytest.mark.slow) for name in _EQUAL),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("alexnet", "vgg11_bn", "inception_v3", "r3d_18")),
    ],
)
def test_starts_as_the_original(name: str) -> None:
    """From one seed each tensor starts as torchvision's."""
    ours, theirs = _both(name)
    assert not [key for key in theirs if not torch.equal(ours[key], theirs[key])]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*_ALIKE, "vit_b_32", "fcn_resnet50", "deeplabv3_mobilenet_v3_large"])
def test_starts_like_the_original(name: str) -> None:
    """Each tensor starts with the mean and the deviation of torchvision's."""
    ours, theirs = _both(name)
    for key, wanted in theirs.items():
        a, b = ours[key].float().flatten(), wanted.float().flatten()
        if len(a) < 2:
            continue
        spread, error = float(max(a.std(), b.std())), 6 / math.sqrt(len(a))
        assert bool(a.any()) == bool(b.any()), key
        assert abs(float(a.std() - b.std())) <= spread * error, key
        assert abs(float(a.mean() - b.mean())) <= 1.5 * spread * error, key
