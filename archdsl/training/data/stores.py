"""Where samples lie until a batch asks for them: in a tensor, or in files that are decoded each time."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Store(Protocol):
    """Samples of one input: `shape` of each as the spec counts it, `dtype` torch's."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def in_memory(self) -> bool: ...

    def __len__(self) -> int: ...

    def take(self, indices: Tensor) -> Tensor:
        """The samples at int64 `indices`, [N, *shape], in a tensor of their own."""


class TensorStore:
    """Samples in one tensor, [N, *shape]."""

    in_memory = True

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.shape = tuple(values.shape[1:])
        self.dtype = values.dtype

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Tensor) -> Tensor:
        return self.values.index_select(0, indices)
