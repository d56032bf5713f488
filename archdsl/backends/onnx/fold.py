"""Batch normalisation folded into the convolution or the FC before it, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import numpy as np

from archdsl.backends.onnx.record import read_by
from archdsl.backends.onnx.recorder import GraphRecorder, Node
from archdsl.backends.onnx.tensors import Tensor
from archdsl.tensor import product

FOLDED = ("Conv", "ConvTranspose", "Gemm")
"""The nodes that a normalisation is folded into: those whose weight has a row, or a column, for each channel."""

Scale = Callable[[], "tuple[np.ndarray, np.ndarray]"]  # by channel: what is multiplied by, and what is added


def fold(recorder: GraphRecorder, nodes: list[Node], tensors: list[Tensor], outputs: Sequence[str]) -> list[Tensor]:
    """Fold each BatchNormalization over what a convolution or an FC gives to it alone; the tensors that are left.

    `nodes` are changed in place: the convolution makes what the normalisation made. Weights that two convolutions
    share are not folded, since each would need its own.
    """
    held = {tensor.name: tensor for tensor in tensors}
    readers = read_by(nodes)
    makers = {name: node for node in nodes for name in node.outputs}
    gone: set[int] = set()
    for norm in nodes:
        if norm.operator != "BatchNormalization":
            continue
        conv = makers.get(norm.inputs[0])
        own = conv is not None and all(name in held and len(readers[name]) == 1 for name in conv.inputs[1:])
        if conv is None or conv.operator not in FOLDED or not own:
            continue
        if norm.inputs[0] in outputs or len(readers[norm.inputs[0]]) > 1 or any(n not in held for n in norm.inputs[1:]):
            continue
        _fold(recorder, conv, norm, held)
        gone.add(id(norm))
    nodes[:] = [node for node in nodes if id(node) not in gone]
    needed = {name for node in nodes for name in node.inputs} | set(outputs)
    return [tensor for name, tensor in held.items() if name in needed]


def _fold(recorder: GraphRecorder, conv: Node, norm: Node, held: dict[str, Tensor]) -> None:
    scale, shift, mean, variance = (held[name] for name in norm.inputs[1:])
    eps = norm.attributes["epsilon"]
    assert isinstance(eps, float)
    weight = held[conv.inputs[1]]
    before = held[conv.inputs[2]] if len(conv.inputs) > 2 else None

    @cache
    def factors() -> tuple[np.ndarray, np.ndarray]:
        factor = _doubles(scale) / np.sqrt(_doubles(variance) + eps)
        bias = _doubles(before) if before is not None else np.zeros(1)
        return factor, (bias - _doubles(mean)) * factor + _doubles(shift)

    groups = conv.attributes.get("group", 1)
    assert isinstance(groups, int)
    name = before.name if before is not None else recorder.reserve(conv.inputs[1].removesuffix("weight") + "bias")
    held[weight.name] = weight._replace(
        chunks=partial(_scaled, weight, factors, groups if conv.operator == "ConvTranspose" else 0)
    )
    held[name] = Tensor(name, "float", scale.shape, lambda: iter([factors()[1].astype("<f4").tobytes()]))
    conv.inputs = [*conv.inputs[:2], name]
    conv.outputs = list(norm.outputs)


def _doubles(tensor: Tensor) -> np.ndarray:
    return np.frombuffer(tensor.data(), dtype="<f4").astype(np.float64)


def _scaled(weight: Tensor, factors: Scale, groups: int) -> Iterator[bytes]:
    """The weight's data, each number times the factor of the channel that it leads to.

    Convolutions and FC have those channels first; transposed ones, which have `groups`, second and by group.
    """
    factor = factors()[0]
    position = 0
    rows = product(weight.shape[2:]) if groups else product(weight.shape[1:])
    for part in weight.chunks():
        values = np.frombuffer(part, dtype="<f4")
        channels = np.arange(position, position + values.size) // rows
        position += values.size
        if groups:
            each = weight.shape[1]
            channels = channels % each + channels // (each * (weight.shape[0] // groups)) * each
        yield (values * factor[channels]).astype("<f4").tobytes()
