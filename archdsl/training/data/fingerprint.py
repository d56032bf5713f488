"""What data is, as one hash: equal for equal data wherever it lies, and another for other data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol

from PIL import Image
from torch import Tensor

from archdsl.training.data.found import Part
from archdsl.training.data.pictures import Encoded, Files
from archdsl.training.data.stores import TensorStore

SAMPLED, HEAD = 256, 1 << 16
"""Encoded images whose content goes into the hash, evenly spread, and how much of each: all would take an epoch."""


class _Hash(Protocol):
    """What hashlib gives, which has no public name."""

    def update(self, data: Any, /) -> None: ...


def of_parts(parts: Mapping[str, Part], classes: Sequence[str]) -> str:
    """The hash of the classes' names, and of each part's targets and inputs.

    Of numbers all count; of images their number and the start of some of them, of files the size of each too.
    """
    digest = sha256(repr(tuple(classes)).encode("utf-8", "backslashreplace"))
    for key, part in sorted(parts.items()):
        digest.update(key.encode())
        for name, samples in part.inputs.items():
            digest.update(name.encode())
            if isinstance(samples, TensorStore):
                _numbers(digest, samples.values)
            else:
                _images(digest, samples)
        if part.target is not None:
            _numbers(digest, part.target)
    return digest.hexdigest()


def _numbers(digest: _Hash, values: Tensor) -> None:
    values = values.contiguous()
    digest.update(f"{values.dtype}{tuple(values.shape)}".encode())
    digest.update(values.numpy().data)


def _images(digest: _Hash, images: Encoded) -> None:
    count = len(images)
    sampled = {i * count // SAMPLED for i in range(SAMPLED)} if count else set()
    digest.update(f"{count}\0".encode())
    for index in range(count) if isinstance(images, Files) else sorted(sampled):
        size, head = _start(images, index, HEAD if index in sampled else 0)
        digest.update(f"{size}\0".encode())
        digest.update(head)


def _start(images: Encoded, index: int, length: int) -> tuple[int, bytes]:
    """The size of an encoded image, -1 where it cannot be read, and its first bytes."""
    try:
        data = images.read(index)
        if isinstance(data, bytes):
            return len(data), data[:length]
        if isinstance(data, Image.Image):
            return data.width * data.height, data.tobytes()[:length] if length else b""
        size = os.stat(data).st_size
        if not length:
            return size, b""
        with open(data, "rb") as stream:
            return size, stream.read(length)
    except OSError:
        return -1, b""
