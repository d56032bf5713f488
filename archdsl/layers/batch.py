"""Tensors without a batch beside tensors with one: the backends give the former a batch axis of size 1."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.layers.base import Recorder
from archdsl.layers.code import Batch, Code, Method, X
from archdsl.tensor import TensorType


def any_batched(x: Sequence[TensorType]) -> bool:
    """Whether the output of a layer with these inputs has a batch."""
    return any(t.batched for t in x)


def torch_stretched(x: Sequence[TensorType]) -> list[Code]:
    """The inputs, those without a batch stretched to the batch of the first that has one."""
    first = next((i for i, t in enumerate(x) if t.batched), None)
    return [
        X(i) if t.batched or first is None else Method(X(i), "expand", (Batch(X(first)), *(-1,) * t.rank))
        for i, t in enumerate(x)
    ]


def onnx_stretched(r: Recorder, names: Sequence[str], x: Sequence[TensorType]) -> list[str]:
    """The inputs, those without a batch stretched to the batch of the first that has one."""
    first = next((name for name, t in zip(names, x) if t.batched), None)
    if first is None or all(t.batched for t in x):
        return list(names)
    batch = r.node("Shape", [first], start=0, end=1)
    result = []
    for name, t in zip(names, x):
        if not t.batched:
            sizes = r.node("Concat", [batch, r.constant([1] * t.rank, "int")], axis=0) if t.rank else batch
            name = r.node("Expand", [name, sizes])  # Expand leaves an axis that meets a 1
        result.append(name)
    return result
