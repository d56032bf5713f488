"""The work of one forward pass."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.analyses.frames import Op, frames, live
from archdsl.analyses.once import once
from archdsl.graph import Apply, Network
from archdsl.layers.base import Layer
from archdsl.tensor import TensorType


@once
def macs(network: Network) -> int:
    """Multiply-accumulates for one item of the batch, at inference.

    The sum over all layers of `Layer.macs`: convolutions and matrix products alone, for a convolution
    H_out * W_out * filters * (channels/groups) * kernel area (CS231n, "Convolutional Networks"; the figures of
    torchvision's table of models are these). Each copy and each use of a shared layer counts; what no output
    outside of training needs, such as an auxiliary head, does not.
    """
    return summed(network, lambda apply: apply.layer.macs(*apply.types))


def flops(network: Network) -> int:
    """Floating-point operations of convolutions and matrix products: two for each multiply-accumulate."""
    return 2 * macs(network)


@once
def elementwise(network: Network) -> int:
    """Operations of everything else for one item of the batch, at inference: the sum over all layers of
    `Layer.elementwise`, by the table in docs/analyses.md, where a function of a number is one operation."""
    return summed(network, lambda apply: apply.layer.elementwise(*apply.types))


def summed(network: Network, measure: Callable[[Apply], int]) -> int:
    """The sum of a measure, which hangs on layer and types alone, over all layers that run at inference, copies too."""
    found = frames(network)
    results = [found.resolve(output.value) for output in network.outputs if not output.training]
    total = 0
    times = {id(found.outermost): 1}
    known: dict[tuple[Layer, tuple[TensorType, ...]], int] = {}
    for frame in reversed(found.all):
        each = times.get(id(frame), 0)
        wanted = results if frame is found.outermost else [frame.result] if frame.result else []
        for step in live(frame, wanted)[0] if each else ():
            if isinstance(step, Op):
                seen = (step.apply.layer, step.apply.types)
                if seen not in known:
                    known[seen] = measure(step.apply)
                total += each * known[seen]
            else:
                times[id(step.body)] = each * (step.copies if step.body.chained else 1)
    return total
