"""Images that lie somewhere as encoded files, and the store that they become once the network's input is known."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from archdsl.training.data.faults import fault
from archdsl.training.data.images import Broken, Data, Header, decode, look, quiet, reason

LOOKED_AT = 50_000
"""Headers that are read before training; of more images so many, evenly spread, and the others when they are used."""

CHUNK = 64
THREADS = 8  # Pillow decodes without holding the interpreter


class Encoded(Protocol):
    """Encoded images, wherever they are."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> Data:
        """The bytes of an image, or the path of its file; raises OSError."""

    def name(self, index: int) -> str:
        """What it is called in a message."""


class Files:
    """Images in files; `names` say in messages where each comes from, if not from its path."""

    def __init__(self, paths: Sequence[str], names: Sequence[str] | None = None) -> None:
        self._paths = paths
        self._names = paths if names is None else names

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, index: int) -> str:
        path = self._paths[index]
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe or a device might never end
            raise OSError("it is no ordinary file")
        return path

    def name(self, index: int) -> str:
        return self._names[index]


class Blobs:
    """Images in memory, still encoded; `names` as above."""

    def __init__(self, blobs: Sequence[bytes], names: Sequence[str]) -> None:
        self._blobs = blobs
        self._names = names

    def __len__(self) -> int:
        return len(self._blobs)

    def read(self, index: int) -> bytes:
        return self._blobs[index]

    def name(self, index: int) -> str:
        return self._names[index]


class Looked:
    """What the headers say: kinds of images by their header, each with an example, and what is broken."""

    def __init__(self, images: Encoded) -> None:
        count = len(images)
        self.all = count <= LOOKED_AT
        self.indices = range(count) if self.all else [i * count // LOOKED_AT for i in range(LOOKED_AT)]
        self.headers: Counter[Header] = Counter()
        self.examples: dict[Header, int] = {}
        self.broken: dict[int, str] = {}
        with quiet():
            for index in self.indices:
                try:
                    header = look(images.read(index))
                except (Broken, OSError) as error:
                    self.broken[index] = reason(error)
                    continue
                self.headers[header] += 1
                self.examples.setdefault(header, index)


class ImageStore:
    """Images as uint8 [N, channels, height, width], decoded whenever they are asked for."""

    in_memory = False
    dtype = torch.uint8

    def __init__(self, images: Encoded, shape: tuple[int, int, int], resize: bool) -> None:
        self._images = images
        self.shape = shape
        self._resize = resize

    def __len__(self) -> int:
        return len(self._images)

    def take(self, indices: Tensor) -> Tensor:
        """As every store; raises ArchError (E713) where an image cannot be read."""
        found = torch.empty((len(indices), *self.shape), dtype=torch.uint8)
        with quiet():
            for place, index in enumerate(indices.tolist()):
                try:
                    found[place] = self.decoded(index)
                except Broken as error:
                    raise fault("E713", f"an image cannot be read: {error}", file=self._images.name(index)) from None
        return found

    def decoded(self, index: int) -> Tensor:
        """One image; raises Broken."""
        try:
            data = self._images.read(index)
        except OSError as error:
            raise Broken(reason(error)) from None
        return decode(data, self.shape[0], (self.shape[1], self.shape[2]), self._resize)

    def all(self) -> tuple[Tensor, dict[int, str]]:
        """All images, and why some could not be read; those are left black."""
        values = torch.zeros((len(self), *self.shape), dtype=torch.uint8)
        return values, self.broken(values)

    def broken(self, values: Tensor | None = None) -> dict[int, str]:
        """Why some images cannot be read: all are decoded, into `values` where that is given."""
        found: dict[int, str] = {}

        def attempt(start: int) -> None:
            for index in range(start, min(start + CHUNK, len(self))):
                try:
                    image = self.decoded(index)
                except Broken as error:
                    found[index] = str(error)
                    continue
                if values is not None:
                    values[index] = image

        with quiet(), ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(attempt, range(0, len(self), CHUNK)))
        return dict(sorted(found.items()))
