"""A part as the training loop gets it: samples from their stores, augmented, scaled, with their targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from archdsl.training.data.dataset import Batch
from archdsl.training.data.scale import Scale
from archdsl.training.data.stores import Store


@dataclass(frozen=True)
class Samples:
    """A Split over the samples `rows` of its stores, which are one for each input of the spec.

    `target` is what Batch has, [rows of the stores, ...]; None: the (only) input is its own target.
    """

    stores: tuple[Store, ...]
    scales: tuple[Scale, ...]
    target: Tensor | None
    rows: Tensor
    label: Callable[[int], str]

    @property
    def in_memory(self) -> bool:
        return all(store.in_memory for store in self.stores)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Sequence[int] | Tensor, epoch: int | None) -> Batch:
        rows = self.rows[torch.as_tensor(indices, dtype=torch.int64)]
        inputs = tuple(scale(store.take(rows)) for store, scale in zip(self.stores, self.scales))
        target = inputs[0] if self.target is None else self.target.index_select(0, rows)
        return Batch(inputs, target)

    def name(self, index: int) -> str:
        return self.label(int(self.rows[index]))
