"""A part as the training loop gets it: samples from their stores, augmented, scaled, with their targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from archdsl.training.data import augment
from archdsl.training.data.dataset import Batch
from archdsl.training.data.scale import PIXEL, Scale
from archdsl.training.data.stores import Store


@dataclass(frozen=True, eq=False)
class Samples:
    """A Split over the samples `rows` of its stores, which are one for each input of the spec.

    `target` is what Batch has, [rows of the stores, ...]; None: the (only) input is its own target. `changes` are the
    augmentations of inputs that are maps; `moves`: the target is of each position, and is moved as the input is.
    """

    stores: tuple[Store, ...]
    scales: tuple[Scale, ...]
    target: Tensor | None
    rows: Tensor
    label: Callable[[int], str]
    seed: int = 0
    changes: tuple[str, ...] = ()
    moves: bool = False

    @property
    def in_memory(self) -> bool:
        return all(store.in_memory for store in self.stores)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Sequence[int] | Tensor, epoch: int | None) -> Batch:
        rows = self.rows[torch.as_tensor(indices, dtype=torch.int64)]
        found = [store.take(rows) for store in self.stores]
        target = None if self.target is None else self.target.index_select(0, rows)
        if epoch is None or not self.changes:
            inputs = tuple(scale(x) for x, scale in zip(found, self.scales))
        else:
            inputs = tuple(self._augmented(x, scale, epoch, rows) for x, scale in zip(found, self.scales))
            if target is not None and self.moves:  # by a flip: `check_augment` lets no other through
                maps = target if target.ndim == 4 else target.unsqueeze(1)
                target = augment.apply(augment.AFTER, self.changes, maps, self.seed, epoch, rows).reshape(target.shape)
        return Batch(inputs, inputs[0] if target is None else target)

    def _augmented(self, x: Tensor, scale: Scale, epoch: int, rows: Tensor) -> Tensor:
        if x.ndim != 4:
            return scale(x)
        if not augment.BEFORE.keys().isdisjoint(self.changes):
            x = augment.apply(augment.BEFORE, self.changes, x.float() * PIXEL, self.seed, epoch, rows)
        return augment.apply(augment.AFTER, self.changes, scale(x), self.seed, epoch, rows)

    def name(self, index: int) -> str:
        return self.label(int(self.rows[index]))
