"""Weights from a .safetensors file: eight bytes of header length, a JSON header, the tensors' data.

The format: https://github.com/huggingface/safetensors#format. A file is input from anywhere: everything in
its header is checked before any of it is believed.
"""

from __future__ import annotations

import json

from archdsl.annotations import Any
from archdsl.backends.onnx.files import Broken, Held, WeightsFile, short
from archdsl.tensor import product

LONGEST_HEADER = 100_000_000  # the limit of the safetensors library

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E8M0": 8, "F8_E4M3": 8, "F8_E5M2": 8,
}  # fmt: skip
"""The format's element types and the bits of one element."""


class SafeTensors(WeightsFile):
    """An open file: its `tensors` by name. Raises ArchError E602 where it cannot be read or is broken."""

    kind = "safetensors file"

    def header(self) -> dict[str, Held]:
        """The tensors by the JSON header."""
        if self.size < 8:
            raise Broken(f"it has {self.size} bytes, and a header's length alone takes 8")
        if self.read(0, 4) == b"PK\x03\x04":
            raise Broken("it is a zip, as numpy.savez and torch.save make them: of these torch's are read, called .pt")
        length = int.from_bytes(self.read(0, 8), "little")
        if length > LONGEST_HEADER:
            raise Broken(f"its header would have {length} bytes, more than the format allows ({LONGEST_HEADER})")
        if 8 + length > self.size:
            raise Broken(f"its header would have {length} bytes, and {self.size - 8} follow")
        return _header(self.read(8, length), self.size)


def _header(text: bytes, size: int) -> dict[str, Held]:
    try:
        found = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Broken(f"its header is no JSON text ({error})") from None
    if not isinstance(found, dict):
        raise Broken("its header is no JSON object")
    metadata = found.pop("__metadata__", {})
    if not isinstance(metadata, dict) or any(not isinstance(value, str) for value in metadata.values()):
        raise Broken("its metadata is no table of texts")
    start = 8 + len(text)
    tensors = {name: _entry(name, value, start, size) for name, value in found.items()}
    end = start
    for name, held in sorted(tensors.items(), key=lambda item: item[1][2:]):
        if held.start != end:
            raise Broken(
                f"the data of {short(name)} {'overlaps that of another' if held.start < end else 'leaves a gap'}"
            )
        end = held.end
    if end != size:
        raise Broken(f"{size - end} bytes at its end belong to no tensor")
    return tensors


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Broken(f"{short(key)} stands twice in its header")
        found[key] = value
    return found


def _no_number(text: str) -> float:
    raise Broken(f"{text} stands in its header")


def _entry(name: str, value: Any, start: int, size: int) -> Held:
    if not isinstance(value, dict) or not {"dtype", "shape", "data_offsets"} <= set(value):
        raise Broken(f"{short(name)} has no dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise Broken(f"{short(name)} is of the type {short(dtype)}, which the format does not have")
    if not _sizes(shape):
        raise Broken(f"{short(name)} has the shape {short(shape)}")
    if not _sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1] or start + offsets[1] > size:
        raise Broken(
            f"the data of {short(name)} would lie at {short(offsets)}, and there are {size - start} bytes of data"
        )
    if product(tuple(shape)) * BITS[dtype] != 8 * (offsets[1] - offsets[0]):
        raise Broken(
            f"{short(name)}, {dtype} of shape {short(tuple(shape))}, has {offsets[1] - offsets[0]} bytes of data"
        )
    return Held(dtype, tuple(shape), start + offsets[0], start + offsets[1])


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)
