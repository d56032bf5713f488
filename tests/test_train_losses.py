"""What is made small: decided by the layers that end a spec, on their scores, with the module left as it is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import archdsl
from archdsl.api import open_source
from archdsl.diagnostics import ArchError
from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.training.losses import Scores, answers, correct, heads, loss
from archdsl.training.settings import Settings

CLASSES = torch.tensor([2, 0, 1])
MAP = torch.tensor([[[0, 1], [2, 1]], [[1, 1], [0, 2]], [[2, 2], [2, 0]]])


def network_of(text: str) -> Network:
    """A spec's network."""
    network, findings = build(open_source(None, text), constants={}, inputs={}, fit=None)
    assert network is not None, findings.found
    return network


def trained(text: str, target: Tensor, x: Tensor | None = None, **settings: Any) -> tuple[Any, Tensor, Tensor, Any]:
    """The module, an input, the loss of the trainer, and the trainer's parts."""
    network = network_of(text)
    torch.manual_seed(0)
    net = archdsl.load(text=text).train()
    found = heads(network, Settings(**settings), target)
    scores = Scores(net, network, found)
    x = torch.randn(3, *network.inputs[0].value.type.shape) if x is None else x
    given = scores(x)
    return net, x, loss(found, given, target), (found, given)


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("input 4\nFC(3) - SOFTMAX", CLASSES, lambda y, t: F.nll_loss(y.log(), t)),
        ("input 4\nFC(3) - LOGSOFTMAX", CLASSES, F.nll_loss),
        ("input 4\nFC(3) - LOGSOFTMAX", torch.rand(3, 3).softmax(1), lambda y, t: -(t * y).sum(1).mean()),
        ("input 4\nFC(3)", CLASSES, F.cross_entropy),
        ("input 4\nFC(3)", torch.randn(3, 3), F.mse_loss),
        ("input 4\nFC(3) - SOFTMAX", torch.rand(3, 3).softmax(1), lambda y, t: -(t * y.log()).sum(1).mean()),
        ("input 4\nFC(3) - SIGMOID", torch.rand(3, 3).round(), F.binary_cross_entropy),
        ("input 4\n(FC(3) - SIGMOID)*2", torch.rand(3, 3).round(), F.binary_cross_entropy),
        ("input 4\ne: [FC(1) - SIGMOID]", torch.tensor([1, 0, 1]), lambda y, t: -(y[0] * (1 - y[1]) * y[2]).log() / 3),
        ("input 1x2x2\nCONV(3) - SOFTMAX", MAP, lambda y, t: F.nll_loss(y.log(), t)),
        ("input 1x2x2\nCONV(3)", MAP, F.cross_entropy),
        ("input 1x2x2\nCONV(3) - SIGMOID", torch.rand(3, 3, 2, 2).round(), F.binary_cross_entropy),
        ("input 5x4\nLINEAR(3) - SOFTMAX", torch.randint(3, (3, 5)), lambda y, t: F.nll_loss(y.log().mT, t)),
        ("input 5x4\nLINEAR(3)", torch.randint(3, (3, 5)), lambda y, t: F.cross_entropy(y.mT, t)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # tensors and functions have other names in each process
)  # fmt: skip
def test_the_loss_goes_with_the_end(text: str, target: Tensor, expected: Any) -> None:
    """It is the one that the module's own output would have, by torch's definition."""
    net, x, found, _ = trained(text, target)
    torch.testing.assert_close(found, expected(net(x), target).squeeze())


def test_scores_are_stable_where_probabilities_are_not() -> None:
    """A sigmoid that has gone to 1 still has a gradient, since the loss takes what is before it."""
    net, x, found, _ = trained("input 1\nFC(1) - SIGMOID", torch.zeros(3, 1), torch.full((3, 1), 1e4))
    with torch.no_grad():
        net[0].weight.fill_(1.0)
    network = network_of("input 1\nFC(1) - SIGMOID")
    trained_heads = heads(network, Settings(), torch.zeros(3, 1))
    value = loss(trained_heads, Scores(net, network, trained_heads)(x), torch.zeros(3, 1))
    assert value.item() == pytest.approx(1e4, rel=1e-3) and torch.isfinite(found)


AUX = """input 4
body: FC(5)
RELU
aux: [@body - FC(3) - SOFTMAX]
@body - FC(3) - SOFTMAX
output aux in training
"""


def test_outputs_in_training_are_weighted() -> None:
    """The main loss and 0.3 times the other's, each on its scores; only the main one's when judging."""
    net, x, found, (told, given) = trained(AUX, CLASSES)
    main, aux = net(x)
    torch.testing.assert_close(found, F.nll_loss(main.log(), CLASSES) + 0.3 * F.nll_loss(aux.log(), CLASSES))
    assert [head.name for head in told] == ["output", "aux"] and len(given) == 2
    network = network_of(AUX)
    assert len(Scores(net.eval(), network, told)(x)) == 1
    assert [head.weight for head in heads(network, Settings(aux_weight=0.5), CLASSES)] == [1.0, 0.5]
    assert len(heads(network, Settings(aux_weight=0.0), CLASSES)) == 1


def test_the_module_is_left_as_it_is() -> None:
    """Its keys and what it gives are those of the module that compile emits."""
    net, x, _, _ = trained(AUX, CLASSES)
    torch.manual_seed(0)
    other = archdsl.load(text=AUX)
    assert list(net.state_dict()) == list(other.state_dict())
    assert torch.equal(net.eval()(x), other.eval()(x))


def test_a_loss_may_be_asked_for() -> None:
    """--loss decides, on what leaves the end for those that compare tensors."""
    target = torch.rand(3, 3)
    for name, function in (("mse", F.mse_loss), ("l1", F.l1_loss), ("huber", F.smooth_l1_loss)):
        net, x, found, _ = trained("input 4\nFC(3) - SIGMOID", target, loss=name)
        torch.testing.assert_close(found, function(net(x), target))


@pytest.mark.parametrize(
    ("text", "target", "asked", "told"),
    [
        ("input 4\nFC(3) - SIGMOID", CLASSES, "cross-entropy", "does not go with the output output: SIGMOID ends it"),
        ("input 4\nFC(3) - SOFTMAX", CLASSES, "bce", "SOFTMAX ends it"),
        ("input 4\nFC(3)", CLASSES, "nll", "no LOGSOFTMAX ends it"),
        ("input 4\nFC(3)", CLASSES, "mse", "the data tells classes"),
        ("input 4\na: [FC(4) - e: SIGMOID]\nshare a", torch.rand(3, 4), None, "is made by a SIGMOID that is shared"),
    ],
)
def test_what_does_not_go_together_is_an_error(text: str, target: Tensor, asked: str | None, told: str) -> None:
    """E739, with what would."""
    with pytest.raises(ArchError, match="E739") as error:
        heads(network_of(text), Settings(loss=asked), target)
    assert told in str(error.value)


def test_positions_that_are_left_out_are_no_answers() -> None:
    """Neither right nor wrong, and without a loss."""
    target = MAP.clone()
    target[0] = -100
    net, x, found, (told, given) = trained("input 1x2x2\nCONV(3) - SOFTMAX", target)
    torch.testing.assert_close(found, F.nll_loss(net(x)[1:].log(), MAP[1:]))
    assert answers(told[0], target) == 8 and correct(told[0], given[0], target) == (net(x).argmax(1) == target).sum()


def test_right_answers() -> None:
    """Counted for classes, positions and yes-or-no alike; none where tensors are compared."""
    for text, target, right, of in (
        ("input 1x2x2\nCONV(3) - SOFTMAX", MAP, None, 12),
        ("input 4\nFC(3) - SIGMOID", torch.rand(3, 3).round(), None, 9),
        ("input 4\nFC(3)", torch.randn(3, 3), "none", None),
    ):
        net, x, _, (found, given) = trained(text, target)
        count = correct(found[0], given[0], target)
        y = net(x)
        expected = (y.argmax(1) == target).sum() if not target.is_floating_point() else ((y > 0.5) == target).sum()
        assert count is None if right == "none" else count == expected
        assert of is None or answers(found[0], target) == of
