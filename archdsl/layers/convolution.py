"""Convolution and transposed convolution over 1-D, 2-D and 3-D maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, gcd, sqrt

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import FLAG, SHIFTS, SIZES, WIDTH, arg, or_word, per_axis, word
from archdsl.layers.base import Init, Layer, LayerError, Recorder, Trial, Weight, Window
from archdsl.layers.code import Call, Itself, Torch, X, call
from archdsl.layers.initialization import INIT, PLAIN, begin, torch_starts
from archdsl.layers.maps import need_map
from archdsl.layers.padding import MODES, check_mode, onnx_pad, onnx_slice, paddings, short, torch_pads
from archdsl.records import dataclass
from archdsl.shapes.late import known
from archdsl.shapes.windows import Slide, slide
from archdsl.tensor import TensorType, product

PADDINGS = ("half", "valid", "full", "same", "causal")


def torch_bound(fan_in: int) -> Init:
    """torch's default for convolutions and linear layers: uniform within 1/sqrt(fan_in)."""
    bound = 1 / sqrt(fan_in) if fan_in else 0.0
    return Init("uniform", -bound, bound)


@dataclass(frozen=True, eq=False, repr=False)
class Conv(Layer):
    """Convolution over a map of 1, 2 or 3 axes: `CONV(filters, kernel, stride)`.

    Cx... becomes filters x floor((n + pl + pr - dilation*(kernel - 1) - 1)/stride + 1) along each axis.
    Without `filters`: 32 where no CONV came before, else the width of the last one, doubled once
    where a stride above 1 lies since, never past 512. `padding` is a number, one per axis (1x0), `half`
    ((kernel - 1)/2 times the dilation, odd kernels alone), `valid` (none), `full` (kernel - 1),
    `same` (TensorFlow's: ceil(n/stride) come out) or `causal` (all of it before, 1-D alone).
    `bias` is left out where the next step is a BN. `fit` says what may be left over: see the language.
    `init` and `bias_init` say how weight and bias start: see the language.
    """

    spec: ClassVar[str] = "CONV"
    layout: ClassVar[str] = "map"
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel", "stride")

    filters: Any = arg(WIDTH, None)
    kernel: Any = arg(SIZES, 3)
    stride: Any = arg(SIZES, 1)
    padding: Any = arg(or_word(SHIFTS, *PADDINGS), "half")
    dilation: Any = arg(SIZES, 1)
    groups: Any = arg(WIDTH, 1)
    bias: Any = arg(FLAG, None)
    padding_mode: Any = arg(word(*MODES), "zeros")
    fit: Any = arg(word("cover", "exact", "floor"), "cover")
    init: Any = arg(INIT, None)
    bias_init: Any = arg(PLAIN, None)

    def told(self) -> dict[str, object]:
        single = self.kernel == 1 or (isinstance(self.kernel, tuple) and set(self.kernel) == {1})
        return {"kernel": self.kernel} if single else {"kernel": self.kernel, "padding": self.padding}

    def slides(self, x: TensorType) -> list[Slide]:
        """The window along each axis of the map, its padding in numbers; raises E203, E204."""
        rank = need_map(self.spec, x)
        kernels, strides, dilations = (per_axis(v, rank) for v in (self.kernel, self.stride, self.dilation))
        pads = paddings(self.padding, x, kernels, strides, dilations, "kernel")
        return [Slide(k, s, d, p, q) for k, s, d, (p, q) in zip(kernels, strides, dilations, pads)]

    def keeps(self) -> bool:
        """Whether it surely changes no size of a map, as an odd kernel with half padding and a stride of 1."""
        odd = type(self.kernel) is type(self.dilation) is int and self.kernel % 2 == 1
        return odd and self.stride == 1 and self.padding == "half" and self.padding_mode == "zeros"

    def shape(self, *x: TensorType) -> TensorType:
        arriving, groups, filters = x[0], self.groups, self.filters
        slides = None if self.keeps() else self.slides(arriving)
        need_map(self.spec, arriving)
        channels, sizes = arriving.shape[0], arriving.shape[1:]
        for name, value in (("channels that arrive", channels), ("filters", filters)) if groups != 1 else ():
            if value % groups:
                raise _bad_groups(groups, name, value, channels, filters)
        if slides is not None:
            check_mode(arriving, [(s.before, s.after) for s in slides], self.padding_mode, "padding_mode")
            sizes = slide(arriving, slides, self.fit)
        return TensorType((filters, *sizes), "float", arriving.batched)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        kernels = per_axis(self.kernel, x[0].rank - 1)
        shape = (self.filters, x[0].channels // self.groups, *kernels)
        default = torch_bound(product(shape[1:]))
        result = {"weight": Weight(shape, begin(self.init, shape, default))}
        if self.bias is not False:
            result["bias"] = Weight((self.filters,), begin(self.bias_init, (self.filters,), default))
        return result

    def macs(self, *x: TensorType) -> int:
        return product(self.shape(*x).shape) * product(self.weights(*x)["weight"].shape[1:])

    def elementwise(self, *x: TensorType) -> int:
        return self.shape(*x).size if "bias" in self.weights(*x) else 0

    def window(self, *x: TensorType) -> Window:
        slides = self.slides(x[0])
        return Window(tuple(s.extent for s in slides), tuple(s.stride for s in slides), tuple(s.before for s in slides))

    def torch(self, *x: TensorType) -> Torch:
        slides = self.slides(x[0])
        rank = len(slides)
        even = all(s.before == s.after for s in slides)
        padding = tuple(s.before for s in slides) if even else (0,) * rank
        kwargs: dict[str, Any] = {"kernel_size": short(tuple(s.kernel for s in slides))}
        for name, value, default in (
            ("stride", tuple(s.stride for s in slides), 1),
            ("padding", padding, 0),
            ("dilation", tuple(s.dilation for s in slides), 1),
        ):
            if set(value) != {default}:
                kwargs[name] = short(value)
        if self.groups != 1:
            kwargs["groups"] = self.groups
        if self.bias is False:
            kwargs["bias"] = False
        arrived: Any = X()
        if self.padding_mode != "zeros" and even:
            kwargs["padding_mode"] = self.padding_mode
        if not even:
            mode = {} if self.padding_mode == "zeros" else {"mode": self.padding_mode}
            arrived = call("F.pad", X(), torch_pads([(s.before, s.after) for s in slides]), **mode)
        starts = torch_starts(self.init, self.bias_init, bias=self.bias is not False)
        made = call(f"nn.Conv{rank}d", x[0].channels, self.filters, **kwargs)
        return Torch(Call(Itself(), (arrived,)), made, "module", starts=starts)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        slides = self.slides(x[0])
        value = names[0]
        pads = [s.before for s in slides] + [s.after for s in slides]
        if not known(*pads) or (self.padding_mode != "zeros" and any(pads)):
            value = onnx_pad(r, value, [(s.before, s.after) for s in slides], self.padding_mode)
            pads = [0] * len(pads)
        return r.node(
            "Conv",
            [value, w["weight"]] + ([w["bias"]] if "bias" in w else []),
            kernel_shape=[s.kernel for s in slides],
            strides=[s.stride for s in slides],
            dilations=[s.dilation for s in slides],
            pads=pads,
            group=self.groups,
        )


def _bad_groups(groups: int, name: str, value: int, channels: int, filters: int) -> LayerError:
    common = gcd(channels, filters)
    return LayerError(
        "E205",
        f"groups (={groups}) do not divide the {name} (={value})",
        argument="groups",
        trials=[Trial("groups", g) for g in dict.fromkeys((gcd(groups, common), common))],
    )


@dataclass(frozen=True, eq=False, repr=False)
class UpConv(Layer):
    """Transposed convolution: `UPCONV(filters, kernel, stride)`, kernel 2 and stride 2 if not given.

    Cx... becomes filters x (n - 1)*stride - 2*padding + dilation*(kernel - 1) + output_padding + 1
    along each axis. Without `padding`, p = ceil(max(0, k - s)/2) and an output padding of 2p - (k - s),
    so that the map grows by just its stride (k is the dilated extent). `init` and `bias_init` say how weight
    and bias start: see the language.
    """

    spec: ClassVar[str] = "UPCONV"
    layout: ClassVar[str] = "map"
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel", "stride")

    filters: Any = arg(WIDTH)
    kernel: Any = arg(SIZES, 2)
    stride: Any = arg(SIZES, 2)
    padding: Any = arg(SHIFTS, None)
    output_padding: Any = arg(SHIFTS, None)
    dilation: Any = arg(SIZES, 1)
    groups: Any = arg(WIDTH, 1)
    bias: Any = arg(FLAG, None)
    init: Any = arg(INIT, None)
    bias_init: Any = arg(PLAIN, None)

    def told(self) -> dict[str, object]:
        return {"kernel": self.kernel, "stride": self.stride}

    def paddings(self, x: TensorType) -> list[tuple[Slide, int]]:
        """The window and the output padding along each axis; raises E204."""
        rank = need_map(self.spec, x)
        result = []
        for axis in range(rank):
            k, s, d = (per_axis(v, rank)[axis] for v in (self.kernel, self.stride, self.dilation))
            extent = d * (k - 1) + 1
            own = self.padding is None
            p = ceil(max(0, extent - s) / 2) if own else per_axis(self.padding, rank)[axis]
            if self.output_padding is not None:
                out = per_axis(self.output_padding, rank)[axis]
            else:
                out = 2 * p - (extent - s) if own else 0
            if out and out >= max(s, d):
                raise LayerError(
                    "E204",
                    f"an output padding of {out} must be smaller than the stride (={s}) or the dilation (={d})",
                    argument="output_padding" if self.output_padding is not None else "stride",
                    trials=[Trial("output_padding", 0)] if self.output_padding is not None else [Trial("padding", 0)],
                )
            result.append((Slide(k, s, d, p, p), out))
        return result

    def sizes(self, x: TensorType) -> tuple[int, ...]:
        """The output's size along each axis of the map."""
        windows = zip(x.shape[1:], self.paddings(x))
        return tuple((n - 1) * s.stride - 2 * s.before + s.extent + out for n, (s, out) in windows)

    def shape(self, *x: TensorType) -> TensorType:
        channels = x[0].channels
        for name, value in (("channels that arrive", channels), ("filters", self.filters)):
            if value % self.groups:
                raise _bad_groups(self.groups, name, value, channels, self.filters)
        sizes = self.sizes(x[0])
        if any(n < 1 for n in sizes):
            raise LayerError(
                "E202", "the padding takes away all of the output", argument="padding", trials=[Trial("padding", 0)]
            )
        return TensorType((self.filters, *sizes), "float", x[0].batched)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        kernels = per_axis(self.kernel, x[0].rank - 1)
        shape = (x[0].channels, self.filters // self.groups, *kernels)
        default = torch_bound(product(shape[1:]))
        result = {"weight": Weight(shape, begin(self.init, shape, default))}
        if self.bias is not False:
            result["bias"] = Weight((self.filters,), begin(self.bias_init, (self.filters,), default))
        return result

    def macs(self, *x: TensorType) -> int:
        return product(x[0].shape) * product(self.weights(*x)["weight"].shape[1:])

    def elementwise(self, *x: TensorType) -> int:
        return self.shape(*x).size if "bias" in self.weights(*x) else 0

    def window(self, *x: TensorType) -> Window:
        from fractions import Fraction  # takes as long as two layers' modules, and few look

        windows = [s for s, _ in self.paddings(x[0])]
        extents = tuple(ceil(s.extent / s.stride) for s in windows)
        # Output i is a sum over n with i = n*stride - padding + t for t in 0..extent - 1: its centre lies at
        # (i + padding - (extent - 1)/2)/stride.
        before = tuple(
            Fraction(e - 1, 2) + Fraction(s.extent - 1 - 2 * s.before, 2 * s.stride) for e, s in zip(extents, windows)
        )
        return Window(extents, tuple(Fraction(1, s.stride) for s in windows), before)

    def torch(self, *x: TensorType) -> Torch:
        windows = self.paddings(x[0])
        kwargs: dict[str, Any] = {"kernel_size": short(tuple(s.kernel for s, _ in windows))}
        for name, value, default in (
            ("stride", tuple(s.stride for s, _ in windows), 1),
            ("padding", tuple(s.before for s, _ in windows), 0),
            ("output_padding", tuple(out for _, out in windows), 0),
            ("groups", (self.groups,), 1),
            ("dilation", tuple(s.dilation for s, _ in windows), 1),
        ):
            if set(value) != {default}:
                kwargs[name] = short(value)
        if self.bias is False:
            kwargs["bias"] = False
        made = call(f"nn.ConvTranspose{len(windows)}d", x[0].channels, self.filters, **kwargs)
        starts = torch_starts(self.init, self.bias_init, bias=self.bias is not False)
        return Torch(Call(Itself(), (X(),)), made, "module", starts=starts)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        windows = self.paddings(x[0])
        bias = [w["bias"]] if "bias" in w else []
        apart = any(s.stride <= out for s, out in windows)  # below the dilation, which onnxruntime refuses
        value = r.node(
            "ConvTranspose",
            [names[0], w["weight"], *([] if apart else bias)],
            kernel_shape=[s.kernel for s, _ in windows],
            strides=[s.stride for s, _ in windows],
            dilations=[s.dilation for s, _ in windows],
            pads=None if apart else [s.before for s, _ in windows] * 2,
            output_padding=None if apart else [out for _, out in windows],
            group=self.groups,
        )
        if not apart:
            return value
        value = onnx_pad(r, value, [(0, max(0, out - s.before)) for s, out in windows], "zeros")
        for axis, (n, (s, _)) in enumerate(zip(self.sizes(x[0]), windows), 2):
            value = onnx_slice(r, value, axis, s.before, s.before + n)
        if not bias:
            return value
        column = r.constant([self.filters, *(1,) * len(windows)], "int")
        return r.node("Add", [value, r.node("Reshape", [*bias, column])])
