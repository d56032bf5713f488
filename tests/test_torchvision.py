"""Specs in torchvision's form: its state_dicts load strictly, outputs are equal bit by bit, in eval and train mode."""

from __future__ import annotations

import copy

import pytest
import torch
import torchvision

import archdsl
from tests.test_specs import SPECS

MODELS = {
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "vgg16": "vgg16",
    "googlenet": "googlenet",
    "mobilenetv2": "mobilenet_v2",
    "densenet121": "densenet121",
    "regnet_y_400mf": "regnet_y_400mf",
}


@pytest.mark.filterwarnings("ignore:The default weight initialization of GoogleNet:FutureWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "vgg16" else name for name in sorted(MODELS)]
)
def test_the_same_bit_by_bit(name: str) -> None:
    """Weights load strictly; outputs are equal in eval mode, and with one seed in train mode, running means too."""
    more = {"aux_logits": False} if name == "googlenet" else {}
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, MODELS[name])(weights=None, **more)
    ours = archdsl.load(SPECS / f"{name}.arch")
    ours.load_state_dict(theirs.state_dict(), strict=True)
    size = 224 if name == "vgg16" else 96  # the others take maps of any size
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs.eval()(x))
        torch.manual_seed(1)
        wanted = theirs.train()(x)
        torch.manual_seed(1)
        assert torch.equal(ours.train()(x), wanted)
    state, other = ours.state_dict(), theirs.state_dict()
    assert list(state) == list(other)
    assert all(torch.equal(state[key], other[key]) for key in other)


def test_the_same_gradients() -> None:
    """A step of training gives resnet18 the gradients of torchvision's."""
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(weights=None)
    ours = archdsl.load(SPECS / "resnet18.arch")
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()))
    x, y = torch.randn(2, 3, 64, 64), torch.tensor([1, 2])
    for module in (ours, theirs):
        torch.nn.functional.cross_entropy(module(x), y).backward()
    wanted = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert parameter.grad is not None and torch.equal(parameter.grad, wanted[name].grad), name
