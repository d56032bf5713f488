"""Functions of one number: EXP, LOG, SQRT, ABS, NEG, CLAMP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.activation import Activation
from archdsl.layers.arguments import REAL, arg
from archdsl.layers.base import LayerError, Recorder, Trial
from archdsl.layers.code import Torch, X, function
from archdsl.records import dataclass
from archdsl.tensor import TensorType


class Function(Activation):
    """A function that torch and ONNX both have, with no arguments."""

    name: ClassVar[str]
    node: ClassVar[str]

    def torch(self, *x: TensorType) -> Torch:
        return function(self.name, X())

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node(self.node, [names[0]])


class Exp(Function):
    """The exponential of each number: `EXP`. Any shape."""

    spec: ClassVar[str] = "EXP"
    name: ClassVar[str] = "torch.exp"
    node: ClassVar[str] = "Exp"


class Log(Function):
    """The natural logarithm of each number: `LOG`. Any shape."""

    spec: ClassVar[str] = "LOG"
    name: ClassVar[str] = "torch.log"
    node: ClassVar[str] = "Log"


class Sqrt(Function):
    """The square root of each number: `SQRT`. Any shape."""

    spec: ClassVar[str] = "SQRT"
    name: ClassVar[str] = "torch.sqrt"
    node: ClassVar[str] = "Sqrt"


class Abs(Function):
    """Each number without its sign: `ABS`. Any shape."""

    spec: ClassVar[str] = "ABS"
    name: ClassVar[str] = "torch.abs"
    node: ClassVar[str] = "Abs"


class Neg(Function):
    """Each number with the other sign: `NEG`. Any shape."""

    spec: ClassVar[str] = "NEG"
    name: ClassVar[str] = "torch.neg"
    node: ClassVar[str] = "Neg"


@dataclass(frozen=True, eq=False, repr=False)
class Clamp(Activation):
    """Each number held within `min` and `max`, of which one may be left out: `CLAMP(min=0, max=1)`. Any shape."""

    spec: ClassVar[str] = "CLAMP"
    positional: ClassVar[tuple[str, ...]] = ("min", "max")

    min: Any = arg(REAL, None)
    max: Any = arg(REAL, None)

    def shape(self, *x: TensorType) -> TensorType:
        if self.min is None and self.max is None:
            raise LayerError("E210", "CLAMP needs min, max, or both", trials=[Trial("min", 0)])
        if self.min is not None and self.max is not None and self.min > self.max:
            raise LayerError("E210", f"min (={self.min}) lies above max (={self.max})", argument="min")
        return super().shape(*x)

    def torch(self, *x: TensorType) -> Torch:
        ends = {"min": self.min, "max": self.max}
        return function("torch.clamp", X(), **{key: value for key, value in ends.items() if value is not None})

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        ends = ["" if end is None else r.constant(float(end)) for end in (self.min, self.max)]
        return r.node("Clip", [names[0], *(ends if ends[1] else ends[:1])])
