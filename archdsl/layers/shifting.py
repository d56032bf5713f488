"""Maps made larger at their ends, and moved around: PAD and ROLL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar, Union
from archdsl.layers.arguments import AXES, OFFSETS, PADS, REAL, Mismatch, arg, word
from archdsl.layers.axes import find_axes, find_axis
from archdsl.layers.base import LayerError, Pointwise, Recorder, Trial, Window
from archdsl.layers.code import Torch, X, call, function
from archdsl.layers.maps import need_float, need_map
from archdsl.layers.padding import MODES, check_mode, onnx_pad, onnx_slice, torch_pads
from archdsl.records import dataclass
from archdsl.shapes.late import known
from archdsl.tensor import TensorType

Pads = list[tuple[int, int]]


@dataclass(frozen=True, eq=False, repr=False)
class Pad(Pointwise):
    """A map with more at its ends: `PAD(1)`, `PAD(1x0)`, `PAD(((0, 1), (2, 2)))`.

    Cx... becomes Cx (before + n + after) along each of 1 to 3 axes. `padding` is a number for all ends,
    or for each axis a number for both its ends, or a pair of before and after. `mode` is `zeros`, filled
    with `value` (0 if not given), or `reflect` (without the edge), `replicate` (the edge) or `circular`
    (from the other end), as in torch. `axis` names other axes than a map's, counted without the
    batch, in the order of `padding`: PAD(((0, 3), (0, 3)), axis=(0, 1)) pads a HxWxC.
    """

    spec: ClassVar[str] = "PAD"
    positional: ClassVar[tuple[str, ...]] = ("padding",)

    padding: Any = arg(PADS)
    mode: Any = arg(word(*MODES), "zeros")
    value: Any = arg(REAL, 0)
    axis: Any = arg(AXES, None)

    def pads(self, x: TensorType) -> Pads:
        """Before and after along every axis of the tensor; raises E206, E207, E209, E210 but for its sizes."""
        if self.value and self.mode != "zeros":
            raise LayerError(
                "E210", f"mode={self.mode} fills with the map's own values, not with a value", argument="value"
            )
        if self.axis is None:
            axes = tuple(range(1, need_map(self.spec, x) + 1))
        else:
            need_float(self.spec, x)
            find_axes(self.spec, self.axis, x)  # none of them twice
            axes = tuple(find_axis(self.spec, axis, x) for axis in self.axis)
        pads = self.padding if isinstance(self.padding, tuple) else ((self.padding,) * 2,) * len(axes)
        if len(pads) != len(axes):
            raise Mismatch(f"has {len(pads)} sizes for {len(axes)} axes")
        result = [(0, 0)] * x.rank
        for axis, pad in zip(axes, pads):
            result[axis] = pad
        if self.mode != "zeros":
            if result[:1] != [(0, 0)] or need_map(self.spec, x) < 1:
                raise LayerError(
                    "E210",
                    f"mode={self.mode} works on the positions of a map, not on axis 0",
                    argument="axis",
                    trials=[Trial("mode", "zeros")],
                )
        return result

    def shape(self, *x: TensorType) -> TensorType:
        pads = self.pads(x[0])
        if self.mode != "zeros":
            check_mode(x[0], pads[1:], self.mode, "mode")
        padded = tuple(a + old for (_, a), old in zip(pads, x[0].padded or (0,) * x[0].rank))
        sizes = tuple(n + b + a for n, (b, a) in zip(x[0].shape, pads))
        return x[0]._replace(shape=sizes, padded=padded if any(padded) else ())

    def window(self, *x: TensorType) -> Union[Window, None]:
        before = tuple(b for b, _ in self.pads(x[0])[1:]) if self.axis is None else ()
        return Window((1,) * len(before), (1,) * len(before), before) if any(before) else None

    def torch(self, *x: TensorType) -> Torch:
        pads = self.pads(x[0])
        if self.mode != "zeros":
            return function("F.pad", X(), torch_pads(pads[1:]), mode=self.mode)
        first = next((axis for axis, pad in enumerate(pads) if any(pad)), len(pads))
        value = {"value": float(self.value)} if self.value else {}
        return Torch(call("F.pad", X(), torch_pads(pads[first:]), **value) if first < len(pads) else X())

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        pads = self.pads(x[0])
        if not any(map(any, pads)):
            return r.node("Identity", [names[0]])
        return onnx_pad(r, names[0], pads[1:], self.mode, float(self.value), channels=pads[0])


@dataclass(frozen=True, eq=False, repr=False)
class Roll(Pointwise):
    """The values moved along an axis, those that fall off one end coming in at the other: `ROLL(1, axis=2)`.

    Gives the shape that arrives: the value at i moves to i + shift, modulo the size. `axis` counts without
    the batch, below zero from the last; several axes take as many shifts, ROLL((-3, -3), axis=(0, 1)), or
    one for all of them.
    """

    spec: ClassVar[str] = "ROLL"
    positional: ClassVar[tuple[str, ...]] = ("shift", "axis")

    shift: Any = arg(OFFSETS)
    axis: Any = arg(AXES)

    def moves(self, x: TensorType) -> list[tuple[int, int]]:
        """The axes from 0 on, each with its shift below the axis's size; raises E209."""
        find_axes(self.spec, self.axis, x)  # none of them twice
        axes = [find_axis(self.spec, axis, x) for axis in self.axis]
        shifts = self.shift * len(axes) if len(self.shift) == 1 else self.shift
        if len(shifts) != len(axes):
            raise Mismatch(f"has {len(shifts)} shifts for {len(axes)} axes")
        return [(axis, shift % x.shape[axis]) for axis, shift in zip(axes, shifts)]

    def shape(self, *x: TensorType) -> TensorType:
        self.moves(x[0])
        return x[0]._replace(padded=())

    def torch(self, *x: TensorType) -> Torch:
        axes = tuple(axis + 1 for axis, _ in self.moves(x[0]))
        shifts = self.shift * len(axes) if len(self.shift) == 1 else self.shift
        return function("torch.roll", X(), shifts if len(axes) > 1 else shifts[0], axes if len(axes) > 1 else axes[0])

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        value = names[0]
        for axis, shift in self.moves(x[0]):
            if not known(shift) or shift:
                parts = [onnx_slice(r, value, axis + 1, -shift, None), onnx_slice(r, value, axis + 1, 0, -shift)]
                value = r.node("Concat", parts, axis=axis + 1)
        return value if value != names[0] else r.node("Identity", [value])
