"""Normalisation of channels, over the batch or over positions, with running statistics or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import FLAG, REAL, arg
from archdsl.layers.base import ONES, ZEROS, LayerError, Pointwise, Recorder, Trial, Weight
from archdsl.layers.code import Starts, Torch, module
from archdsl.layers.initialization import PLAIN, begin, torch_starts
from archdsl.layers.maps import need_float, need_map
from archdsl.layers.padding import onnx_reduce
from archdsl.records import dataclass
from archdsl.tensor import TensorType, product


class Normalization(Pointwise):
    """What the layers that normalise have in common: no shape changes. Receptive fields leave out the statistics."""

    eps: Any
    affine: Any
    init: Any = None

    def check_eps(self) -> None:
        """Raises E210 where `eps` is below 0: the root of a variance plus eps would be no number."""
        if self.eps < 0:
            raise LayerError(
                "E210", f"eps may not be below 0, and is {self.eps}", argument="eps", trials=[Trial("eps", 1e-5)]
            )

    def elementwise(self, *x: TensorType) -> int:
        return (7 if self.affine else 5) * x[0].size  # mean, variance, quotient; scale and shift

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        shape = (x[0].channels,)
        weight = Weight(shape, begin(self.init, shape, ONES))
        return {"weight": weight, "bias": Weight(shape, ZEROS)} if self.affine else {}

    def starts(self) -> Starts:
        """The call that lets the weight start otherwise than at 1, if one does."""
        return torch_starts(self.init) if self.affine else ()


def running(channels: int) -> dict[str, Weight]:
    """The statistics that torch keeps of what it saw in training."""
    return {
        "running_mean": Weight((channels,), ZEROS),
        "running_var": Weight((channels,), ONES),
        "num_batches_tracked": Weight((), ZEROS, "int"),
    }


def with_running(r: Recorder, value: str, w: Mapping[str, str], channels: int, eps: float) -> str:
    """A BatchNormalization by the running statistics, the way that evaluation does it."""
    scale = w["weight"] if "weight" in w else r.constant([1.0] * channels)
    bias = w["bias"] if "bias" in w else r.constant([0.0] * channels)
    return r.node("BatchNormalization", [value, scale, bias, w["running_mean"], w["running_var"]], epsilon=float(eps))


def scaled(r: Recorder, value: str, w: Mapping[str, str], x: TensorType) -> str:
    """Times the weight and plus the bias of each channel, where there are any."""
    shape = r.constant([x.channels, *(1,) * (x.rank - 1)], "int") if w else ""
    for key, operator in (("weight", "Mul"), ("bias", "Add")):
        if key in w:
            value = r.node(operator, [value, r.node("Reshape", [w[key], shape])])
    return value


def changed(given: Sequence[tuple[str, Any, Any]]) -> dict[str, Any]:
    """The arguments, by name, that are not at torch's default, the third of each."""
    return {name: value for name, value, default in given if value != default}


def by_position(r: Recorder, value: str, channels: int, eps: float) -> str:
    """An InstanceNormalization without weights."""
    constants = [r.constant([1.0] * channels), r.constant([0.0] * channels)]
    return r.node("InstanceNormalization", [value, *constants], epsilon=float(eps))


@dataclass(frozen=True, eq=False, repr=False)
class BatchNorm(Normalization):
    """Batch normalisation of each channel (Ioffe and Szegedy, 2015): `BN`.

    Takes a map Cx... of 1 to 3 axes, or a vector C, and gives the same shape. In training each channel
    gets mean 0 and variance 1 over the batch and all positions, in evaluation by the running
    statistics; then times `weight` and plus `bias`, both of C, unless affine=false. `momentum` is the
    share of a new batch in the running statistics, as in torch (Keras gives 1 minus that). With
    track=false there are none, and evaluation takes the batch's own. eps=1e-5 and momentum=0.1 are
    torch's. `init` says how `weight` starts, at 1 if not given; init=zeros, at the end of a residual branch,
    lets that start as nothing (Goyal et al., 2017). The widths are inferred, so no argument goes without its name.
    """

    spec: ClassVar[str] = "BN"
    layout: ClassVar[str] = "map"

    eps: Any = arg(REAL, 1e-5)
    momentum: Any = arg(REAL, 0.1)
    affine: Any = arg(FLAG, True)
    track: Any = arg(FLAG, True)
    init: Any = arg(PLAIN, None)

    def elementwise(self, *x: TensorType) -> int:
        return 2 * x[0].size  # what it learned is one factor and one summand for each channel

    def shape(self, *x: TensorType) -> TensorType:
        self.check_eps()
        need_float(self.spec, x[0])
        if x[0].rank != 1:
            need_map(self.spec, x[0])
        return x[0]

    def buffers(self, *x: TensorType) -> dict[str, Weight]:
        return running(x[0].channels) if self.track else {}

    def torch(self, *x: TensorType) -> Torch:
        given = [("eps", self.eps, 1e-5), ("momentum", self.momentum, 0.1), ("affine", self.affine, True)]
        given.append(("track_running_stats", self.track, True))
        name = f"nn.BatchNorm{max(1, x[0].rank - 1)}d"
        return module(name, x[0].channels, starts=self.starts(), **changed(given))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        if self.track:
            return with_running(r, names[0], w, x[0].channels, self.eps)
        axes = [0, *range(2, x[0].rank + 1)]
        centred = r.node("Sub", [names[0], onnx_reduce(r, "ReduceMean", names[0], axes)])
        variance = onnx_reduce(r, "ReduceMean", r.node("Mul", [centred, centred]), axes)
        deviation = r.node("Sqrt", [r.node("Add", [variance, r.constant(float(self.eps))])])
        return scaled(r, r.node("Div", [centred, deviation]), w, x[0])


@dataclass(frozen=True, eq=False, repr=False)
class InstanceNorm(Normalization):
    """Instance normalisation (Ulyanov et al., 2016): `INSTANCENORM`.

    Takes a map Cx... of 1 to 3 axes with more than one position, and gives the same shape: in each item
    of the batch each channel gets mean 0 and variance 1 over its positions. As in torch there are no
    weights unless affine=true (`weight` and `bias` of C), and no running statistics unless track=true,
    which evaluation then takes, with `momentum` the share of a new batch. eps=1e-5, momentum=0.1.
    """

    spec: ClassVar[str] = "INSTANCENORM"
    layout: ClassVar[str] = "map"

    eps: Any = arg(REAL, 1e-5)
    momentum: Any = arg(REAL, 0.1)
    affine: Any = arg(FLAG, False)
    track: Any = arg(FLAG, False)

    def shape(self, *x: TensorType) -> TensorType:
        self.check_eps()
        need_map(self.spec, x[0])
        if product(x[0].shape[1:]) == 1:
            raise LayerError(
                "E209", f"INSTANCENORM needs more than one position, and {x[0]} arrives", help="use BN or LN(axis=0)"
            )
        return x[0]

    def buffers(self, *x: TensorType) -> dict[str, Weight]:
        return running(x[0].channels) if self.track else {}

    def torch(self, *x: TensorType) -> Torch:
        given = [("eps", self.eps, 1e-5), ("momentum", self.momentum, 0.1), ("affine", self.affine, False)]
        given.append(("track_running_stats", self.track, False))
        return module(f"nn.InstanceNorm{x[0].rank - 1}d", x[0].channels, **changed(given))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        if self.track:
            return with_running(r, names[0], w, x[0].channels, self.eps)
        if "weight" in w:
            return r.node("InstanceNormalization", [names[0], w["weight"], w["bias"]], epsilon=float(self.eps))
        return by_position(r, names[0], x[0].channels, self.eps)
