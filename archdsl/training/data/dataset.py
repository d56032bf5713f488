"""The types that data is handed over in: a batch, a part that gives batches, and the whole of what was opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from torch import Tensor


class Batch(NamedTuple):
    """Samples of a part, the batch axis first.

    `inputs` has a tensor for each input of the spec, in its order: float32 and normalised, or int64 where the spec's
    input is `of int`. `target` is int64 [N] for classes, int64 [N, T] or [N, H, W] where the scores have a class
    for each position, and float32 of the output's shape for tensors and under a SIGMOID.
    """

    inputs: tuple[Tensor, ...]
    target: Tensor


class Split(Protocol):
    """A part of the data: the samples to train on, or those to judge by.

    `in_memory`: a batch costs next to nothing, so that processes to make it (`workers`) would only be in the way.
    """

    @property
    def in_memory(self) -> bool: ...

    def __len__(self) -> int:
        """The number of samples."""

    def batch(self, indices: Sequence[int] | Tensor, epoch: int | None) -> Batch:
        """The samples at `indices`; augmented as a function of (seed, epoch, index), or not at all without an epoch.

        Raises ArchError (E713) where a sample that is read only now cannot be read.
        """

    def name(self, index: int) -> str:
        """What a sample is called in a message: `train/cat/004.png`, `mnist.csv:17`."""


class Normalisation(NamedTuple):
    """What inputs are shifted and scaled by, (x - mean)/std; for each input of the spec a number for each channel.

    Images count from 0 to 1. An input that is left as it is, such as one of ids, has empty tuples.
    """

    mean: tuple[tuple[float, ...], ...]
    std: tuple[tuple[float, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """As run.json has it."""
        return {"mean": [list(m) for m in self.mean], "std": [list(s) for s in self.std]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Normalisation:
        """Read back what `to_dict` gave, numbers exactly as they were."""
        return cls(*(tuple(tuple(float(x) for x in channels) for channels in stored[key]) for key in ("mean", "std")))


class Data(NamedTuple):
    """Data that fits the network.

    `kind` is "classes", "tensors" or "text". `classes` are the names in the order of the labels, or the characters in
    the order of the ids. `fingerprint` is a sha256 of what the data is. `notes` say what was decided or left out,
    a line each.
    """

    source: str
    kind: str
    train: Split
    valid: Split
    test: Split | None
    classes: tuple[str, ...]
    normalisation: Normalisation | None
    fingerprint: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class DataOptions:
    """How data is to be opened. What an earlier run stored is given back in `normalisation` and `classes`.

    `valid_part` is the share of samples that is held back where the data has no validation part of its own; 0 holds
    none back. `skip` leaves out what cannot be read and names it in the notes, where it would be an error otherwise.
    `cache` is how many bytes of decoded images are kept in memory; beyond, files are decoded again in each epoch.
    """

    seed: int = 0
    augment: tuple[str, ...] = ()
    resize: bool = False
    valid_part: float = 0.2
    skip: bool = False
    normalisation: Normalisation | None = None
    classes: tuple[str, ...] = ()
    cache: int = 1 << 30
