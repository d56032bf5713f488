"""The mean and the spread of an input's channels over the samples that are trained on."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from archdsl.training.data.stores import Store

CHUNK = 512
DECODED = 5_000
"""Images that are decoded for it where they are not in memory, evenly spread."""


def moments(store: Store, rows: Tensor, axis: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation for each channel, read piece by piece; pixels count from 0 to 1.

    Pixels that have no channels, as a row of 784, count as one. A channel that never changes gets a deviation of 1.
    """
    if not store.in_memory and len(rows) > DECODED:
        rows = rows[torch.arange(DECODED) * len(rows) // DECODED]
    pixels = store.dtype == torch.uint8
    count, total, squares, shift = 0, None, None, None
    for start in range(0, len(rows), CHUNK):
        x = store.take(rows[start : start + CHUNK])
        x = x.reshape(-1, 1) if pixels and x.ndim == 2 else x.movedim(axis + 1, -1).reshape(-1, x.shape[axis + 1])
        x = x.double() / 255 if pixels else x.double()
        if shift is None or total is None or squares is None:
            shift = x.mean(0)  # sums of squares about a place nearby lose no digits
            total, squares = torch.zeros_like(shift), torch.zeros_like(shift)
        count += len(x)
        total += (x - shift).sum(0)
        squares += (x - shift).square().sum(0)
    if shift is None or total is None or squares is None:
        return (), ()
    mean = shift + total / count
    variance = squares / count - (total / count).square()
    std = (math.sqrt(max(0.0, v)) for v in variance.tolist())
    return tuple(mean.tolist()), tuple(s if s > 1e-8 else 1.0 for s in std)
