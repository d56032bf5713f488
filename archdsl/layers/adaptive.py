"""Pooling to a given size, 1 for GAP: the windows follow from what arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd

from archdsl.annotations import Any, ClassVar, Union
from archdsl.layers.arguments import SIZES, arg, per_axis
from archdsl.layers.base import EVERYTHING, Layer, Recorder, Weight, Window
from archdsl.layers.code import Torch, module
from archdsl.layers.maps import need_map
from archdsl.layers.nodes import TooMany, onnx_range, onnx_reshape, onnx_scalar
from archdsl.layers.padding import onnx_reduce, onnx_slice, short
from archdsl.records import dataclass
from archdsl.shapes.late import known
from archdsl.tensor import Dim, TensorType, product


class Gap(Layer):
    """Global average pooling: the mean of each channel over all positions (Lin et al., "Network in Network").

    Cx... becomes Cx1, Cx1x1 or Cx1x1x1: the axes stay, so that a CONV may follow; FC flattens by itself.
    """

    spec: ClassVar[str] = "GAP"
    layout: ClassVar[str] = "map"

    def shape(self, *x: TensorType) -> TensorType:
        rank = need_map(self.spec, x[0])
        return TensorType((x[0].channels, *(1,) * rank), "float", x[0].batched)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        return 0

    def elementwise(self, *x: TensorType) -> int:
        return x[0].size

    def window(self, *x: TensorType) -> str:
        return EVERYTHING

    def torch(self, *x: TensorType) -> Torch:
        return module(f"nn.AdaptiveAvgPool{x[0].rank - 1}d", 1)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return onnx_reduce(r, "ReduceMean", names[0], range(2, x[0].rank + 1))


def _window(longer: tuple[int, ...], axes: Sequence[tuple[int, int]]) -> Window:
    """Strides of n/out; the first output's centre lies in the middle of the first n/out positions."""
    from fractions import Fraction  # as in convolution.py

    strides = tuple(Fraction(n, out) for n, out in axes)
    return Window(longer, strides, tuple(Fraction(e - 1, 2) - (s - 1) / 2 for e, s in zip(longer, strides)))


MOST_NUMBERS = 1 << 20
"""Of a matrix that stands in a file; a larger one is worked out in the run."""

MOST_WINDOWS = 4096
"""That are written one by one."""


def spans(n: int, out: int) -> list[tuple[int, int]]:
    """The positions that each of `out` windows over `n` reads: floor(i*n/out) up to ceil((i + 1)*n/out)."""
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


def longest(n: int, out: int) -> int:
    """The length of the longest of `spans(n, out)`: with both divided by what they share, every remainder occurs."""
    common = gcd(n, out)
    return -(-(out // common - 1 + n // common) // (out // common))


class Adaptive(Layer):
    """What both have in common."""

    layout: ClassVar[str] = "map"

    size: Any

    def sizes(self, x: TensorType) -> tuple[int, ...]:
        """The output's size along each axis of the map."""
        return per_axis(self.size, need_map(self.spec, x))

    def shape(self, *x: TensorType) -> TensorType:
        return TensorType((x[0].channels, *self.sizes(x[0])), "float", x[0].batched)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        return 0

    def elementwise(self, *x: TensorType) -> int:
        return x[0].size

    def window(self, *x: TensorType) -> Union[Window, str]:
        axes = list(zip(x[0].shape[1:], self.sizes(x[0])))
        if all(out == 1 for _, out in axes):
            return EVERYTHING
        longer = tuple(longest(n, out) for n, out in axes)
        return _window(longer, axes)

    def torch(self, *x: TensorType) -> Torch:
        sizes = self.sizes(x[0])
        return module(f"nn.{type(self).__name__}{len(sizes)}d", short(sizes))

    def pool(self, r: Recorder, operator: str, value: str, x: TensorType) -> str:
        """Windows that are all of one size, without overlap: the map's sizes are divisible."""
        if all(out == 1 for out in self.sizes(x)):
            return onnx_reduce(
                r, {"AveragePool": "ReduceMean", "MaxPool": "ReduceMax"}[operator], value, range(2, x.rank + 1)
            )
        steps = [n // out for n, out in zip(x.shape[1:], self.sizes(x))]
        return r.node(operator, [value], kernel_shape=steps, strides=steps)

    def divides(self, x: TensorType) -> bool:
        """Whether all windows are of one size, without overlap, and known; one window alone need not be."""
        return all(out == 1 for out in self.sizes(x)) or all(
            known(n) and n % out == 0 for n, out in zip(x.shape[1:], self.sizes(x))
        )


@dataclass(frozen=True, eq=False, repr=False)
class AdaptiveAvgPool(Adaptive):
    """Average pooling to a given size: `ADAPTIVEAVGPOOL(7)`, or one for each axis, `ADAPTIVEAVGPOOL(7x5)`.

    Cx... becomes Cx size. As in torch, output i is the mean of the positions from floor(i*n/size) up to
    ceil((i + 1)*n/size): windows of one size where `size` divides n, else of two sizes that overlap. A
    size above n repeats positions. GAP is the size 1.
    """

    spec: ClassVar[str] = "ADAPTIVEAVGPOOL"
    positional: ClassVar[tuple[str, ...]] = ("size",)

    size: Any = arg(SIZES)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        if self.divides(x[0]):
            return self.pool(r, "AveragePool", names[0], x[0])
        value, done = names[0], list(x[0].shape)
        for axis, out in enumerate(self.sizes(x[0]), 1):
            n = done[axis]
            behind = len(done) - 1 - axis
            done[axis] = out
            if known(n) and n == out:
                continue
            means = onnx_means(r, n, out, transposed=behind == 0)
            if behind == 0:
                value = r.node("MatMul", [value, means])
            elif behind == 1:
                value = r.node("MatMul", [means, value])
            else:  # the planes of a map of 3 axes: what lies behind them as one axis
                flat = onnx_reshape(r, value, [done[0], n, product(tuple(done[2:]))])
                value = r.node("MatMul", [means, flat])
                value = onnx_reshape(r, value, done)
        return value


def onnx_means(r: Recorder, n: Dim, out: int, transposed: bool) -> str:
    """The matrix whose row i, or with `transposed` column i, has 1/length where window i of `spans(n, out)` lies."""
    if known(n) and n * out <= MOST_NUMBERS:
        rows = [[1 / (b - a) if a <= i < b else 0.0 for i in range(n)] for a, b in spans(n, out)]
        return r.constant([list(column) for column in zip(*rows)] if transposed else rows)
    size, positions = onnx_scalar(r, n), onnx_range(r, n)
    if out <= MOST_WINDOWS:
        windows = r.constant([[i] for i in range(out)], "int")
    else:
        windows = r.node("Unsqueeze", [onnx_range(r, out), r.constant([1], "int")])
    count = r.constant(out, "int")
    begin = r.node("Div", [r.node("Mul", [windows, size]), count])
    after = r.node("Mul", [r.node("Add", [windows, r.constant(1, "int")]), size])
    end = r.node("Div", [r.node("Add", [after, r.constant(out - 1, "int")]), count])
    inside = r.node("And", [r.node("Less", [positions, end]), r.node("Not", [r.node("Less", [positions, begin])])])
    length = r.node("Cast", [r.node("Sub", [end, begin])], to=1)  # 1: float32
    means = r.node("Div", [r.node("Cast", [inside], to=1), length])
    return r.node("Transpose", [means], perm=[1, 0]) if transposed else means


@dataclass(frozen=True, eq=False, repr=False)
class AdaptiveMaxPool(Adaptive):
    """Max pooling to a given size: `ADAPTIVEMAXPOOL(7)`, or one for each axis, `ADAPTIVEMAXPOOL(7x5)`.

    Cx... becomes Cx size. As in torch, output i is the greatest of the positions from floor(i*n/size) up
    to ceil((i + 1)*n/size): windows of one size where `size` divides n, else of two sizes that overlap.
    `ADAPTIVEMAXPOOL(1)` is global max pooling.
    """

    spec: ClassVar[str] = "ADAPTIVEMAXPOOL"
    positional: ClassVar[tuple[str, ...]] = ("size",)

    size: Any = arg(SIZES)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        if self.divides(x[0]):
            return self.pool(r, "MaxPool", names[0], x[0])
        value = names[0]
        for axis, (n, out) in enumerate(zip(x[0].shape[1:], self.sizes(x[0])), 2):
            if not known(n) or n != out:
                if out > MOST_WINDOWS:
                    raise TooMany(f"{self.spec} to {out:_} windows of several lengths takes a node for each")
                parts = [
                    onnx_reduce(r, "ReduceMax", onnx_slice(r, value, axis, a, b), [axis]) for a, b in spans(n, out)
                ]
                value = r.node("Concat", parts, axis=axis)
        return value
