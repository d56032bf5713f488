"""Normalisation of each item of the batch by itself: over features, over groups of channels, over near channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import AXES, FLAG, REAL, WIDTH, arg
from archdsl.layers.axes import find_axes
from archdsl.layers.base import ONES, ZEROS, LayerError, Pointwise, Recorder, Trial, Weight
from archdsl.layers.code import Call, Itself, Method, Torch, X, call, module
from archdsl.layers.initialization import PLAIN, begin
from archdsl.layers.maps import need_float, need_map
from archdsl.layers.nodes import onnx_reshape
from archdsl.layers.normalization import Normalization, by_position, changed, scaled
from archdsl.records import dataclass
from archdsl.shapes.late import known
from archdsl.tensor import Shape, TensorType


@dataclass(frozen=True, eq=False, repr=False)
class LayerNorm(Normalization):
    """Layer normalisation (Ba et al., 2016): `LN` over the last axis, `LN(axis=0)` over the channels of a map.

    Gives the shape that arrives, with mean 0 and variance 1 over `axis` at each other position, then
    times `weight` and plus `bias`, both of that axis's size. `axis` counts without the batch: -1, the
    last, is torch's LayerNorm on a sequence; 0 on a map is ConvNeXt's; several, such as
    (0, 1, 2), must be the last ones, and then the weights have their sizes. eps=1e-5 is torch's
    (ConvNeXt and ViT take 1e-6); affine=false leaves out weight and bias, bias=false the bias alone. `init`
    says how `weight` starts, at 1 if not given.
    """

    spec: ClassVar[str] = "LN"

    axis: Any = arg(AXES, (-1,))
    eps: Any = arg(REAL, 1e-5)
    affine: Any = arg(FLAG, True)
    bias: Any = arg(FLAG, True)
    init: Any = arg(PLAIN, None)

    def taken(self) -> str:
        return {(-1,): "sequence", (0,): "map"}.get(self.axis, "")

    def axes(self, x: TensorType) -> tuple[int, ...]:
        """The axes that are normalised, from 0 on; raises E209 where the tensor has none such."""
        need_float(self.spec, x)
        found = find_axes(self.spec, self.axis, x)
        last = tuple(range(x.rank - len(found), x.rank))
        if found and (found == last or (found == (0,) and x.rank <= 4)):
            return found
        raise LayerError(
            "E209",
            f"LN normalises the last axes, or axis 0 of a map, and not axis {', '.join(map(str, self.axis))} of {x}",
            argument="axis",
            trials=[Trial("axis", -1), Trial("axis", 0)],
        )

    def shape(self, *x: TensorType) -> TensorType:
        self.check_eps()
        self.axes(x[0])
        return x[0]

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        shape = tuple(x[0].shape[a] for a in self.axes(x[0]))
        result = {"weight": Weight(shape, begin(self.init, shape, ONES))} if self.affine else {}
        return {**result, "bias": Weight(shape, ZEROS)} if self.affine and self.bias else result

    def torch(self, *x: TensorType) -> Torch:
        axes = self.axes(x[0])
        shape = tuple(x[0].shape[a] for a in axes)
        given = [("eps", self.eps, 1e-5), ("elementwise_affine", self.affine, True), ("bias", self.bias, True)]
        size = shape[0] if len(shape) == 1 else shape
        if axes[-1] != x[0].rank - 1:
            return module("ChannelNorm", size, helper=CHANNEL_NORM, starts=self.starts(), **changed(given))
        return module("nn.LayerNorm", size, starts=self.starts(), **changed(given))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        axes = self.axes(x[0])
        value, rank = names[0], x[0].rank
        apart = axes[-1] != rank - 1
        if apart:
            value = r.node("Transpose", [value], perm=[0, *range(2, rank + 1), 1])
        shape = tuple(x[0].shape[a] for a in axes)
        scale = w["weight"] if "weight" in w else onnx_ones(r, shape)
        inputs = [value, scale, *([w["bias"]] if "bias" in w else [])]
        value = r.node("LayerNormalization", inputs, axis=-len(axes), epsilon=float(self.eps))
        return r.node("Transpose", [value], perm=[0, rank, *range(1, rank)]) if apart else value


CHANNEL_NORM = '''\
class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position of a map."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.movedim(1, -1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.movedim(-1, 1)
'''


def onnx_ones(r: Recorder, shape: Shape) -> str:
    """A tensor of ones."""
    if known(*shape):
        return r.constant(ones(shape))
    return r.node("Expand", [r.constant(1.0), r.constant(list(shape), "int")])


def ones(shape: Shape) -> Any:
    """Nested lists of ones."""
    return [ones(shape[1:]) for _ in range(shape[0])] if shape else 1.0


@dataclass(frozen=True, eq=False, repr=False)
class GroupNorm(Normalization):
    """Group normalisation (Wu and He, 2018): `GN(groups=8)`.

    Takes Cx... or a vector C and gives the same shape: in each item of the batch, each of `groups` runs
    of channels gets mean 0 and variance 1 over its channels and positions; then times `weight` and
    plus `bias`, both of C, unless affine=false. groups=32 is the paper's; 1 normalises all
    channels together. eps=1e-5 is torch's. `groups` must divide the channels. `init` says how `weight`
    starts, at 1 if not given.
    """

    spec: ClassVar[str] = "GN"
    layout: ClassVar[str] = "map"

    groups: Any = arg(WIDTH, 32)
    eps: Any = arg(REAL, 1e-5)
    affine: Any = arg(FLAG, True)
    init: Any = arg(PLAIN, None)

    def shape(self, *x: TensorType) -> TensorType:
        self.check_eps()
        need_float(self.spec, x[0])
        if x[0].rank != 1:
            need_map(self.spec, x[0])
        channels = x[0].channels
        if channels % self.groups:
            raise LayerError(
                "E205",
                f"groups (={self.groups}) do not divide the channels that arrive (={channels})",
                argument="groups",
                trials=[Trial("groups", g) for g in dict.fromkeys((gcd(self.groups, channels), 1))],
            )
        if x[0].size == self.groups:
            raise LayerError(
                "E209",
                f"{self.groups} groups of {x[0]} hold one value each, and normalising one value gives 0",
                argument="groups",
                trials=[Trial("groups", 1)],
            )
        return x[0]

    def torch(self, *x: TensorType) -> Torch:
        given = [("eps", self.eps, 1e-5), ("affine", self.affine, True)]
        return module("nn.GroupNorm", self.groups, x[0].channels, starts=self.starts(), **changed(given))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        value = onnx_reshape(r, names[0], [self.groups, -1])
        value = by_position(r, value, self.groups, self.eps)
        return scaled(r, onnx_reshape(r, value, x[0].shape), w, x[0])


@dataclass(frozen=True, eq=False, repr=False)
class LRN(Pointwise):
    """Local response normalisation over near channels (Krizhevsky et al., 2012): `LRN`.

    Takes a map Cx... of 1 to 3 axes and gives the same shape: each value is divided by
    (k + alpha/size * sum of squares)^beta, the sum over `size` channels around its own, zeros beyond
    the ends. size=5, alpha=1e-4, beta=0.75 and k=1 are torch's; AlexNet's paper has k=2 and does not
    divide alpha by the size. An even `size` sees one channel more below than above, as in torch.
    """

    spec: ClassVar[str] = "LRN"
    layout: ClassVar[str] = "map"

    size: Any = arg(WIDTH, 5)
    alpha: Any = arg(REAL, 1e-4)
    beta: Any = arg(REAL, 0.75)
    k: Any = arg(REAL, 1.0)

    def shape(self, *x: TensorType) -> TensorType:
        need_map(self.spec, x[0])
        return x[0]

    def elementwise(self, *x: TensorType) -> int:
        return (int(self.size) + 3) * x[0].size

    def torch(self, *x: TensorType) -> Torch:
        given = [("alpha", self.alpha, 1e-4), ("beta", self.beta, 0.75), ("k", self.k, 1.0)]
        made = call("nn.LocalResponseNorm", self.size, **changed(given))
        # torch's takes a view over 3 axes, which a permuted map does not allow
        arrived: Any = X() if x[0].rank < 4 else Method(X(), "contiguous")
        return Torch(Call(Itself(), (arrived,)), made, "module")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        value, size = names[0], self.size
        if size % 2 and x[0].rank == 3:
            numbers = {"alpha": float(self.alpha), "beta": float(self.beta), "bias": float(self.k)}
            return r.node("LRN", [value], size=size, **numbers)
        # onnxruntime refuses even sizes, and maps of other ranks: the mean of squares, as torch writes it
        flat = onnx_reshape(r, r.node("Mul", [value, value]), [1, x[0].channels, -1])
        pads = [size // 2, 0, (size - 1) // 2, 0]
        pool = r.node("AveragePool", [flat], kernel_shape=[size, 1], strides=[1, 1], pads=pads, count_include_pad=1)
        mean = onnx_reshape(r, pool, x[0].shape)
        base = r.node("Add", [r.node("Mul", [mean, r.constant(float(self.alpha))]), r.constant(float(self.k))])
        return r.node("Div", [value, r.node("Pow", [base, r.constant(float(self.beta))])])
