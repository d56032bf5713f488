"""ONNX nodes over sizes, known or not, that several layers record."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.layers.base import Recorder
from archdsl.shapes.late import known
from archdsl.tensor import Dim


class TooMany(Exception):
    """A layer would be written as more nodes than a file is to have; the message says which."""


def onnx_reshape(r: Recorder, value: str, sizes: Sequence[Dim]) -> str:
    """The numbers in another shape, which begins behind the batch; one size may be -1, or known in a run alone."""
    late = [i for i, n in enumerate(sizes) if not known(n)]
    shape = [-1 if late == [i] else n for i, n in enumerate(sizes)]
    return r.node("Reshape", [value, r.constant([0, *shape], "int")])  # 0: the batch as it is


def onnx_scalar(r: Recorder, size: Dim) -> str:
    """A size as a tensor without axes."""
    return r.constant(size, "int") if known(size) else r.node("Squeeze", [r.constant([size], "int")])


def onnx_range(r: Recorder, size: Dim) -> str:
    """0, 1, ... up to a size."""
    return r.node("Range", [r.constant(0, "int"), onnx_scalar(r, size), r.constant(1, "int")])
