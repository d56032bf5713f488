"""The bytes that one forward pass moves, and the work that it does for each of them."""

from __future__ import annotations

from archdsl.analyses.macs import flops, summed
from archdsl.analyses.memory import BYTES, size
from archdsl.analyses.once import once
from archdsl.graph import Apply, Network
from archdsl.tensor import product


@once
def traffic(network: Network) -> int:
    """Bytes read and written for one item of the batch, at inference.

    The sum over all layers of inputs, output and weights, each once: no layer is fused with another and nothing
    stays in a cache, so that it is an upper bound. Weights are read for every copy and every use. Layers that no
    output needs outside of training do not run.
    """
    return summed(network, _moved)


def _moved(apply: Apply) -> int:
    layer, types = apply.layer, apply.types
    held = (*layer.weights(*types).values(), *layer.buffers(*types).values())
    weights = sum(product(weight.shape) * BYTES[weight.dtype] for weight in held)
    return sum(map(size, apply.inputs)) + size(apply.output) + weights


def intensity(network: Network) -> float:
    """Arithmetic intensity: FLOPs for each byte moved, for one item of the batch.

    flops / traffic, in float32 (Williams, Waterman and Patterson, "Roofline", CACM 2009). Below the ratio of a
    machine's FLOP/s to its bytes/s the network waits for memory. A larger batch reads its weights once for all.
    """
    moved = traffic(network)
    return flops(network) / moved if moved else 0.0
