"""The work of one forward pass."""

from __future__ import annotations

from archdsl.analyses.frames import Op, frames, live
from archdsl.graph import Network
from archdsl.layers.base import Layer
from archdsl.tensor import TensorType


def macs(network: Network) -> int:
    """Multiply-accumulates for one item of the batch, at inference.

    The sum over all layers of `Layer.macs`: convolutions and matrix products alone, for a convolution
    H_out * W_out * filters * (channels/groups) * kernel area (CS231n, "Convolutional Networks"; the figures of
    torchvision's table of models are these). Each copy and each use of a shared layer counts; what no output
    outside of training needs, such as an auxiliary head, does not.
    """
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
                layer, types = step.apply.layer, step.apply.types
                if (layer, types) not in known:
                    known[layer, types] = layer.macs(*types)
                total += each * known[layer, types]
            else:
                times[id(step.body)] = each * (step.copies if step.body.chained else 1)
    return total


def flops(network: Network) -> int:
    """Floating-point operations of one forward pass: two for each multiply-accumulate."""
    return 2 * macs(network)
