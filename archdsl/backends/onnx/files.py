"""What files of weights have in common: tensors at places in a file, read in chunks and converted."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from archdsl.annotations import Any
from archdsl.backends.onnx.recorder import STORED
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.records import NamedTuple
from archdsl.tensor import Shape

CHUNK = 1 << 20  # bytes handed on at a time

READ = {
    "BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
"""Element types that are read, as numpy's types; of BF16 it is the upper half of a float32."""

KINDS = {"float": ("F16", "BF16", "F32", "F64"), "bool": ("BOOL",)}
KINDS["int"] = tuple(name for name in READ if name[0] in "UI")
"""By our element types, those of a file that turn into them."""


class Held(NamedTuple):
    """A tensor in a file: element type, shape, and where its data lies, in bytes.

    `stride` are the steps between its elements along each axis where they do not lie one behind the other; 0 where
    all along an axis are one.
    """

    dtype: str
    shape: Shape
    start: int
    end: int
    stride: tuple[int, ...] | None = None


class Broken(Exception):
    """What is wrong with a file, in words."""


class WeightsFile(ABC):
    """An open file: its `tensors` by name. Raises ArchError E602 where it cannot be read or is broken.

    It is read, not mapped: a file that shrinks meanwhile is an error then, and memory stays flat.
    """

    kind = "weights' file"

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            if os.path.exists(path) and not os.path.isfile(path):
                raise self.error("is a folder, a pipe or a device: its parts are read in any order, which takes a file")
            self.stream = open(path, "rb")
            try:
                self.size = self.stream.seek(0, 2)
                self.tensors = self.header()
            except BaseException:
                self.stream.close()
                raise
        except Broken as error:
            raise self.error(f"is no sound {self.kind}: {error}") from None
        except (OSError, ValueError) as error:
            raise self.error(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error

    def __del__(self) -> None:
        if hasattr(self, "stream"):
            self.stream.close()

    @abstractmethod
    def header(self) -> dict[str, Held]:
        """The tensors, each checked against the file; raises Broken."""

    def error(self, what: str) -> ArchError:
        """The one error for what is wrong with the file."""
        return ArchError([Diagnostic("E602", f"the weights' file {what}", file=self.path)])

    def read(self, start: int, size: int) -> bytes:
        """The bytes from `start` on, fewer where the file ends."""
        self.stream.seek(start)
        return self.stream.read(min(size, self.size))

    def exactly(self, start: int, size: int) -> bytes:
        """So many bytes; raises ArchError E602 where the file has shrunk since it was opened."""
        data = self.read(start, size)
        if len(data) < size:
            raise self.error("has become shorter while it was read")
        return data

    def parts(self, held: Held) -> Iterator[bytes]:
        """A tensor's bytes as the file has them."""
        for start in range(held.start, held.end, CHUNK):
            yield self.exactly(start, min(CHUNK, held.end - start))

    def chunks(self, name: str, dtype: str) -> Iterator[bytes]:
        """A tensor's data, little-endian, as our element type `dtype`, whose KINDS hold the tensor's own."""
        held = self.tensors[name]
        for part in self.parts(held):
            if READ[held.dtype] == STORED[dtype]:
                yield part
                continue
            array = np.frombuffer(part, dtype=READ[held.dtype])
            if held.dtype == "BF16":
                array = (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
            with np.errstate(over="ignore"):  # a double past float32's range is infinite there
                yield array.astype(STORED[dtype]).tobytes()


def short(value: Any) -> str:
    """A value as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
