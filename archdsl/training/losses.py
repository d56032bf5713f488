"""What is made small: decided by the layer that makes each output, and computed on its scores.

    SOFTMAX       cross-entropy of the scores before it, through `module.logits` where the module has that
    SIGMOID       binary cross-entropy of the scores before it
    LOGSOFTMAX    negative log-likelihood
    else          cross-entropy where targets are classes, else the mean squared error

Outputs in training alone are weighted; other outputs beside the first one get no loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archdsl.analyses.uses import Use, Walk
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network, Output
from archdsl.layers.axes import feature_axis
from archdsl.layers.softmax import OverAnAxis
from archdsl.tensor import TensorType
from archdsl.training.data.targets import IGNORED
from archdsl.training.settings import Settings

OWN = {"SOFTMAX": "cross-entropy", "SIGMOID": "bce", "LOGSOFTMAX": "nll"}
"""The loss that goes with a layer at the end, computed on what arrives there, but for LOGSOFTMAX."""
SHARES = {"cross-entropy": F.cross_entropy, "nll": F.nll_loss}
"""Losses of one class among several, for each position; the target may be shares of the classes, too."""
BEHIND = {"mse": F.mse_loss, "l1": F.l1_loss, "huber": F.smooth_l1_loss}
"""Losses on what leaves the end, whatever it is."""


class Head(NamedTuple):
    """An output that is trained: its loss and weight, the class axis counted with the batch, and the layer before
    which its scores are taken ("" where they are the output itself)."""

    name: str
    loss: str
    axis: int
    weight: float
    before: str = ""


def heads(network: Network, settings: Settings, target: Tensor) -> list[Head]:
    """The outputs that are trained, the main one first; raises ArchError E739 for a loss that does not go with one.

    `target` is one of the data's: int64 where it tells classes.
    """
    walk = Walk(network)
    makers = {use.output: use for use in walk}
    plain = [output for output in network.outputs if not output.training]
    trained = [(plain[0], 1.0)]
    if settings.aux_weight:
        trained += [(output, settings.aux_weight) for output in network.outputs if output.training]
    return [_head(o, makers.get(walk.tensors[o.value]), w, settings.loss, target) for o, w in trained]


def _head(output: Output, maker: Use | None, weight: float, asked: str | None, target: Tensor) -> Head:
    layer = None if maker is None else maker.apply.layer
    end = layer.spec if layer is not None and layer.spec in OWN else ""
    classes = not target.is_floating_point()
    loss = asked or OWN.get(end) or ("cross-entropy" if classes else "mse")
    x: TensorType = output.value.type
    axis = layer.found(x) if isinstance(layer, OverAnAxis) else feature_axis(x)
    fits = {"cross-entropy": ("", "SOFTMAX", "LOGSOFTMAX"), "bce": ("", "SIGMOID"), "nll": ("LOGSOFTMAX",)}
    if loss in fits and end not in fits[loss]:
        at = f"{end} ends it" if end else "no LOGSOFTMAX ends it"
        raise _unfit(f"the loss {loss} does not go with the output {output.name}: {at}", OWN.get(end))
    if loss in BEHIND and classes:
        raise _unfit(f"the loss {loss} compares tensors, and the data tells classes", "cross-entropy")
    inside = loss not in BEHIND and end in ("SOFTMAX", "SIGMOID")
    if inside and maker is not None and maker.shared:
        message = f"the output {output.name} is made by a {end} that is shared, so that its scores cannot be had"
        raise _unfit(message, None)
    return Head(output.name, loss, axis + 1, weight, maker.path if inside and maker is not None else "")


def _unfit(message: str, better: str | None) -> ArchError:
    return ArchError([Diagnostic("E739", message, help=(f"--loss {better}",) if better else ())])


class Scores(nn.Module):
    """A network as it is trained: gives for each head its scores, float32; only the main one's outside of training.

    The network itself is left as it is, but for hooks that see what arrives at its last layers.
    """

    def __init__(self, net: nn.Module, network: Network, heads: Sequence[Head]) -> None:
        super().__init__()
        self.net = net
        self.through_logits = hasattr(type(net), "logits") and bool(heads[0].before)
        plain = [output.name for output in network.outputs if not output.training]
        trained = [output.name for output in network.outputs if output.training]
        self._places = [[*plain, *trained].index(head.name) for head in heads]
        self._seen: dict[int, Tensor] = {}
        self._hooked = set() if self.through_logits else {i for i, head in enumerate(heads) if head.before}
        for i in self._hooked:
            net.get_submodule(heads[i].before).register_forward_pre_hook(self._keep(i))

    def _keep(self, head: int) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def hook(module: nn.Module, given: tuple[Any, ...]) -> None:
            self._seen[head] = given[0]

        return hook

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        if self.through_logits:
            return [self.net.logits(*inputs).float()]  # type: ignore[operator]  # a method of the emitted class
        given = self.net(*inputs)
        every = given if isinstance(given, tuple) else (given,)
        places = [place for place in self._places if place < len(every)]
        scores = [self._seen[i] if i in self._hooked else every[place] for i, place in enumerate(places)]
        self._seen.clear()
        return [one.float() for one in scores]


def loss(heads: Sequence[Head], scores: Sequence[Tensor], target: Tensor) -> Tensor:
    """The weighted sum over the heads whose scores there are, a mean over the batch each."""
    total = _loss(heads[0], scores[0], target)
    for head, one in zip(heads[1:], scores[1:]):
        total = total + head.weight * _loss(head, one, target)
    return total


def _loss(head: Head, scores: Tensor, target: Tensor) -> Tensor:
    if head.loss in SHARES and target.is_floating_point():  # of logarithms it takes the softmax once more: no change
        return F.cross_entropy(scores.movedim(head.axis, 1), target.movedim(head.axis, 1))
    if head.loss in SHARES:
        return SHARES[head.loss](scores.movedim(head.axis, 1), target)
    target = target.to(scores.dtype).reshape(scores.shape)
    if head.loss == "bce":
        return F.binary_cross_entropy_with_logits(scores, target)
    return BEHIND[head.loss](scores, target)


def correct(head: Head, scores: Tensor, target: Tensor) -> Tensor | None:
    """How many answers are right, and None where there is no right and wrong."""
    if head.loss in BEHIND:
        return None
    if head.loss == "bce":
        return ((scores > 0) == (target.reshape(scores.shape) > 0.5)).sum()
    answers = target.argmax(head.axis) if target.is_floating_point() else target
    return (scores.argmax(head.axis) == answers).sum()


def answers(head: Head, target: Tensor) -> Tensor:
    """How many answers a batch has, on its device; positions that the data leaves out are none."""
    if not target.is_floating_point():
        return (target != IGNORED).sum()
    shares = head.loss in SHARES
    return torch.full((), target.numel() // (target.shape[head.axis] if shares else 1), device=target.device)
