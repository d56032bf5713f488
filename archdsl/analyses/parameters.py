"""What a network holds: the entries of its state_dict, and how many learned numbers there are in all."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.analyses.once import once
from archdsl.analyses.uses import Use, Walk, uses
from archdsl.graph import Network
from archdsl.layers.base import Layer, Weight
from archdsl.records import NamedTuple
from archdsl.tensor import TensorType, product


class Entry(NamedTuple):
    """A tensor of the state_dict: its shape, type and initialisation, and whether it is held without being learned."""

    weight: Weight
    is_buffer: bool


class Totals(NamedTuple):
    """Numbers held: `parameters` are learned, `buffers` are not (running means, constants); no shared one twice."""

    parameters: int
    buffers: int


def held(use: Use) -> dict[str, Entry]:
    """What the layer holds, by state_dict key: the path of its weights, `.`, the name in the layer.

    Where the layer is itself the tensor (PARAM, CONST) the key is the path alone. Buffers that are not
    persistent are among them.
    """
    layer, types = use.apply.layer, use.apply.types
    result = {}
    for is_buffer, tensors in ((False, layer.weights(*types)), (True, layer.buffers(*types))):
        for name, weight in tensors.items():
            result[f"{use.owner}.{name}" if name else use.owner] = Entry(weight, is_buffer)
    return result


def state_shapes(network: Network) -> dict[str, Entry]:
    """The state_dict's entries by key, in the order of the layers; every copy of a repetition has its own.

    The time goes with the number of copies: `totals` first tells how many numbers there would be.
    """
    result: dict[str, Entry] = {}
    for use in Walk(network):
        if not use.shared:
            result.update((key, entry) for key, entry in held(use).items() if entry.weight.persistent)
    return result


@once
def totals(network: Network) -> Totals:
    """Learned and held numbers; copies of a repetition count with their number, what is shared counts once."""
    parameters = buffers = 0
    known: dict[tuple[Layer, tuple[TensorType, ...]], tuple[int, int]] = {}
    for use in uses(network):
        if not use.shared:
            layer, types = use.apply.layer, use.apply.types
            if (layer, types) not in known:
                known[layer, types] = _size(layer.weights(*types)), _size(layer.buffers(*types))
            learned, fixed = known[layer, types]
            parameters += learned * use.times
            buffers += fixed * use.times
    return Totals(parameters, buffers)


def _size(tensors: Mapping[str, Weight]) -> int:
    return sum([product(weight.shape) for weight in tensors.values() if weight.persistent])


def parameters(network: Network) -> int:
    """The number of learned numbers, as in `sum(p.numel() for p in module.parameters())` of torch."""
    return totals(network).parameters
