"""Activations: functions of one number that networks put behind their layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi, sqrt

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import REAL, WIDTH, arg, word
from archdsl.layers.base import Init, LayerError, Pointwise, Recorder, Trial, Weight
from archdsl.layers.code import Torch, module
from archdsl.layers.maps import need_float
from archdsl.records import dataclass
from archdsl.tensor import TensorType


class Activation(Pointwise):
    """A function of floats that keeps the shape."""

    def elementwise(self, *x: TensorType) -> int:
        return x[0].size

    def shape(self, *x: TensorType) -> TensorType:
        need_float(self.spec, x[0])
        return x[0]


class Relu(Activation):
    """max(0, x): `RELU`. Any shape."""

    spec: ClassVar[str] = "RELU"
    inplace: ClassVar[bool] = True

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.ReLU")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Relu", [names[0]])


class Relu6(Activation):
    """min(max(0, x), 6): `RELU6`, MobileNet's. Any shape."""

    spec: ClassVar[str] = "RELU6"
    inplace: ClassVar[bool] = True

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.ReLU6")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Clip", [names[0], r.constant(0.0), r.constant(6.0)])


@dataclass(frozen=True, eq=False, repr=False)
class LeakyRelu(Activation):
    """x where it is above 0, else slope*x: `LRELU(slope)`, slope 0.01 if not given. Any shape."""

    spec: ClassVar[str] = "LRELU"
    positional: ClassVar[tuple[str, ...]] = ("slope",)
    inplace: ClassVar[bool] = True

    slope: Any = arg(REAL, 0.01)

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.LeakyReLU", self.slope)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("LeakyRelu", [names[0]], alpha=float(self.slope))


@dataclass(frozen=True, eq=False, repr=False)
class ParametricRelu(Activation):
    """x where it is above 0, else slope*x with a learned slope: `PRELU`.

    One slope for all, or with `count=in.channels` one for each channel, that is for each position of
    axis 0. Slopes start at 0.25 (He et al., "Delving deep into rectifiers", 2015).
    """

    spec: ClassVar[str] = "PRELU"

    count: Any = arg(WIDTH, 1)

    def shape(self, *x: TensorType) -> TensorType:
        need_float(self.spec, x[0])
        channels = x[0].channels if x[0].rank else 1
        if self.count not in (1, channels):
            raise LayerError(
                "E210",
                f"{self.count} slopes for the {channels} channels of {x[0]}: there is one for all, or one for each",
                argument="count",
                trials=[Trial("count", channels), Trial("count", 1)],
            )
        return x[0]

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {"weight": Weight((self.count,), Init("constant", 0.25))}

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.PReLU", *([] if self.count == 1 else [self.count]))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        slope = w["weight"]
        if self.count > 1 and x[0].rank > 1:
            slope = r.node("Reshape", [slope, r.constant([self.count] + [1] * (x[0].rank - 1), "int")])
        return r.node("PRelu", [names[0], slope])


@dataclass(frozen=True, eq=False, repr=False)
class Elu(Activation):
    """x where it is above 0, else alpha*(exp(x) - 1): `ELU`, alpha 1 if not given. Any shape."""

    spec: ClassVar[str] = "ELU"
    positional: ClassVar[tuple[str, ...]] = ("alpha",)
    inplace: ClassVar[bool] = True

    alpha: Any = arg(REAL, 1.0)

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.ELU", *([] if self.alpha == 1 else [self.alpha]))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Elu", [names[0]], alpha=float(self.alpha))


class Selu(Activation):
    """ELU scaled so that activations normalise themselves: `SELU` (Klambauer et al., 2017). Any shape."""

    spec: ClassVar[str] = "SELU"
    inplace: ClassVar[bool] = True

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.SELU")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Selu", [names[0]])


@dataclass(frozen=True, eq=False, repr=False)
class Gelu(Activation):
    """x times the normal distribution's share below x: `GELU` (Hendrycks and Gimpel, 2016). Any shape.

    x/2*(1 + erf(x/sqrt(2))); with `approximate=tanh` x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3))).
    """

    spec: ClassVar[str] = "GELU"

    approximate: Any = arg(word("none", "tanh"), "none")

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.GELU", **({} if self.approximate == "none" else {"approximate": self.approximate}))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        value = names[0]
        if r.opset >= 20:
            return r.node("Gelu", [value], approximate=self.approximate)
        if self.approximate == "tanh":
            cube = r.node("Mul", [r.node("Pow", [value, r.constant(3.0)]), r.constant(0.044715)])
            inner = r.node("Tanh", [r.node("Mul", [r.node("Add", [value, cube]), r.constant(sqrt(2 / pi))])])
        else:
            inner = r.node("Erf", [r.node("Div", [value, r.constant(sqrt(2))])])
        share = r.node("Add", [inner, r.constant(1.0)])
        return r.node("Mul", [r.node("Mul", [value, share]), r.constant(0.5)])  # the form that onnxruntime fuses


class Silu(Activation):
    """x*sigmoid(x): `SILU`, also called swish (Ramachandran et al., 2017). Any shape."""

    spec: ClassVar[str] = "SILU"
    inplace: ClassVar[bool] = True

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.SiLU")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Mul", [names[0], r.node("Sigmoid", [names[0]])])


class Mish(Activation):
    """x*tanh(softplus(x)): `MISH` (Misra, 2019). Any shape."""

    spec: ClassVar[str] = "MISH"
    inplace: ClassVar[bool] = True

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.Mish")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Mul", [names[0], r.node("Tanh", [r.node("Softplus", [names[0]])])])


class Sigmoid(Activation):
    """1/(1 + exp(-x)): `SIGMOID`. Any shape."""

    spec: ClassVar[str] = "SIGMOID"

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.Sigmoid")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Sigmoid", [names[0]])


class Tanh(Activation):
    """The hyperbolic tangent: `TANH`. Any shape."""

    spec: ClassVar[str] = "TANH"

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.Tanh")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Tanh", [names[0]])


class HardSwish(Activation):
    """x*min(max(0, x + 3), 6)/6: `HSWISH`, MobileNetV3's. Any shape."""

    spec: ClassVar[str] = "HSWISH"
    inplace: ClassVar[bool] = True

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.Hardswish")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("HardSwish", [names[0]])


class HardSigmoid(Activation):
    """min(max(0, x + 3), 6)/6: `HSIGMOID`, MobileNetV3's. Any shape."""

    spec: ClassVar[str] = "HSIGMOID"
    inplace: ClassVar[bool] = True

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.Hardsigmoid")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("HardSigmoid", [names[0]], alpha=1 / 6, beta=0.5)


@dataclass(frozen=True, eq=False, repr=False)
class Softplus(Activation):
    """log(1 + exp(beta*x))/beta: `SOFTPLUS`, beta 1 if not given; x itself where beta*x > `threshold`. Any shape."""

    spec: ClassVar[str] = "SOFTPLUS"

    beta: Any = arg(REAL, 1.0)
    threshold: Any = arg(REAL, 20.0)

    def shape(self, *x: TensorType) -> TensorType:
        need_float(self.spec, x[0])
        if not self.beta:
            raise LayerError("E210", "SOFTPLUS divides by beta, which is 0", argument="beta", trials=[Trial("beta", 1)])
        return x[0]

    def torch(self, *x: TensorType) -> Torch:
        given = {"beta": (self.beta, 1), "threshold": (self.threshold, 20)}
        return module("nn.Softplus", **{key: value for key, (value, usual) in given.items() if value != usual})

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        plain = self.beta == 1
        inner = names[0] if plain else r.node("Mul", [names[0], r.constant(float(self.beta))])
        soft = r.node("Softplus", [inner])
        soft = soft if plain else r.node("Div", [soft, r.constant(float(self.beta))])
        if self.threshold >= 17:  # from there on log(1 + exp(x)) is x in float32
            return soft
        return r.node("Where", [r.node("Greater", [inner, r.constant(float(self.threshold))]), names[0], soft])
