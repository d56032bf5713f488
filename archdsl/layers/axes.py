"""Axes as arguments: counted without the batch, from the front or, below zero, from the back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import isqrt

from archdsl.layers.base import LayerError, Trial
from archdsl.tensor import TensorType


def find_axis(spec: str, axis: int, x: TensorType, argument: str = "axis") -> int:
    """The axis counted from the front; raises E209 where `x` has no such axis."""
    if -x.rank <= axis < x.rank:
        return axis % x.rank
    has = f"axes 0 to {x.rank - 1}" if x.rank > 1 else "axis 0 alone" if x.rank else "no axes"
    raise LayerError(
        "E209",
        f"{spec} has no axis {axis} to work on: {x} has {has}",
        argument=argument,
        trials=[Trial(argument, x.rank - 1)] if x.rank else [],
        help="axes are counted without the batch",
    )


def find_axes(spec: str, axes: Sequence[int], x: TensorType, argument: str = "axis") -> tuple[int, ...]:
    """The axes counted from the front, in order; raises E209 where `x` lacks one, or one is named twice."""
    found = sorted(find_axis(spec, axis, x, argument) for axis in axes)
    twice = next((a for a, b in pairwise(found) if a == b), None)
    if twice is not None:
        raise LayerError("E209", f"{spec} names axis {twice} of {x} twice", argument=argument)
    return tuple(found)


def feature_axis(x: TensorType) -> int:
    """The axis of the features: the channels of a map (three axes or more), else the last axis."""
    return 0 if x.rank >= 3 else x.rank - 1


def across_positions(axes: Sequence[int], x: TensorType) -> bool:
    """Whether one of the axes is one of positions: any but the channels of a map, the length of a sequence."""
    return any(axis != feature_axis(x) for axis in axes)


def divisors(n: int) -> list[int]:
    """The divisors of n up to 10,000 and those that go with them, in order."""
    return sorted(_divisors(n))


@lru_cache(maxsize=64)  # a wrong number of heads is told of each layer that has it
def _divisors(n: int) -> frozenset[int]:
    small = [k for k in range(1, min(isqrt(n), 10_000) + 1) if n % k == 0]
    return frozenset((*small, *(n // k for k in small)))
