"""The original MNIST's files, gzipped or not: `train-images-idx3-ubyte` and its like, as Fashion-MNIST's and EMNIST's.

Format: yann.lecun.com/exdb/mnist, "the IDX file format".
"""

from __future__ import annotations

import os
import re
import sys

import torch
from torch import Tensor

from archdsl.tensor import product, show_shape
from archdsl.training.data.faults import fault
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.limits import check_size, opened
from archdsl.training.data.places import part_of
from archdsl.training.data.stores import TensorStore

_NAME = re.compile(r"(?:.*[-_.])?([a-z0-9]+)[-_.](images|labels)[-_.]idx[13][-_.]ubyte(?:\.gz)?", re.IGNORECASE)
_TYPES = {8: torch.uint8, 9: torch.int8, 11: torch.int16, 12: torch.int32, 13: torch.float32, 14: torch.float64}


def idx_files(folder: str) -> dict[str, dict[str, str]]:
    """The paths of such files in a folder by part ("t10k" is "test") and by "images" and "labels"."""
    found: dict[str, dict[str, str]] = {}
    for name in sorted(os.listdir(folder), reverse=True):  # of a file and its .gz the plain one is taken
        match = _NAME.fullmatch(name)
        if match is not None:
            part = "test" if match[1].lower() == "t10k" else part_of(match[1])
            if part is not None:
                found.setdefault(part, {})[match[2].lower()] = os.path.join(folder, name)
    return found


def read_idx_folder(folder: str) -> Found:
    """The images and labels of all parts; raises ArchError (E711, E712, E717)."""
    files = idx_files(folder)
    parts: dict[str, Part] = {}
    for part in ("train", "valid", "test"):
        if part not in files:
            continue
        if "images" not in files[part]:
            raise fault(
                "E711", "there are labels in this file, and no file of images to them", file=files[part]["labels"]
            )
        path = files[part]["images"]
        if "labels" not in files[part]:
            raise fault("E711", "there are images in this file, and no file of labels to them", file=path)
        images, labels = read_idx(path), read_idx(files[part]["labels"])
        if labels.ndim != 1 or len(labels) != len(images):
            message = f"there are {show_shape(tuple(labels.shape))} labels to {len(images):,} images"
            raise fault("E711", message, file=files[part]["labels"])
        parts[part] = Part({"": TensorStore(images)}, labels.to(torch.int64), f"{path}:{{}}".format)
    return Found(parts, (), of_parts(parts, ()))


def read_idx(path: str) -> Tensor:
    """The array in a file; raises ArchError where it is none (E712) or too large (E717)."""
    with opened(path) as stream:
        magic = stream.read(4)
        if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES:
            raise fault(
                "E712", f"the file does not start as idx files do: {magic.hex(' ') or 'it is empty'}", file=path
            )
        sizes = stream.read(4 * magic[3])
        shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
        dtype = _TYPES[magic[2]]
        wanted = product(shape) * dtype.itemsize
        check_size(wanted, path, "what it says to hold")
        data = bytearray(stream.read(wanted))
        if len(shape) != magic[3] or len(data) < wanted:
            message = (
                f"the file ends after {len(data):,} bytes of {wanted:,}, the {show_shape(shape)} that it says to hold"
            )
            raise fault("E712", message, file=path)
        if stream.read(1):
            message = f"the file has more than the {show_shape(shape)} that it says to hold"
            raise fault("E712", message, file=path)
    if not wanted:
        return torch.empty(shape, dtype=dtype)
    if dtype.itemsize > 1 and sys.byteorder == "little":
        width = dtype.itemsize
        data = bytearray(torch.frombuffer(data, dtype=torch.uint8).reshape(-1, width).flip(1).numpy().tobytes())
    return torch.frombuffer(data, dtype=dtype).reshape(shape)
