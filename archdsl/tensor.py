"""What flows along an edge of a network: a shape without the batch, and the type of its elements."""

from __future__ import annotations

from math import prod

from archdsl.records import NamedTuple

Dim = int
"""The size of one axis. A size that is an expression over the inputs' symbols will be a second kind of it."""

Shape = tuple[Dim, ...]


class TensorType(NamedTuple):
    """A tensor's shape without the batch, its element type, and whether it has a batch at all.

    `dtype` is "float", "int" or "bool". A tensor that no input reaches (a PARAM, a CONST and what is
    computed from them alone) is not `batched`: the backends give it a batch axis of size 1. `padded` counts, for
    each axis, the last positions that a PAD layer put there and a window may lose; empty where there are none.
    """

    shape: Shape
    dtype: str = "float"
    batched: bool = True
    padded: tuple[int, ...] = ()

    @property
    def rank(self) -> int:
        """The number of axes, the batch not counted."""
        return len(self.shape)

    @property
    def channels(self) -> Dim:
        """The size of the first axis: channels of a map, length of a sequence."""
        return self.shape[0]

    @property
    def features(self) -> Dim:
        """The size of the last axis."""
        return self.shape[-1]

    @property
    def size(self) -> int:
        """The number of elements for each item of the batch."""
        return product(self.shape)

    def __str__(self) -> str:
        return show_shape(self.shape) + ("" if self.dtype == "float" else f" of {self.dtype}")


def show_shape(shape: Shape) -> str:
    """`3x224x224`, the way that a spec writes a shape; `scalar` where there is no axis.

    Sizes that are expressions stand apart: `3 x 4*H x 4*W`.
    """
    sizes = [str(size) for size in shape]
    return (" x " if any(not size.isalnum() for size in sizes) else "x").join(sizes) or "scalar"


def product(sizes: Shape) -> int:
    """The product of the sizes, 1 for none."""
    return prod(sizes)
