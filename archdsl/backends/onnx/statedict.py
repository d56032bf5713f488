"""Weights from a file that torch.save wrote (.pt, .pth): a zip of a pickle and of the storages' plain bytes.

It is read here, without torch: the pickle by `opcodes`, which runs nothing, the bytes straight from their place
in the zip, in chunks. `torch.load(weights_only=True)` would be as safe, but it needs torch and the file's size in
memory, and the ONNX backend needs neither.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping

import numpy as np

from archdsl.annotations import Any
from archdsl.backends.onnx.files import CHUNK, Broken, Held, WeightsFile, short
from archdsl.backends.onnx.opcodes import Global, Refused, Strided, run
from archdsl.tensor import product

STORAGES = {
    "FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}  # fmt: skip
"""torch's names of storages and our element types."""

WIDTHS = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
LONGEST_PICKLE = 100_000_000
MOST_ENTRIES = 1_000_000
WITHIN = ("state_dict", "model_state_dict", "model")
"""Where a checkpoint keeps the state_dict."""


class StateDict(WeightsFile):
    """An open state_dict: its `tensors` by name. Raises ArchError E602 where it cannot be read or is broken."""

    def header(self) -> dict[str, Held]:
        """The tensors, and where each one's data lies."""
        if self.read(0, 4) != b"PK\x03\x04":
            if self.read(0, 2) in (b"\x80\x02", b"\x80\x03", b"\x80\x04"):
                raise Broken("it has the form of torch before 1.6, not a zip: load it with torch and save it again")
            raise Broken("it is no zip file, as torch.save makes them")
        try:
            with zipfile.ZipFile(self.stream) as archive:
                return self._tensors(archive)
        except (zipfile.BadZipFile, struct.error, NotImplementedError, EOFError, RuntimeError, UnicodeError) as error:
            raise Broken(f"its zip is damaged ({error})") from None
        except Refused as error:
            raise Broken(str(error)) from None

    def _tensors(self, archive: zipfile.ZipFile) -> dict[str, Held]:
        entries = {info.filename: info for info in archive.infolist()}
        if len(entries) > MOST_ENTRIES or len(entries) < len(archive.infolist()):
            raise Broken("its zip has too many entries, or two of one name")
        pickles = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise Broken("its zip has no data.pkl, or several")
        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in entries and self._small(entries[f"{root}byteorder"], 16) != b"little":
            raise Broken("its numbers are big-endian")
        found = run(self._small(entries[f"{root}data.pkl"], LONGEST_PICKLE))
        places: dict[str, tuple[int, int]] = {}
        result = {}
        for name, value in _state(found).items():
            result[name] = self._held(name, value, root, entries, places)
        return result

    def _small(self, info: zipfile.ZipInfo, most: int) -> bytes:
        start, size = self._place(info)
        if size > most:
            raise Broken(f"{short(info.filename)} has {size} bytes, and {most} is the limit")
        return self.read(start, size)

    def _place(self, info: zipfile.ZipInfo) -> tuple[int, int]:
        """Where an entry's bytes lie in the file: torch does not compress."""
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
            raise Broken(f"{short(info.filename)} is compressed or encrypted, which torch.save does not do")
        head = self.read(info.header_offset, 30)
        if len(head) < 30 or head[:4] != b"PK\x03\x04":
            raise Broken(f"{short(info.filename)} is not where its zip says")
        name, extra = struct.unpack("<HH", head[26:30])
        start = info.header_offset + 30 + name + extra
        if start + info.file_size > self.size:
            raise Broken(f"{short(info.filename)} would end behind the file")
        return start, info.file_size

    def _held(
        self,
        name: str,
        value: Strided,
        root: str,
        entries: Mapping[str, zipfile.ZipInfo],
        places: dict[str, tuple[int, int]],
    ) -> Held:
        match value.storage.id:
            case ("storage", Global(kind), str(key), str(), int()):
                dtype = STORAGES.get(kind.rpartition(" ")[2]) if kind.startswith("torch ") else None
            case _:
                raise Broken(f"the storage of {short(name)} is none of torch's")
        if dtype is None:
            raise Broken(f"{short(name)} is of a type that is not read, {short(kind)}")
        entry = f"{root}data/{key}"
        if entry not in entries:
            raise Broken(f"the data of {short(name)} is missing")
        if entry not in places:
            places[entry] = self._place(entries[entry])
        start, size = places[entry]
        width = WIDTHS[dtype]
        reach = 1 + sum((n - 1) * step for n, step in zip(value.shape, value.stride)) if product(value.shape) else 0
        if reach and (value.offset + reach) * width > size:
            raise Broken(f"{short(name)}, {dtype} of shape {short(value.shape)}, has only {size} bytes of data")
        if product(value.shape) * width >= 2**63:  # a stretched one has few bytes here, and is as large elsewhere
            raise Broken(f"{short(name)} of shape {short(value.shape)} is larger than a tensor can be")
        begin = start + value.offset * width
        stride = None if _dense(value) else value.stride
        return Held(dtype, value.shape, begin, begin + reach * width, stride)

    def parts(self, held: Held) -> Iterator[bytes]:
        """A tensor's bytes in order; those of a view that is none of its storage's stretches are gathered in chunks."""
        if held.stride is None:
            yield from super().parts(held)
            return
        width = WIDTHS[held.dtype]
        data = np.frombuffer(self.exactly(held.start, held.end - held.start), dtype=f"V{width}")
        steps = tuple(step * width if n > 1 else 0 for n, step in zip(held.shape, held.stride))
        view = np.lib.stride_tricks.as_strided(data, held.shape, steps, writeable=False).flat
        for start in range(0, len(view), CHUNK // width):
            yield view[start : start + CHUNK // width].tobytes()


def _dense(value: Strided) -> bool:
    """Whether its elements lie one behind the other."""
    step = 1
    for n, stride in zip(reversed(value.shape), reversed(value.stride)):
        if n != 1 and stride != step:
            return product(value.shape) == 0
        step *= n
    return True


def _state(found: Any) -> dict[str, Strided]:
    """The tensors by name, of a state_dict or of the one that a checkpoint holds."""
    if isinstance(found, dict) and not any(isinstance(value, Strided) for value in found.values()):
        inner = [found[name] for name in WITHIN if isinstance(found.get(name), dict)]
        found = inner[0] if inner else found
    if not isinstance(found, dict):
        raise Broken("it holds no state_dict: save net.state_dict(), not the module")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Strided):
            raise Broken(f"{short(name)} in it is no tensor: save net.state_dict() alone")
    return found
