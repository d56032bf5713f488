"""What data is, as one hash: equal for equal data wherever it lies, and another for other data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol

from torch import Tensor

from archdsl.training.data.found import Part
from archdsl.training.data.stores import TensorStore


class _Hash(Protocol):
    """What hashlib gives, which has no public name."""

    def update(self, data: Any, /) -> None: ...


def of_parts(parts: Mapping[str, Part], classes: Sequence[str]) -> str:
    """The hash of data in memory: of each number of each part, and of the classes' names."""
    digest = sha256(repr(tuple(classes)).encode())
    for key, part in sorted(parts.items()):
        digest.update(key.encode())
        for name, store in part.inputs.items():
            if isinstance(store, TensorStore):
                digest.update(name.encode())
                _add(digest, store.values)
        if part.target is not None:
            _add(digest, part.target)
    return digest.hexdigest()


def _add(digest: _Hash, values: Tensor) -> None:
    values = values.contiguous()
    digest.update(f"{values.dtype}{tuple(values.shape)}".encode())
    digest.update(values.numpy().data)
