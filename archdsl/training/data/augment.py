"""Changed copies of the training samples, each a function of (seed, epoch, index) and of nothing else.

All work on a whole batch of maps [N, C, H, W] at once. What changes where things are comes after normalisation, so
that what has to be filled in, 0, is the mean of the training part. No sum over several numbers and no fused operation
is in them: what those give may hang, in its last bit, on the number of threads and on the place in the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from archdsl.training.data.hashing import mix, uniform

Draw = Callable[[int], Tensor]
"""For each sample of the batch a number from [0, 1): the k-th of those that a change needs."""


def flip(x: Tensor, draw: Draw) -> Tensor:
    """Left and right exchanged, every second time."""
    return torch.where((draw(0) < 0.5)[:, None, None, None], x.flip(-1), x)


def crop(x: Tensor, draw: Draw) -> Tensor:
    """Moved by up to 1/8 of the size (4 of 32) in both directions."""
    count, _, height, width = x.shape
    rows = _moved(height, draw(0))
    columns = _moved(width, draw(1))
    inside = ((rows >= 0) & (rows < height))[:, None, :, None] & ((columns >= 0) & (columns < width))[:, None, None, :]
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    flat = (rows[:, :, None] * width + columns[:, None, :]).reshape(count, 1, -1)
    moved = x.reshape(count, x.shape[1], -1).gather(2, flat.expand(-1, x.shape[1], -1)).reshape(x.shape)
    return moved.masked_fill(~inside, 0.0)


def _moved(size: int, chance: Tensor) -> Tensor:
    """For each sample the `size` positions that are read, [N, size]."""
    most = max(1, size // 8)
    return torch.arange(size) + ((chance * (2 * most + 1)).long() - most)[:, None]


def rotate(x: Tensor, draw: Draw) -> Tensor:
    """Turned by up to 10 degrees about the middle."""
    angle = (draw(0).double() * 2 - 1) * math.radians(10)
    cos, sin = (value.float()[:, None, None] for value in (angle.cos(), angle.sin()))
    height, width = x.shape[2:]
    down = (torch.arange(height) * 2 + 1)[:, None] / height - 1  # from -1 to 1, as grid_sample counts
    right = (torch.arange(width) * 2 + 1) / width - 1
    grid = torch.stack((cos * right - sin * down * (height / width), sin * right * (width / height) + cos * down), -1)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def erase(x: Tensor, draw: Draw) -> Tensor:
    """Every second time a rectangle left out, of 1/8 to 3/8 of each side (Zhong et al., 2017)."""
    rows = _stretch(x.shape[2], draw(0), draw(1))
    columns = _stretch(x.shape[3], draw(2), draw(3))
    here = rows[:, :, None] & columns[:, None, :] & (draw(4) < 0.5)[:, None, None]
    return x.masked_fill(here[:, None], 0.0)


def _stretch(size: int, length: Tensor, place: Tensor) -> Tensor:
    """For each sample which of `size` positions lie in a stretch, [N, size]."""
    wide = (size * (0.125 + 0.25 * length)).round()
    start = (place * (size - wide + 1)).floor()
    at = torch.arange(size)
    return (at >= start[:, None]) & (at < (start + wide)[:, None])


def color(x: Tensor, draw: Draw) -> Tensor:
    """Brightness and contrast changed by up to 20%; `x` is from 0 to 1 and stays there."""
    contrast, brightness = (0.8 + 0.4 * draw(k)[:, None, None, None] for k in (0, 1))
    return x.sub(0.5).mul_(contrast).add_(0.5).mul_(brightness).clamp_(0, 1)


BEFORE: dict[str, Callable[[Tensor, Draw], Tensor]] = {"color": color}
"""Changes of pixels from 0 to 1."""
AFTER: dict[str, Callable[[Tensor, Draw], Tensor]] = {"flip": flip, "crop": crop, "rotate": rotate, "erase": erase}
"""Changes of place, on normalised maps, in this order whatever the order they are asked for in."""
NAMES = (*AFTER, *BEFORE)


def apply(
    changes: dict[str, Callable[[Tensor, Draw], Tensor]], names: tuple[str, ...], x: Tensor, seed: int, epoch: int,
    indices: Tensor,
) -> Tensor:  # fmt: skip
    """The batch with those of `changes` that `names` asks for; `indices` are int64 [N]."""
    for name, change in changes.items():
        if name in names:
            x = change(x, _draws(mix(seed, 3, epoch, NAMES.index(name)), indices))
    return x


def _draws(key: int, indices: Tensor) -> Draw:
    return lambda k: uniform(mix(key, k), indices)
