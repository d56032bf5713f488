"""The bytes that one forward pass moves, and the work that it does for each of them."""

from __future__ import annotations

from archdsl.analyses.frames import Op, frames, live
from archdsl.analyses.macs import flops
from archdsl.analyses.memory import BYTES, size
from archdsl.graph import Network
from archdsl.tensor import product


def traffic(network: Network) -> int:
    """Bytes read and written for one item of the batch, at inference.

    The sum over all layers of inputs, output and weights, each once: no layer is fused with another and nothing
    stays in a cache, so that it is an upper bound. Weights are read for every copy and every use. Layers that no
    output needs outside of training do not run.
    """
    found = frames(network)
    results = [found.resolve(output.value) for output in network.outputs if not output.training]
    total = 0
    times = {id(found.outermost): 1}
    for frame in reversed(found.all):
        each = times.get(id(frame), 0)
        wanted = results if frame is found.outermost else [frame.result] if frame.result else []
        for step in live(frame, wanted)[0] if each else ():
            if isinstance(step, Op):
                total += each * _moved(step)
            else:
                times[id(step.body)] = each * (step.copies if step.body.chained else 1)
    return total


def _moved(op: Op) -> int:
    layer, types = op.apply.layer, op.apply.types
    held = (*layer.weights(*types).values(), *layer.buffers(*types).values())
    weights = sum(product(weight.shape) * BYTES[weight.dtype] for weight in held)
    return sum(map(size, op.inputs)) + size(op.output) + weights


def intensity(network: Network) -> float:
    """Arithmetic intensity: FLOPs for each byte moved, for one item of the batch.

    flops / traffic, in float32 (Williams, Waterman and Patterson, "Roofline", CACM 2009). Below the ratio of a
    machine's FLOP/s to its bytes/s the network waits for memory. A larger batch reads its weights once for all.
    """
    moved = traffic(network)
    return flops(network) / moved if moved else 0.0
