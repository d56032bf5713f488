"""Which position of a map the nearest one is, as torch counts."""

from __future__ import annotations

import struct
from collections.abc import Callable

from archdsl.layers.base import Recorder
from archdsl.layers.nodes import onnx_range, onnx_scalar
from archdsl.shapes.late import known
from archdsl.tensor import Dim

MOST = 1 << 16
"""Positions that are looked at, or listed in a file, one by one."""


def nearest(n: int, out: int, mode: str) -> list[int]:
    """The position that each of `out` reads of `n`, as torch finds it in single precision.

    There 1/41 times 41 is below 1; onnxruntime's Resize divides by the inverse and rounds elsewhere.
    """
    place = _place(n, out, mode)
    return [place(i) for i in range(out)]


def _place(n: int, out: int, mode: str) -> Callable[[int], int]:
    half = 0.5 if mode == "nearest-exact" else 0.0
    scale = single(n / out)
    return lambda i: min(int(single((i + half) * scale)), n - 1)


def even(n: int, factor: int, mode: str) -> bool:
    """Whether torch reads each of n positions `factor` times, rounding or not; False where they are too many to see."""
    if n > MOST:
        return False
    place = _place(n, n * factor, mode)  # it never falls: the first and the last of each `factor` tell
    return all(place(factor * k) == k == place(factor * k + factor - 1) for k in range(n))


def onnx_nearest(r: Recorder, n: Dim, out: Dim, mode: str) -> str:
    """What `nearest` gives, computed in the run where a size is open or large: it has single precision too."""
    if known(n, out) and out <= MOST:
        return r.constant(nearest(n, out, mode), "int")
    size = onnx_scalar(r, n)
    scale = r.node("Div", [r.node("Cast", [v], to=1) for v in (size, onnx_scalar(r, out))])  # 1: float32
    place = r.node(
        "Add", [r.node("Cast", [onnx_range(r, out)], to=1), r.constant(0.5 if mode == "nearest-exact" else 0.0)]
    )
    found = r.node("Cast", [r.node("Floor", [r.node("Mul", [place, scale])])], to=7)  # 7: int64
    return r.node("Min", [found, r.node("Sub", [size, r.constant(1, "int")])])


def single(value: float) -> float:
    """The nearest number of single precision."""
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded
