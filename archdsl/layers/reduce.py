"""Layers that reduce axes to one number, MEAN, SUM and NORM, and NORMALIZE, which divides by the norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import AXES, FLAG, INTEGER, REAL, arg
from archdsl.layers.axes import across_positions, feature_axis, find_axes, find_axis
from archdsl.layers.base import EVERYTHING, WHOLE, LayerError, Pointwise, Recorder, Trial
from archdsl.layers.code import Method, Torch, X, function
from archdsl.layers.maps import need_float
from archdsl.records import dataclass
from archdsl.tensor import TensorType


class Reduction(Pointwise):
    """A layer that makes one number of all those along its axes."""

    layout: ClassVar[str] = "any"

    variadic: ClassVar[str] = "axis"
    axis: Any
    keep: Any

    def axes(self, x: TensorType) -> tuple[int, ...]:
        """The axes that are reduced, counted without the batch."""
        if not self.axis:
            raise LayerError(
                "E210",
                f"{self.spec} needs the axes that it reduces, out of {x.rank} of {x}",
                argument="axis",
                trials=[Trial("axis", (1, 2) if x.rank == 3 else (0,))] if x.rank else [],
            )
        return find_axes(self.spec, self.axis, x)

    def shape(self, *x: TensorType) -> TensorType:
        need_float(self.spec, x[0])
        gone = self.axes(x[0])
        sizes = [(1 if a in gone else n) for a, n in enumerate(x[0].shape) if self.keep or a not in gone]
        return x[0]._replace(shape=tuple(sizes))

    def elementwise(self, *x: TensorType) -> int:
        return x[0].size

    def window(self, *x: TensorType) -> str | None:
        return EVERYTHING if across_positions(self.axes(x[0]), x[0]) else None

    def _dims(self, x: TensorType) -> int | tuple[int, ...]:
        dims = tuple(a + 1 for a in self.axes(x))
        return dims[0] if len(dims) == 1 else dims

    def _method(self, name: str, x: TensorType) -> Torch:
        return Torch(Method(X(), name, (self._dims(x),), (("keepdim", True),) if self.keep else ()))

    def _reduced(self, r: Recorder, operator: str, value: str, x: TensorType) -> str:
        return onnx_reduce(r, operator, value, [a + 1 for a in self.axes(x)], bool(self.keep))


def onnx_reduce(r: Recorder, operator: str, value: str, axes: Sequence[int], keep: bool) -> str:
    """A reduction over axes that count the batch. They are an input from opset 18 on, for ReduceSum in all."""
    if r.opset >= 18 or operator == "ReduceSum":
        return r.node(operator, [value, r.constant(list(axes), "int")], keepdims=int(keep))
    return r.node(operator, [value], axes=list(axes), keepdims=int(keep))


def onnx_norm(r: Recorder, value: str, p: float, axes: Sequence[int], keep: bool) -> str:
    """The p-norm over axes that count the batch."""
    if p in (1, 2):
        return onnx_reduce(r, f"ReduceL{int(p)}", value, axes, keep)
    powers = r.node("Pow", [r.node("Abs", [value]), r.constant(float(p))])
    return r.node("Pow", [onnx_reduce(r, "ReduceSum", powers, axes, keep), r.constant(1 / p)])


def need_order(p: float) -> None:
    """Raises E210 where there is no norm of order `p`."""
    if not 0 < p < float("inf"):
        message = f"a norm of order {p} does not exist: p lies above 0"
        raise LayerError("E210", message, argument="p", trials=[Trial("p", 2)])


@dataclass(frozen=True, eq=False, repr=False)
class Mean(Reduction):
    """The mean along axes: `MEAN(axes...)`, which are counted without the batch and must be given.

    MEAN(1, 2) makes CxHxW a C, with `keep=true` a Cx1x1.
    """

    spec: ClassVar[str] = "MEAN"

    axis: Any = arg(AXES, ())
    keep: Any = arg(FLAG, False)

    def torch(self, *x: TensorType) -> Torch:
        return self._method("mean", x[0])

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return self._reduced(r, "ReduceMean", names[0], x[0])


@dataclass(frozen=True, eq=False, repr=False)
class Sum(Reduction):
    """The sum along axes: `SUM(axes...)`, which are counted without the batch and must be given.

    SUM(0) makes LxF an F, with `keep=true` a 1xF.
    """

    spec: ClassVar[str] = "SUM"

    axis: Any = arg(AXES, ())
    keep: Any = arg(FLAG, False)

    def torch(self, *x: TensorType) -> Torch:
        return self._method("sum", x[0])

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return self._reduced(r, "ReduceSum", names[0], x[0])


@dataclass(frozen=True, eq=False, repr=False)
class Norm(Reduction):
    """The p-norm along axes, (sum |x|^p)^(1/p): `NORM(axes...)`, p = 2 if not given.

    The axes are counted without the batch and must be given; with `keep=true` they stay, of size 1.
    """

    spec: ClassVar[str] = "NORM"

    axis: Any = arg(AXES, ())
    p: Any = arg(REAL, 2)
    keep: Any = arg(FLAG, False)

    def shape(self, *x: TensorType) -> TensorType:
        need_order(self.p)
        return super().shape(*x)

    def torch(self, *x: TensorType) -> Torch:
        keep = {"keepdim": True} if self.keep else {}
        return function("torch.linalg.vector_norm", X(), ord=self.p, dim=self._dims(x[0]), **keep)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return onnx_norm(r, names[0], self.p, [a + 1 for a in self.axes(x[0])], bool(self.keep))


@dataclass(frozen=True, eq=False, repr=False)
class Normalize(Pointwise):
    """Vectors of length 1, x / max(norm, eps): `NORMALIZE`, with the 2-norm if `p` is not given. Any shape.

    Without `axis`, the vectors lie along the channels of a map (three axes or more), else along the last axis.
    """

    spec: ClassVar[str] = "NORMALIZE"

    p: Any = arg(REAL, 2)
    axis: Any = arg(INTEGER, None)
    eps: Any = arg(REAL, 1e-12)

    def found(self, x: TensorType) -> int:
        """The axis, counted without the batch."""
        return find_axis(self.spec, feature_axis(x) if self.axis is None else self.axis, x)

    def shape(self, *x: TensorType) -> TensorType:
        need_float(self.spec, x[0])
        need_order(self.p)
        self.found(x[0])
        return x[0]

    def elementwise(self, *x: TensorType) -> int:
        return 3 * x[0].size  # the norm takes two

    def window(self, *x: TensorType) -> str | None:
        return WHOLE if across_positions([self.found(x[0])], x[0]) else None

    def torch(self, *x: TensorType) -> Torch:
        given = {"p": (float(self.p), 2.0), "dim": (self.found(x[0]) + 1, 1), "eps": (self.eps, 1e-12)}
        return function("F.normalize", X(), **{key: value for key, (value, usual) in given.items() if value != usual})

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        norm = onnx_norm(r, names[0], self.p, [self.found(x[0]) + 1], keep=True)
        return r.node("Div", [names[0], r.node("Max", [norm, r.constant(float(self.eps))])])
