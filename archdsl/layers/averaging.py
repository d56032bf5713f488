"""The averages of windows as ONNX says them."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.layers.base import Recorder
from archdsl.layers.padding import onnx_pad
from archdsl.shapes.windows import Slide
from archdsl.tensor import Dim, TensorType


def average(r: Recorder, value: str, slides: Sequence[Slide], pads: Sequence[tuple[int, int]], counted: bool) -> str:
    """An AveragePool with these paddings, which count in the mean or not."""
    return r.node(
        "AveragePool",
        [value],
        kernel_shape=[s.kernel for s in slides],
        strides=[s.stride for s in slides],
        pads=[*(b for b, _ in pads), *(a for _, a in pads)],
        count_include_pad=int(counted),
    )


def late_average(
    r: Recorder, value: str, x: TensorType, slides: Sequence[Slide], ends: Sequence[Dim], counted: bool
) -> str:
    """An average whose padding hangs on sizes that a run alone knows.

    It is that of the padded map, divided by that of ones with the same padding, which is 1 where it counts.
    """
    own = [(s.before, s.after) for s in slides]
    ones = r.node("Expand", [r.constant(1.0), r.constant([1, 1, *x.shape[1:]], "int")])
    ones = onnx_pad(r, ones, own, "zeros", float(counted))
    ones = onnx_pad(r, ones, [(0, end - s.after) for s, end in zip(slides, ends)], "zeros")
    value = onnx_pad(r, value, [(s.before, end) for s, end in zip(slides, ends)], "zeros")
    whole = [(0, 0)] * len(slides)
    return r.node("Div", [average(r, padded, slides, whole, True) for padded in (value, ones)])
