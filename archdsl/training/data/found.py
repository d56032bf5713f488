"""What a reader finds at a place, before it is held against a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Union

from torch import Tensor

from archdsl.training.data.pictures import Encoded
from archdsl.training.data.stores import TensorStore

Samples = Union[TensorStore, Encoded]
"""What a reader gives for an input: numbers, or images that are not decoded yet."""


class Part(NamedTuple):
    """Samples of one part. `inputs` are by the name of the spec's input, "" where the data has one alone.

    `target` holds labels as int64 [N], or is what stands in the file, or None. `name` says which sample it is.
    """

    inputs: Mapping[str, Samples]
    target: Tensor | None
    name: Callable[[int], str]

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))


class Found(NamedTuple):
    """All of what lies at a place: `parts` by "train", "valid" and "test", "train" at least.

    `classes` are names in the order of the labels, () where the labels are bare numbers. `fingerprint` is a sha256.
    """

    parts: dict[str, Part]
    classes: tuple[str, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()
