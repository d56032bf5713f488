"""The mean and the spread of an input's channels over the samples that are trained on."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from archdsl.training.data.stores import Store

CHUNK = 512
DECODED = 5_000
"""Images that are decoded for it where they are not in memory, evenly spread."""
LEAST = 1e-8
"""The deviation below which a channel is taken for one that never changes, and left unscaled."""


def moments(store: Store, rows: Tensor, axis: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation for each channel, read piece by piece; pixels count from 0 to 1.

    Pixels that have no channels, as a row of 784, count as one. A channel that never changes gets a deviation of 1.
    """
    if not store.in_memory and len(rows) > DECODED:
        rows = rows[torch.arange(DECODED) * len(rows) // DECODED]
    if not len(rows):
        return (), ()
    mean, variance = (_of_pixels if store.dtype == torch.uint8 else _of_floats)(_channels(store, rows, axis))
    std = variance.clamp(min=0).sqrt()
    return tuple(mean.tolist()), tuple(torch.where(std > LEAST, std, torch.ones_like(std)).tolist())


def _channels(store: Store, rows: Tensor, axis: int) -> Iterator[Tensor]:
    """The samples in pieces, [channels, values]."""
    for start in range(0, len(rows), CHUNK):
        x = store.take(rows[start : start + CHUNK])
        flat = x.dtype == torch.uint8 and x.ndim == 2
        yield x.reshape(1, -1) if flat else x.movedim(axis + 1, 0).reshape(x.shape[axis + 1], -1)


def _of_pixels(pieces: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    """By how often each of the 256 values comes: exact, and an eighth of the work."""
    counts = sum(torch.stack([torch.bincount(channel, minlength=256) for channel in piece]) for piece in pieces)
    share = torch.as_tensor(counts).double()
    share /= share.sum(1, keepdim=True)
    values = torch.arange(256, dtype=torch.float64) / 255
    mean = share @ values
    return mean, (share * (values - mean[:, None]).square()).sum(1)


def _of_floats(pieces: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    """By sums in double precision, about the first piece's mean, so that the squares lose no digits."""
    count = 0
    shift = total = squares = torch.empty(0)
    for piece in pieces:
        x = piece.double()
        if not count:
            shift = x.mean(1)
            total, squares = torch.zeros_like(shift), torch.zeros_like(shift)
        x = x - shift[:, None]
        count += x.shape[1]
        total = total + x.sum(1)
        squares = squares + x.square().sum(1)
    return shift + total / count, squares / count - (total / count).square()
