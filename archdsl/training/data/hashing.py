"""Random numbers without state: each is a function of a seed and of what it is for, by the splitmix64 finalizer.

Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
"""

from __future__ import annotations

import torch
from torch import Tensor

_MASK = (1 << 64) - 1


def mix(*keys: int) -> int:
    """64 bits that hang on all the keys and on their order."""
    state = 0
    for key in keys:
        z = (state + (key & _MASK) + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        state = z ^ (z >> 31)
    return state


def uniform(key: int, indices: Tensor) -> Tensor:
    """For each of the int64 `indices` a float32 from [0, 1), the same wherever and with whatever others it is asked."""
    z = indices + _signed((key + 0x9E3779B97F4A7C15) & _MASK)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ _right(z, shift)) * _signed(factor)
    return _right(z ^ _right(z, 31), 40).to(torch.float32) * 2.0**-24


def permutation(count: int, *keys: int) -> Tensor:
    """The numbers below `count` in an order that hangs on the keys alone."""
    generator = torch.Generator().manual_seed(mix(*keys) >> 1)
    return torch.randperm(count, generator=generator)


def _right(z: Tensor, shift: int) -> Tensor:
    """A shift that brings in zeros, as torch's of int64 does not."""
    return (z >> shift) & ((1 << (64 - shift)) - 1)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
