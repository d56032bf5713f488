"""`.npz` files: arrays by name, such as x and y, or x_train, y_train, x_test, y_test."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from archdsl.tensor import show_shape
from archdsl.training.data.faults import fault, some
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.labels import ordered
from archdsl.training.data.limits import check_size
from archdsl.training.data.places import PARTS, part_of
from archdsl.training.data.stores import TensorStore

INPUTS = ("x", "image", "images", "data", "input", "inputs")
TARGETS = ("y", "label", "labels", "target", "targets")
"""What the one input, and the targets, may be called."""

_AFFIX = "|".join(name for names in PARTS.values() for name in names)
_BEFORE = re.compile(rf"({_AFFIX})[_-](.+)", re.IGNORECASE)
_AFTER = re.compile(rf"(.+)[_-]({_AFFIX})", re.IGNORECASE)


def read_npz(path: str, inputs: Sequence[str], part: str | None = None) -> Found:
    """The arrays of a file; `inputs` are the names of the network's inputs, `part` the one that all of it is.

    Raises ArchError: a damaged file or one that holds objects (E712), names that say nothing (E715).
    """
    arrays: dict[str, dict[str, NDArray[np.generic]]] = {}
    for name, values in _load(path).items():
        where, rest = _place(name)
        arrays.setdefault(part or where, {})[rest] = values
    parts = {}
    classes: tuple[str, ...] = ()
    texts = [a for named in arrays.values() for key, a in named.items() if _is_target(key) and a.dtype.kind in "US"]
    if texts:
        found = {str(name) for values in texts for name in np.unique(values)}
        classes = tuple(ordered(found))
    for where in sorted(arrays, key=["train", "valid", "test"].index):
        parts[where] = _part(path, where, arrays[where], inputs, classes)
    return Found(parts, classes, of_parts(parts, classes))


def _part(
    path: str, where: str, arrays: dict[str, NDArray[np.generic]], inputs: Sequence[str], classes: tuple[str, ...]
) -> Part:
    aim = [name for name in arrays if _is_target(name)]
    rest = {name: values for name, values in arrays.items() if name not in aim}
    if len(inputs) == 1 and len(rest) == 1 and next(iter(rest)).lower() in (*INPUTS, inputs[0].lower()):
        rest = {"": next(iter(rest.values()))}
    elif set(rest) != set(inputs):
        message = f"the arrays are {some(list(arrays))}, and the network's input is {some(list(inputs))}"
        help = (f"call them {', '.join('x' if len(inputs) == 1 else name for name in inputs)} and y",)
        raise fault("E715", message, file=path, help=help)
    if len(aim) > 1:
        raise fault("E715", f"several arrays are called as targets: {some(aim)}", file=path)
    for name, values in arrays.items():
        if not values.ndim:
            raise fault("E715", f"the array {name} is one number, not one for each sample", file=path)
    target = None
    if aim:
        values = arrays[aim[0]]
        if classes:
            index = {name: label for label, name in enumerate(classes)}
            values = np.array([index[str(name)] for name in values.tolist()], dtype=np.int64)
        target = to_tensor(values, path, aim[0])
    stores = {name: TensorStore(to_tensor(values, path, name)) for name, values in rest.items()}
    return Part(stores, target, (f"{path}:{where}[{{}}]" if where != "train" else f"{path}[{{}}]").format)


def _is_target(name: str) -> bool:
    return name.lower() in TARGETS


def _place(name: str) -> tuple[str, str]:
    """The part, and what is left of an array's name: ("test", "x") for `x_test` and `test_x`, else "train"."""
    for match, part, rest in ((_AFTER.fullmatch(name), 2, 1), (_BEFORE.fullmatch(name), 1, 2)):
        if match is not None:
            return part_of(match[part]) or "train", match[rest]
    return "train", name


def to_tensor(values: NDArray[np.generic], path: str, name: str) -> Tensor:
    """The array as uint8, int64 or float32; raises ArchError (E712) for one that is not of numbers."""
    kind = values.dtype.kind
    if kind not in "buif":
        raise fault("E712", f"the array {name} is of {values.dtype}, not of numbers", file=path)
    wanted: type = np.float32 if kind == "f" else np.uint8 if values.dtype == np.uint8 or kind == "b" else np.int64
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is told of later
        return torch.from_numpy(np.ascontiguousarray(values.astype(wanted)))


def _load(path: str) -> dict[str, NDArray[np.generic]]:
    """All arrays, read without pickle, each of just the size that its header says."""
    found: dict[str, NDArray[np.generic]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            check_size(sum(info.file_size for info in archive.infolist()), path, "what it holds")
            for info in archive.infolist():
                name = os.path.splitext(info.filename)[0]
                with archive.open(info) as stream:
                    found[name] = np.lib.format.read_array(_sized(stream, info), allow_pickle=False)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise fault("E712", f"the file is no whole .npz: {error}", file=path) from None
    except ValueError as error:
        message = f"the array {name} cannot be read: {str(error).splitlines()[0]}"
        raise fault("E712", message, file=path, help=("save arrays of numbers, not of objects",)) from None
    return found


def _sized(stream: IO[bytes], info: zipfile.ZipInfo) -> IO[bytes]:
    """The stream at its start again, where header and size agree; raises ValueError."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    size = dtype.itemsize
    for length in shape:
        size *= length
    if not dtype.hasobject and size != info.file_size - stream.tell():
        raise ValueError(f"its header says {show_shape(shape)}, and there are {info.file_size:,} bytes")
    stream.seek(0)
    return stream
