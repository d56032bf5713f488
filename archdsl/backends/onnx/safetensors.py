"""Weights from a .safetensors file: eight bytes of header length, a JSON header, the tensors' data.

The format: https://github.com/huggingface/safetensors#format. The data is mapped, not read, and handed on in
chunks. A file is input from anywhere: everything in its header is checked before any of it is believed.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from archdsl.backends.onnx.recorder import STORED
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.tensor import Shape, product

CHUNK = 1 << 20  # bytes handed on at a time
LONGEST_HEADER = 100_000_000  # the limit of the safetensors library

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E8M0": 8, "F8_E4M3": 8, "F8_E5M2": 8,
}  # fmt: skip
"""The format's element types and the bits of one element."""

READ = {
    "BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
"""Those that are read, as numpy's types; of BF16 it is the upper half of a float32."""

KINDS = {"float": ("F16", "BF16", "F32", "F64"), "bool": ("BOOL",)}
KINDS["int"] = tuple(name for name in READ if name[0] in "UI")
"""By our element types, those of a file that turn into them."""


class Held(NamedTuple):
    """A tensor in the file: element type, shape, and where its data lies in the file, in bytes."""

    dtype: str
    shape: Shape
    start: int
    end: int


class SafeTensors:
    """An open file: its `tensors` by name. Raises ArchError E602 where it cannot be read or is broken."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open(path, "rb") as stream:
                size = stream.seek(0, 2)
                if size < 8:
                    raise _Broken(f"it has {size} bytes, and a header's length alone takes 8")
                self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            self.tensors = _header(self._data)
        except _Broken as error:
            raise self._error(f"is no sound safetensors file: {error}") from None
        except (OSError, ValueError) as error:
            raise self._error(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error

    def _error(self, what: str) -> ArchError:
        return ArchError([Diagnostic("E602", f"the weights' file {what}", file=self.path)])

    def chunks(self, name: str, dtype: str) -> Iterator[bytes]:
        """A tensor's data, little-endian, as our element type `dtype`, whose KINDS hold the tensor's own."""
        held = self.tensors[name]
        for start in range(held.start, held.end, CHUNK):
            part = self._data[start : min(start + CHUNK, held.end)]
            if READ[held.dtype] == STORED[dtype]:
                yield part
                continue
            array = np.frombuffer(part, dtype=READ[held.dtype])
            if held.dtype == "BF16":
                array = (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
            with np.errstate(over="ignore"):  # a double past float32's range is infinite there
                yield array.astype(STORED[dtype]).tobytes()


class _Broken(Exception):
    """What is wrong with a file, in words."""


def _header(data: mmap.mmap) -> dict[str, Held]:
    length = int.from_bytes(data[:8], "little")
    if length > LONGEST_HEADER:
        raise _Broken(f"its header would have {length} bytes, more than the format allows ({LONGEST_HEADER})")
    if 8 + length > len(data):
        raise _Broken(f"its header would have {length} bytes, and {len(data) - 8} follow")
    try:
        found = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _Broken(f"its header is no JSON text ({error})") from None
    if not isinstance(found, dict):
        raise _Broken("its header is no JSON object")
    metadata = found.pop("__metadata__", {})
    if not isinstance(metadata, dict) or any(not isinstance(value, str) for value in metadata.values()):
        raise _Broken("its metadata is no table of texts")
    start = 8 + length
    tensors = {name: _entry(name, value, start, len(data)) for name, value in found.items()}
    end = start
    for name, held in sorted(tensors.items(), key=lambda item: item[1][2:]):
        if held.start != end:
            raise _Broken(
                f"the data of {_short(name)} {'overlaps that of another' if held.start < end else 'leaves a gap'}"
            )
        end = held.end
    if end != len(data):
        raise _Broken(f"{len(data) - end} bytes at its end belong to no tensor")
    return tensors


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Broken(f"{_short(key)} stands twice in its header")
        found[key] = value
    return found


def _no_number(text: str) -> float:
    raise _Broken(f"{text} stands in its header")


def _entry(name: str, value: Any, start: int, size: int) -> Held:
    if not isinstance(value, dict) or not {"dtype", "shape", "data_offsets"} <= set(value):
        raise _Broken(f"{_short(name)} has no dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise _Broken(f"{_short(name)} is of the type {_short(dtype)}, which the format does not have")
    if not _sizes(shape):
        raise _Broken(f"{_short(name)} has the shape {_short(shape)}")
    if not _sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1] or start + offsets[1] > size:
        raise _Broken(
            f"the data of {_short(name)} would lie at {_short(offsets)}, and there are {size - start} bytes of data"
        )
    if product(tuple(shape)) * BITS[dtype] != 8 * (offsets[1] - offsets[0]):
        raise _Broken(
            f"{_short(name)}, {dtype} of shape {_short(tuple(shape))}, has {offsets[1] - offsets[0]} bytes of data"
        )
    return Held(dtype, tuple(shape), start + offsets[0], start + offsets[1])


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


def _short(value: Any) -> str:
    """A value as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
