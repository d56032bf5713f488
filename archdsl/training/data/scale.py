"""Numbers as the network gets them: pixels from 0 to 1, shifted and scaled by channel, ids as they are."""

from __future__ import annotations

import torch
from torch import Tensor

PIXEL = 1 / 255


class Scale:
    """(x - mean)/std as float32 with one factor and one term for each channel; `axis` is that of the channels.

    Multiplied and added by one operation each: fused, the last bit may hang on where in a batch a number stands.

    Empty `mean`: floats are left as they are and uint8 pixels become 0 to 1. `ids`: int64, unchanged.
    """

    def __init__(
        self, mean: tuple[float, ...] = (), std: tuple[float, ...] = (), *, rank: int, axis: int, ids: bool = False
    ) -> None:
        self.ids = ids
        shape = [1] * (rank + 1)
        shape[axis + 1] = -1
        shift = torch.tensor(mean or (0.0,), dtype=torch.float64).reshape(shape)
        factor = 1 / torch.tensor(std or (1.0,), dtype=torch.float64).reshape(shape)
        self.plain = not mean
        self.of_pixels = (PIXEL * factor).float(), (-shift * factor).float()
        self.of_floats = factor.float(), (-shift * factor).float()

    def __call__(self, x: Tensor) -> Tensor:
        if self.ids:
            return x
        if x.dtype == torch.uint8:
            factor, term = self.of_pixels
        elif self.plain:
            return x.float()
        else:
            factor, term = self.of_floats
        return x.to(torch.float32, copy=True).mul_(factor).add_(term)
