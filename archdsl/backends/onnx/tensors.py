"""Tensors on their way into a file: what they are called, and data that is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from archdsl.annotations import Union
from archdsl.backends.onnx import wire
from archdsl.backends.onnx.recorder import GraphRecorder, Node
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.records import NamedTuple
from archdsl.tensor import Shape, product

Data = Union[bytes, memoryview]
Chunks = Callable[[], Iterator[Data]]

LARGEST_HALF = 65504.0
"""The largest number of float16."""


class Tensor(NamedTuple):
    """An initializer: its name, element type and shape, and what makes its data, little-endian, in chunks.

    A chunk holds until the next one is asked for: it may lie in memory that is used again.
    """

    name: str
    dtype: str
    shape: Shape
    chunks: Chunks

    def data(self) -> bytes:
        """All of it."""
        return joined(self.chunks())

    @property
    def size(self) -> int:
        """The bytes of its data."""
        return product(self.shape) * wire.WIDTHS[self.dtype]


def joined(chunks: Iterable[Data]) -> bytes:
    """Chunks as one, each of which holds until the next one is asked for."""
    return b"".join(map(bytes, chunks))


def halve(recorder: GraphRecorder, nodes: list[Node], tensors: list[Tensor], half: str) -> list[Tensor]:
    """Store the float tensors of two axes or more as `half`, with a Cast to float32 in front of all nodes.

    Networks compute in float32, so that the file runs wherever it did before. Vectors (biases, what normalisation
    holds) stay as they are. Raises ArchError E608, when the data is made, for a number that float16 cannot hold.
    """
    result, casts, names = [], [], {}
    for tensor in tensors:
        if tensor.dtype != "float" or len(tensor.shape) < 2:
            result.append(tensor)
            continue
        names[tensor.name] = recorder.reserve(f"{tensor.name}/Cast")
        cast = names[tensor.name]
        casts.append(Node("Cast", cast, [tensor.name], [cast], {"to": wire.ELEMENTS["float"]}))
        result.append(tensor._replace(dtype=half, chunks=partial(_halves, tensor, half)))
    for node in nodes:
        node.inputs = [names.get(name, name) for name in node.inputs]
    nodes[:0] = casts
    return result


def _halves(tensor: Tensor, half: str) -> Iterator[bytes]:
    for part in tensor.chunks():
        values = np.frombuffer(part, dtype="<f4")
        if half == "float16":
            if bool((np.isfinite(values) & (np.abs(values) >= LARGEST_HALF + 16)).any()):
                message = f"{tensor.name} holds {float(np.abs(values).max()):g}, and float16 ends at {LARGEST_HALF:g}"
                raise ArchError([Diagnostic("E608", message, help=("bfloat16 has the range of float32",))])
            yield values.astype("<f2").tobytes()
        else:
            yield _bfloat16(values)


def _bfloat16(values: np.ndarray) -> bytes:
    """The upper halves of float32 numbers, rounded to the nearest, ties to even; no number stays none."""
    bits = values.view("<u4")
    rounded = (bits + ((bits >> 16) & 1) + 0x7FFF) >> 16
    return np.where(np.isnan(values), (bits >> 16) | 0x40, rounded).astype("<u2").tobytes()
