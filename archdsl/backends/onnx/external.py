"""Weights in a file of their own, beside the model: the way past protobuf's 2 GiB."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.annotations import BinaryIO, Protocol
from archdsl.backends.onnx import wire
from archdsl.backends.onnx.tensors import Tensor
from archdsl.hashes import sha256
from archdsl.writing import OutputFile

SMALL = 1024
"""Bytes: smaller tensors stay in the model, where readers look for shapes and axes."""

LARGE, PAGES, WORDS = 1 << 20, 1 << 16, 64
"""Tensors of LARGE bytes start at multiples of PAGES, so that they can be mapped; others at multiples of WORDS."""


class Companion(Protocol):
    """What opens the second file, and names it by its content."""

    def open(self) -> BinaryIO:
        """The stream to write it to."""

    def name(self, digest: str) -> str:
        """The name that the model has to give."""


def outside(tensor: Tensor) -> bool:
    """Whether the tensor goes to the second file."""
    return tensor.size >= SMALL


def spill(tensors: Sequence[Tensor], beside: Companion, identity: str) -> list[tuple[bytes, bytes]]:
    """Write the data of the tensors that are not small to the second file; all of them as TensorProtos in two parts.

    The file's name comes from `identity`, which tells the content apart from any other; where that is empty, from
    the content itself.
    """
    if not any(map(outside, tensors)):  # and no file of nothing
        return [_inside(tensor) for tensor in tensors]
    hashed = sha256(identity.encode())
    stream = beside.open()
    if isinstance(stream, OutputFile):
        stream.reserve(sum(tensor.size for tensor in tensors if outside(tensor)))
    places: dict[str, int] = {}
    position = 0
    for tensor in filter(outside, tensors):
        step = PAGES if tensor.size >= LARGE else WORDS
        gap = -position % step
        stream.write(bytes(gap))
        places[tensor.name] = position = position + gap
        for chunk in tensor.chunks():
            stream.write(chunk)
            if not identity:
                hashed.update(chunk)
        position += tensor.size
    name = beside.name(hashed.hexdigest())
    result = []
    for tensor in tensors:
        if tensor.name in places:
            made = wire.external_tensor(tensor.name, tensor.dtype, tensor.shape, name, places[tensor.name], tensor.size)
            result.append((made, b""))
        else:
            result.append(_inside(tensor))
    return result


def _inside(tensor: Tensor) -> tuple[bytes, bytes]:
    return wire.tensor_head(tensor.name, tensor.dtype, tensor.shape, tensor.size), tensor.data()
