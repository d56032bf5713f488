"""Layers that move numbers and change none: RESHAPE, PERMUTE, SELECT, SLICE, CHUNK; ID moves nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import AXES, COUNT, INTEGER, WIDTH, Kind, arg, show
from archdsl.layers.axes import divisors, find_axis
from archdsl.layers.base import LayerError, Pointwise, Recorder, Trial
from archdsl.layers.code import Batch, Code, Item, Method, Span, Torch, X, module
from archdsl.layers.nodes import onnx_reshape
from archdsl.records import dataclass
from archdsl.tensor import Shape, TensorType, product


def _sizes(value: Any) -> tuple[int, ...] | None:
    sizes = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    whole = all(isinstance(v, int) and not isinstance(v, bool) and (v > 0 or v == -1) for v in sizes)
    return sizes if whole else None


@dataclass(frozen=True, eq=False, repr=False)
class Reshape(Pointwise):
    """The same numbers in the same order, in another shape: `RESHAPE(sizes...)`, or `RESHAPE(3x4)`.

    One of the sizes may be -1, which takes what the others leave: RESHAPE(768, -1) makes 768x14x14
    a 768x196. The batch is no part of it.
    """

    spec: ClassVar[str] = "RESHAPE"
    layout: ClassVar[str] = "any"
    variadic: ClassVar[str] = "sizes"

    sizes: Any = arg(Kind("a shape such as 3x49 or (3, -1)", _sizes))

    def shape(self, *x: TensorType) -> TensorType:
        given: Shape = self.sizes
        count, wanted = x[0].size, product(tuple(n for n in given if n != -1))
        if given.count(-1) > 1:
            message = f"RESHAPE has {given.count(-1)} sizes of -1, and only one can follow from the others"
            raise LayerError("E224", message, argument="sizes")
        if -1 in given and count % wanted == 0:
            return x[0]._replace(shape=tuple(count // wanted if n == -1 else n for n in given))
        if count == wanted and -1 not in given:
            return x[0]._replace(shape=given)
        rest = [] if -1 in given else [i for i, n in enumerate(given) if count % (wanted // n) == 0]
        sizes = [str(n) for n in given if n != -1]
        shown = f"{' times '.join(sizes)} = {wanted}" if len(sizes) > 1 else str(wanted)
        raise LayerError(
            "E224",
            f"{shown} does not divide the {count} elements of {x[0]}"
            if -1 in given
            else f"RESHAPE makes {shown} elements, and {x[0]} has {count}",
            argument="sizes",
            label=f"{count}/{wanted} = {count / wanted:.2f}" if -1 in given else f"{wanted} instead of {count}",
            trials=[Trial("sizes", (*given[:i], -1, *given[i + 1 :])) for i in rest],
        )

    def divisor(self, *x: TensorType) -> int:
        return product(tuple(n for n in self.sizes if n != -1))

    def torch(self, *x: TensorType) -> Torch:
        return Torch(Method(X(), "reshape", (Batch(), *self.sizes)))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return onnx_reshape(r, names[0], self.sizes)


@dataclass(frozen=True, eq=False, repr=False)
class Permute(Pointwise):
    """The axes in another order: `PERMUTE(axes...)`.

    Axis i of the output is axis `axes[i]` of the input, counted without the batch: PERMUTE(1, 2, 0)
    makes CxHxW a HxWxC, PERMUTE(1, 0) transposes.
    """

    spec: ClassVar[str] = "PERMUTE"
    layout: ClassVar[str] = "any"
    variadic: ClassVar[str] = "axes"

    axes: Any = arg(AXES)

    def order(self, x: TensorType) -> tuple[int, ...]:
        """The axes counted from the front; raises E224 where they are not each axis of `x` once."""
        order = tuple(a % x.rank if -x.rank <= a < x.rank else a for a in self.axes)
        if sorted(order) != list(range(x.rank)):
            raise LayerError(
                "E224",
                f"PERMUTE needs each axis of {x} once, 0 to {x.rank - 1}, and gets {', '.join(map(str, self.axes))}",
                argument="axes",
                trials=[Trial("axes", tuple(reversed(range(x.rank))))] if x.rank > 1 else [],
                help="axes are counted without the batch",
            )
        return order

    def shape(self, *x: TensorType) -> TensorType:
        return x[0]._replace(shape=tuple(x[0].shape[a] for a in self.order(x[0])))

    def torch(self, *x: TensorType) -> Torch:
        return Torch(Method(X(), "permute", (0, *(a + 1 for a in self.order(x[0])))))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Transpose", [names[0]], perm=[0, *(a + 1 for a in self.order(x[0]))])


@dataclass(frozen=True, eq=False, repr=False)
class Select(Pointwise):
    """One position along an axis, which is dropped: `SELECT(index)`, along axis 0.

    SELECT(0) makes a sequence of LxF its first vector, F; an index below 0 counts from the back.
    `axis` is counted without the batch.
    """

    spec: ClassVar[str] = "SELECT"
    layout: ClassVar[str] = "any"
    positional: ClassVar[tuple[str, ...]] = ("index",)

    index: Any = arg(INTEGER)
    axis: Any = arg(INTEGER, 0)

    def shape(self, *x: TensorType) -> TensorType:
        axis = find_axis(self.spec, self.axis, x[0])
        n = x[0].shape[axis]
        if not -n <= self.index < n:
            raise LayerError(
                "E227",
                f"index {self.index} lies outside axis {axis} of {x[0]}, which has {n} positions",
                argument="index",
                trials=[Trial("index", n - 1 if self.index > 0 else 0)],
            )
        return x[0]._replace(shape=x[0].shape[:axis] + x[0].shape[axis + 1 :])

    def torch(self, *x: TensorType) -> Torch:
        return Torch(cut(find_axis(self.spec, self.axis, x[0]), self.index))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        axis = find_axis(self.spec, self.axis, x[0])
        return r.node("Gather", [names[0], r.constant(self.index, "int")], axis=axis + 1)


@dataclass(frozen=True, eq=False, repr=False)
class Slice(Pointwise):
    """A stretch of positions along an axis, which is kept: `SLICE(start, stop, step)`, along axis 0.

    n becomes ceil((stop - start)/step), the positions from `start` up to but not including `stop`;
    below 0 they count from the back, and without `stop` the stretch goes to the end. Unlike Python's,
    a slice that reaches outside of the axis is an error.
    """

    spec: ClassVar[str] = "SLICE"
    positional: ClassVar[tuple[str, ...]] = ("start", "stop", "step")

    start: Any = arg(INTEGER, 0)
    stop: Any = arg(INTEGER, None)
    step: Any = arg(WIDTH, 1)
    axis: Any = arg(INTEGER, 0)

    def divisor(self, *x: TensorType) -> int:
        return int(self.step)

    def shape(self, *x: TensorType) -> TensorType:
        axis = find_axis(self.spec, self.axis, x[0])
        n = x[0].shape[axis]
        for argument, value in (("start", self.start), ("stop", self.stop)):
            if value is not None and not -n <= value <= n:
                raise LayerError(
                    "E227",
                    f"{argument} (={value}) lies outside axis {axis} of {x[0]}, which has {n} positions",
                    argument=argument,
                    trials=[Trial(argument, n if value > 0 else -n)],
                )
        kept = len(range(*slice(self.start, self.stop, self.step).indices(n)))
        if not kept:
            raise LayerError(
                "E227",
                f"SLICE keeps nothing of the {n} positions of axis {axis} of {x[0]}: "
                f"start is {self.start}, stop {show(n if self.stop is None else self.stop)}",
                argument="start" if self.stop is None else "stop",
            )
        return x[0]._replace(shape=(*x[0].shape[:axis], kept, *x[0].shape[axis + 1 :]))

    def torch(self, *x: TensorType) -> Torch:
        span = Span(self.start or None, self.stop, self.step if self.step > 1 else None)
        return Torch(cut(find_axis(self.spec, self.axis, x[0]), span))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        axis = find_axis(self.spec, self.axis, x[0])
        stop = x[0].shape[axis] if self.stop is None else self.stop
        return onnx_slice(r, names[0], self.start, stop, axis + 1, self.step)


@dataclass(frozen=True, eq=False, repr=False)
class Chunk(Pointwise):
    """The i-th of n equal parts of an axis, counted from 0: `CHUNK(i, n)`, along axis 0.

    Of CxHxW, CHUNK(0, 2) is the first half of the channels, C/2xHxW.
    """

    spec: ClassVar[str] = "CHUNK"
    positional: ClassVar[tuple[str, ...]] = ("i", "n")

    i: Any = arg(COUNT)
    n: Any = arg(WIDTH)
    axis: Any = arg(INTEGER, 0)

    def divisor(self, *x: TensorType) -> int:
        return int(self.n)

    def shape(self, *x: TensorType) -> TensorType:
        axis = find_axis(self.spec, self.axis, x[0])
        size = x[0].shape[axis]
        if size % self.n:
            raise LayerError(
                "E227",
                f"{self.n} parts do not divide axis {axis} of {x[0]}, which has {size} positions",
                argument="n",
                label=f"{size}/{self.n} = {size / self.n:.2f}",
                trials=[Trial("n", k) for k in divisors(size) if max(self.i, 1) < k < self.n][-1:],
            )
        if self.i >= self.n:
            raise LayerError(
                "E227",
                f"part {self.i} of {self.n} does not exist: parts are counted from 0 to {self.n - 1}",
                argument="i",
                trials=[Trial("i", self.n - 1)],
            )
        return x[0]._replace(shape=(*x[0].shape[:axis], size // self.n, *x[0].shape[axis + 1 :]))

    def torch(self, *x: TensorType) -> Torch:
        axis = find_axis(self.spec, self.axis, x[0]) + 1
        return Torch(Item(Method(X(), "chunk", (self.n,), (("dim", axis),)), self.i))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        axis = find_axis(self.spec, self.axis, x[0])
        part = x[0].shape[axis] // self.n
        return onnx_slice(r, names[0], self.i * part, (self.i + 1) * part, axis + 1)


class Identity(Pointwise):
    """What arrives, as it is: `ID`, also the meaning of an empty arm."""

    spec: ClassVar[str] = "ID"

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.Identity")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return names[0]


def cut(axis: int, index: Code) -> Item:
    """`x[:, :, index]`, the index at this axis, counted without the batch."""
    return Item(X(), (*(Span(),) * (axis + 1), index))


def onnx_slice(r: Recorder, value: str, start: int, stop: int, axis: int, step: int = 1) -> str:
    """The positions from start to stop of an axis, which counts the batch."""
    return r.node("Slice", [value, *(r.constant([v], "int") for v in (start, stop, axis, step))])
