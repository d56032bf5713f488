"""Maps made larger or smaller: interpolation, and channels that become positions and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from archdsl.annotations import Any, ClassVar, Union
from archdsl.layers.arguments import FLAG, SIZES, WIDTH, arg, per_axis, word
from archdsl.layers.base import Layer, LayerError, Recorder, Trial, Weight, Window
from archdsl.layers.code import Item, Method, Span, Torch, X, function, module
from archdsl.layers.maps import need_map
from archdsl.layers.nearest import even, onnx_nearest, single
from archdsl.layers.padding import short
from archdsl.records import dataclass
from archdsl.shapes.late import known
from archdsl.tensor import Dim, TensorType, show_shape

MODES = {  # by the number of axes: all of them, or one
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
}
SMOOTH = {1: "linear", 2: "bilinear", 3: "trilinear"}
NEAREST = ("nearest", "nearest-exact")
ONNX_RULES: dict[str, dict[str, Any]] = {  # beside those of linear interpolation
    "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    "nearest-exact": {"mode": "nearest", "nearest_mode": "round_prefer_ceil"},
    "bicubic": {"mode": "cubic", "cubic_coeff_a": -0.75},
}
REACH = {"nearest": 1, "nearest-exact": 1, "bicubic": 4}  # input positions that one output reads; 2 for the others


class Resampling(Layer):
    """What the layers that change the sizes of a map have in common: no weights, no products."""

    layout: ClassVar[str] = "map"

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        return 0


@dataclass(frozen=True, eq=False, repr=False)
class Upsample(Resampling):
    """Interpolation to a larger map: `UPSAMPLE(2)`, `UPSAMPLE(size=32x64)`, `UPSAMPLE(like=@image)`.

    Cx... becomes Cx factor*n along each of 1 to 3 axes, or Cx `size`, or C with the positions of the map
    `like`; one number is for all axes, and the factor is 2 where none of them is given. `mode` is
    `nearest`, the default, `nearest-exact`, or `linear`, `bilinear`, `trilinear` on a map of 1, 2 or
    3 axes, or `bicubic` on one of 2. align_corners=true, for the four of the latter, lets the corners
    of both maps fall together. Both are torch's, with torch's defaults; a size may also be smaller.
    """

    spec: ClassVar[str] = "UPSAMPLE"
    positional: ClassVar[tuple[str, ...]] = ("factor",)
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    arms: ClassVar[tuple[str, ...]] = ("x", "like")
    tensors: ClassVar[tuple[str, ...]] = ("like",)

    factor: Any = arg(SIZES, None)
    size: Any = arg(SIZES, None)
    mode: Any = arg(word(*MODES), "nearest")
    align_corners: Any = arg(FLAG, False)

    def factors(self, rank: int) -> tuple[int, ...]:
        """The factor of each axis, 2 where nothing was given."""
        return per_axis(2 if self.factor is None else self.factor, rank)

    def sizes(self, *x: TensorType) -> tuple[int, ...]:
        """The output's size along each axis of the map."""
        if len(x) > 1:
            return x[1].shape[1:]
        rank = x[0].rank - 1
        if self.size is not None:
            return per_axis(self.size, rank)
        return tuple(n * f for n, f in zip(x[0].shape[1:], self.factors(rank)))

    def shape(self, *x: TensorType) -> TensorType:
        rank = need_map(self.spec, x[0])
        names = [("factor", self.factor), ("size", self.size), ("like", True if len(x) > 1 else None)]
        given = [name for name, value in names if value is not None]
        if len(given) > 1:
            raise LayerError(
                "E210", f"UPSAMPLE takes one of factor, size and like, not {' and '.join(given)}", argument=given[1]
            )
        if len(x) > 1 and x[1].rank != x[0].rank:
            raise LayerError("E206", f"UPSAMPLE of {x[0]} cannot be like {x[1]}, which has other axes", argument="like")
        if rank not in MODES[self.mode]:
            raise LayerError(
                "E210",
                f"mode={self.mode} is for a map of {MODES[self.mode][0]} axes, and {x[0]} has {rank}",
                argument="mode",
                trials=[Trial("mode", SMOOTH[rank]), Trial("mode", "nearest")],
            )
        if self.align_corners and self.mode in NEAREST:
            raise LayerError(
                "E210",
                f"align_corners means nothing to mode={self.mode}, which does not interpolate",
                argument="align_corners",
                trials=[Trial("mode", SMOOTH[rank]), Trial("align_corners", False)],
            )
        return TensorType((x[0].channels, *self.sizes(*x)), "float", x[0].batched)

    def elementwise(self, *x: TensorType) -> int:
        """A product and a sum for each position that an output reads; the nearest one is just copied."""
        reach = REACH.get(self.mode, 2)
        return 0 if reach == 1 else 2 * self.shape(*x).size * reach ** (x[0].rank - 1)

    def window(self, *x: TensorType) -> Union[Window, str]:
        axes = list(zip(x[0].shape[1:], self.sizes(*x)))
        reach = REACH.get(self.mode, 2)
        extents = tuple(1 if n == out else reach for n, out in axes)
        strides = tuple(Fraction(n, out) for n, out in axes)
        # Pixels have their centres at halves: output i lies at (i + 1/2)*stride - 1/2, with align_corners from 0 on.
        shifts = (Fraction(0) if self.align_corners else (s - 1) / 2 for s in strides)
        return Window(extents, strides, tuple(Fraction(e - 1, 2) - shift for e, shift in zip(extents, shifts)))

    def torch(self, *x: TensorType) -> Torch:
        kwargs: dict[str, Any] = {"mode": self.mode} if self.mode != "nearest" else {}
        if self.align_corners:
            kwargs["align_corners"] = True
        if len(x) > 1:
            return function("F.interpolate", X(), size=Item(Method(X(1), "size"), Span(2)), **kwargs)
        if self.size is not None:
            return module("nn.Upsample", size=short(per_axis(self.size, x[0].rank - 1)), **kwargs)
        return module("nn.Upsample", scale_factor=short(self.factors(x[0].rank - 1)), **kwargs)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        axes = list(zip(x[0].shape[1:], self.sizes(*x)))
        factors = None if len(x) > 1 or self.size is not None else self.factors(len(axes))
        if factors is None and known(*x[0].shape[1:], *self.sizes(*x)) and all(out % n == 0 for n, out in axes):
            factors = tuple(out // n for n, out in axes)
        if self.mode in NEAREST and (factors is None or not self._even(axes, factors)):
            value = names[0]
            for axis, (n, out) in enumerate(axes, 2):
                value = r.node("Gather", [value, onnx_nearest(r, n, out, self.mode)], axis=axis)
            return value
        corners = "align_corners" if self.align_corners else "half_pixel"
        rules = {"mode": "linear", "coordinate_transformation_mode": corners, **ONNX_RULES.get(self.mode, {})}
        if factors is not None:
            scales = r.constant([1.0, 1.0, *map(float, factors)])
            return r.node("Resize", [names[0], "", scales], **rules)
        sizes = r.constant([out for _, out in axes], "int")
        sizes = r.node("Concat", [r.node("Shape", [names[0]], start=0, end=2), sizes], axis=0)
        return r.node("Resize", [names[0], "", "", sizes], **rules)

    def _even(self, axes: Sequence[tuple[Dim, Dim]], factors: Sequence[int]) -> bool:
        """Whether torch reads each position just as often as the factor says, rounding or not."""
        return all(even(n, f, self.mode) if known(n) else single(1 / f) * f >= 1 for (n, _), f in zip(axes, factors))


def need_image(spec: str, x: TensorType) -> None:
    """Raises E206 where `x` is no map of two axes."""
    if need_map(spec, x) != 2:
        raise LayerError("E206", f"{spec} works on a map of 2 axes, and {x} arrives")


@dataclass(frozen=True, eq=False, repr=False)
class PixelShuffle(Resampling):
    """Channels become positions: `PIXELSHUFFLE(2)` makes (4*C)xHxW a Cx2Hx2W (Shi et al., 2016).

    With factor f, (f*f*C)xHxW becomes Cx(f*H)x(f*W): the value of channel c at (f*h + i, f*w + j) is that
    of channel c*f*f + f*i + j at (h, w), as in torch. f*f must divide the channels.
    """

    spec: ClassVar[str] = "PIXELSHUFFLE"
    positional: ClassVar[tuple[str, ...]] = ("factor",)

    factor: Any = arg(WIDTH)

    def shape(self, *x: TensorType) -> TensorType:
        need_image(self.spec, x[0])
        channels, height, width = x[0].shape
        f = self.factor
        if channels % (f * f):
            raise LayerError(
                "E209",
                f"PIXELSHUFFLE({f}) needs a multiple of {f}*{f} channels, and {channels} arrive",
                argument="factor",
                trials=[Trial("factor", g) for g in range(min(f - 1, 8), 1, -1)],
                help=f"a CONV({-(-channels // (f * f)) * f * f}) before it gives so many",
            )
        return TensorType((channels // (f * f), height * f, width * f), "float", x[0].batched)

    def window(self, *x: TensorType) -> Window:
        stride = Fraction(1, self.factor)
        return Window((1, 1), (stride,) * 2, ((1 - stride) / 2,) * 2)

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.PixelShuffle", self.factor)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("DepthToSpace", [names[0]], blocksize=self.factor, mode="CRD")


@dataclass(frozen=True, eq=False, repr=False)
class PixelUnshuffle(Resampling):
    """Positions become channels: `PIXELUNSHUFFLE(2)` makes CxHxW a (4*C)x(H/2)x(W/2), undoing PIXELSHUFFLE(2).

    With factor f, the value of channel c*f*f + f*i + j at (h, w) is that of channel c at (f*h + i, f*w + j),
    as in torch. f must divide height and width.
    """

    spec: ClassVar[str] = "PIXELUNSHUFFLE"
    positional: ClassVar[tuple[str, ...]] = ("factor",)

    factor: Any = arg(WIDTH)

    def shape(self, *x: TensorType) -> TensorType:
        need_image(self.spec, x[0])
        channels, height, width = x[0].shape
        f = self.factor
        if height % f or width % f:
            raise LayerError(
                "E209",
                f"PIXELUNSHUFFLE({f}) needs sizes that {f} divides, and {show_shape((height, width))} arrives",
                argument="factor",
                trials=[Trial("factor", g) for g in range(min(f - 1, 8), 1, -1)],
            )
        return TensorType((channels * f * f, height // f, width // f), "float", x[0].batched)

    def window(self, *x: TensorType) -> Window:
        return Window((self.factor,) * 2, (self.factor,) * 2, (0, 0))

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.PixelUnshuffle", self.factor)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        f, (channels, height, width) = self.factor, x[0].shape
        parts = r.constant([0, channels, height // f, f, width // f, f], "int")
        split = r.node("Transpose", [r.node("Reshape", [names[0], parts])], perm=[0, 1, 3, 5, 2, 4])
        return r.node("Reshape", [split, r.constant([0, channels * f * f, height // f, width // f], "int")])
