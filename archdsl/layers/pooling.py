"""Pooling with windows over 1-D, 2-D and 3-D maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import FLAG, REAL, SHIFTS, SIZES, arg, or_word, per_axis, word
from archdsl.layers.averaging import average, late_average
from archdsl.layers.base import Layer, LayerError, Recorder, Trial, Weight, Window
from archdsl.layers.code import Call, Infix, Item, Itself, Span, Torch, X, call, module
from archdsl.layers.maps import need_map
from archdsl.layers.padding import onnx_pad, paddings, short, torch_pads
from archdsl.records import dataclass
from archdsl.shapes.late import greatest, known
from archdsl.shapes.windows import Slide, slide
from archdsl.tensor import TensorType, product

PADDINGS = ("half", "valid", "same")
FITS = ("cover", "exact", "floor", "ceil")


class Pooling(Layer):
    """What the layers that pool by windows have in common; a layer's own arguments stand over these values."""

    layout: ClassVar[str] = "map"

    size: Any
    stride: Any
    fit: Any
    padding: Any = 0
    dilation: Any = 1
    padded: ClassVar[bool] = True  # whether there is a padding to try where the windows do not fit

    def told(self) -> dict[str, object]:
        return {"size": self.size, "stride": self.size if self.stride is None else self.stride}

    def slides(self, x: TensorType) -> list[Slide]:
        """The window along each axis of the map, its padding in numbers; raises E203, E208."""
        rank = need_map(self.spec, x)
        sizes, dilations = per_axis(self.size, rank), per_axis(self.dilation, rank)
        strides = sizes if self.stride is None else per_axis(self.stride, rank)
        pads = paddings(self.padding, x, sizes, strides, dilations, "size")
        for k, (p, _) in zip(sizes, pads):
            if not isinstance(self.padding, str) and p > k // 2:
                raise LayerError(
                    "E208",
                    f"a padding of {p} is above half the window of {k}",
                    argument="padding",
                    notes=[f"half of {k} is {k // 2}, and a window further out would see nothing but padding"],
                    trials=[Trial("padding", k // 2), Trial("size", 2 * p)],
                )
        return [Slide(k, s, d, b, a) for k, s, d, (b, a) in zip(sizes, strides, dilations, pads)]

    def ends(self, x: TensorType, slides: Sequence[Slide]) -> list[int]:
        """The padding after each axis up to the end of the last window, which `fit=ceil` puts past the map's own."""
        if self.fit != "ceil" or self.padding == "same":  # which fits whole: there is nothing to add
            return [s.after for s in slides]
        reaches = [(s.ceil(n) - 1) * s.stride + s.extent - n - s.before for n, s in zip(x.shape[1:], slides)]
        return [greatest(s.after, reach) for s, reach in zip(slides, reaches)]

    def shape(self, *x: TensorType) -> TensorType:
        sizes = slide(x[0], self.slides(x[0]), self.fit, "window", padded=self.padded)
        return TensorType((x[0].channels, *sizes), "float", x[0].batched)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        return 0

    def elementwise(self, *x: TensorType) -> int:
        return self.shape(*x).size * product(tuple(s.kernel for s in self.slides(x[0])))

    def window(self, *x: TensorType) -> Window:
        slides = self.slides(x[0])
        return Window(tuple(s.extent for s in slides), tuple(s.stride for s in slides), tuple(s.before for s in slides))

    def keywords(self, slides: Sequence[Slide], pads: bool = True) -> dict[str, Any]:
        """torch's arguments behind the window's size, without those at their defaults."""
        result: dict[str, Any] = {}
        if any(s.stride != s.kernel for s in slides):
            result["stride"] = short(tuple(s.stride for s in slides))
        if pads and any(s.before for s in slides):
            result["padding"] = short(tuple(s.before for s in slides))
        if any(s.dilation != 1 for s in slides):
            result["dilation"] = short(tuple(s.dilation for s in slides))
        if pads and self.fit == "ceil":
            result["ceil_mode"] = True
        return result


@dataclass(frozen=True, eq=False, repr=False)
class Pool(Pooling):
    """Max pooling: the greatest value of each window; `POOL(size, stride)`, also written MAXPOOL.

    Cx... becomes Cx floor((n + 2*padding - dilation*(size - 1) - 1)/stride + 1) along each of 1 to 3 axes.
    The window is 2 and `stride` its size where they are not given, as in CS231n: 2x2 halves a map.
    `padding` is a number, one per axis (1x0), `half` ((size - 1)/2 times the dilation, odd windows
    alone), `valid` (none) or `same` (TensorFlow's: ceil(n/stride) come out); what is padded never
    wins. As in torch a number may not be above half the window. `fit` says what may be left over:
    `cover`, the default, is an error where a row of the map would be lost, `exact` CS231n's rule,
    `floor` drops it, and `ceil` adds one window more, torch's ceil_mode.
    """

    spec: ClassVar[str] = "POOL"
    positional: ClassVar[tuple[str, ...]] = ("size", "stride")

    size: Any = arg(SIZES, 2)
    stride: Any = arg(SIZES, None)
    padding: Any = arg(or_word(SHIFTS, *PADDINGS), 0)
    dilation: Any = arg(SIZES, 1)
    fit: Any = arg(word(*FITS), "cover")

    def torch(self, *x: TensorType) -> Torch:
        slides = self.slides(x[0])
        own = all(s.before == s.after <= s.kernel // 2 for s in slides)  # what torch's module takes
        made = call(
            f"nn.MaxPool{len(slides)}d", short(tuple(s.kernel for s in slides)), **self.keywords(slides, pads=own)
        )
        if own:
            return Torch(Call(Itself(), (X(),)), made, "module")
        pads = torch_pads([(s.before, end) for s, end in zip(slides, self.ends(x[0], slides))])
        return Torch(Call(Itself(), (call("F.pad", X(), pads, value=float("-inf")),)), made, "module")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        slides = self.slides(x[0])
        pads = [(s.before, end) for s, end in zip(slides, self.ends(x[0], slides))]
        value = names[0]
        apart = not known(*(p for pair in pads for p in pair))
        apart = apart or any(max(p) >= s.kernel for p, s in zip(pads, slides))  # onnxruntime refuses, dilation or not
        if apart or (r.opset < 18 and any(map(any, pads))):  # see onnx_pad
            value, pads = onnx_pad(r, value, pads, "zeros", float("-inf")), [(0, 0)] * len(slides)
        return r.node(
            "MaxPool",
            [value],
            kernel_shape=[s.kernel for s in slides],
            strides=[s.stride for s in slides],
            dilations=[s.dilation for s in slides],
            pads=[*(b for b, _ in pads), *(a for _, a in pads)] if any(map(any, pads)) else None,
            auto_pad=None if any(map(any, pads)) else "VALID",  # which keeps a Pad before it out: see onnx_pad
        )


@dataclass(frozen=True, eq=False, repr=False)
class AvgPool(Pooling):
    """Average pooling: the mean of each window; `AVGPOOL(size, stride)`.

    Cx... becomes Cx floor((n + 2*padding - size)/stride + 1) along each of 1 to 3 axes. The window is
    2 and `stride` its size where they are not given. `padding` is a number up to half the window, one
    per axis (1x0), `half`, `valid` or `same`, as for POOL. With `count_include_pad`, torch's default,
    the zeros of the padding count in the mean; without it (TensorFlow) each mean is that of the
    map's own values. What `fit=ceil` puts past the padding never counts. `fit` is that of POOL.
    """

    spec: ClassVar[str] = "AVGPOOL"
    positional: ClassVar[tuple[str, ...]] = ("size", "stride")

    size: Any = arg(SIZES, 2)
    stride: Any = arg(SIZES, None)
    padding: Any = arg(or_word(SHIFTS, *PADDINGS), 0)
    count_include_pad: Any = arg(FLAG, True)
    fit: Any = arg(word(*FITS), "cover")

    def shape(self, *x: TensorType) -> TensorType:
        result = super().shape(*x)
        need_room(x[0], self.slides(x[0]))
        return result

    def torch(self, *x: TensorType) -> Torch:
        slides = self.slides(x[0])
        even = all(s.before == s.after for s in slides)
        kwargs = self.keywords(slides, pads=even)
        if even and not self.count_include_pad:
            kwargs["count_include_pad"] = False
        made = call(f"nn.AvgPool{len(slides)}d", short(tuple(s.kernel for s in slides)), **kwargs)
        if even:
            return Torch(Call(Itself(), (X(),)), made, "module")
        # same padding, which fits whole: ceil has nothing to add
        pads = torch_pads([(s.before, s.after) for s in slides])
        result: Any = Call(Itself(), (call("F.pad", X(), pads),))
        if not self.count_include_pad:
            ones = call("torch.ones_like", Item(X(), (Span(None, 1), Span(None, 1))))
            result = Infix("/", result, Call(Itself(), (call("F.pad", ones, pads),)))
        return Torch(result, made, "module")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        slides = self.slides(x[0])
        pads = [(s.before, s.after) for s in slides]
        ends = self.ends(x[0], slides)
        value, counted = names[0], self.count_include_pad
        if not known(*ends, *(p for pair in pads for p in pair)):
            return late_average(r, value, x[0], slides, ends, counted)
        if counted and any(end > s.after for end, s in zip(ends, slides)):
            value = onnx_pad(r, value, pads, "zeros") if any(map(any, pads)) else value
            pads, counted = [(0, end - s.after) for end, s in zip(ends, slides)], False
        elif not counted:
            pads = [(s.before, end) for s, end in zip(slides, ends)]
        return average(r, value, slides, pads, counted)


def need_room(x: TensorType, slides: Sequence[Slide]) -> None:
    """Raises E202 where torch's average over 3 axes refuses: a window larger than the map without its padding."""
    even = all(s.before == s.after for s in slides)
    for n, s in zip(x.shape[1:], slides):
        if len(slides) == 3 and even and n < s.kernel:
            raise LayerError(
                "E202",
                f"a window of {s.kernel} is larger than the {n} that arrives, and over 3 axes padding does not count",
                argument="size",
                notes=["torch's average pooling over 3 axes compares with the map before its padding"],
                trials=[Trial("size", min(x.shape[1:]))],
            )


@dataclass(frozen=True, eq=False, repr=False)
class LPPool(Pooling):
    """Power-average pooling: the p-norm of each window, `LPPOOL(size, stride, p=2)`.

    Cx... becomes Cx floor((n - size)/stride + 1) along each of 1 to 3 axes, each value (sum of x^p)^(1/p)
    over its window. The window is 2 and `stride` its size where they are not given; as in torch there
    is no padding. p=1 is the sum; an odd `p` takes no absolute value, so that a negative sum gives
    no number. A window that `fit=ceil` puts past the map's end counts as if it were full, as in torch.
    """

    spec: ClassVar[str] = "LPPOOL"
    positional: ClassVar[tuple[str, ...]] = ("size", "stride")
    padded: ClassVar[bool] = False

    size: Any = arg(SIZES, 2)
    stride: Any = arg(SIZES, None)
    p: Any = arg(REAL, 2)
    fit: Any = arg(word(*FITS), "cover")

    def shape(self, *x: TensorType) -> TensorType:
        if self.p <= 0:
            raise LayerError("E210", f"a norm needs a p above 0, not {self.p}", argument="p", trials=[Trial("p", 2)])
        result = super().shape(*x)
        need_room(x[0], self.slides(x[0]))
        return result

    def torch(self, *x: TensorType) -> Torch:
        slides = self.slides(x[0])
        sizes = short(tuple(s.kernel for s in slides))
        return module(f"nn.LPPool{len(slides)}d", self.p, sizes, **self.keywords(slides))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        slides = self.slides(x[0])
        count = 1.0
        for s in slides:
            count *= s.kernel
        powers = r.node("Pow", [names[0], r.constant(float(self.p))])
        ends = self.ends(x[0], slides)
        if known(*ends):
            mean = average(r, powers, slides, [(0, end) for end in ends], False)
        else:
            mean = late_average(r, powers, x[0], slides, ends, False)
        return r.node("Pow", [r.node("Mul", [mean, r.constant(count)]), r.constant(1 / self.p)])
