"""SOFTMAX and LOGSOFTMAX, activations over an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.activation import Activation
from archdsl.layers.arguments import INTEGER, WIDTH, arg
from archdsl.layers.axes import across_positions, feature_axis, find_axis
from archdsl.layers.base import WHOLE, Recorder
from archdsl.layers.code import Torch, module
from archdsl.layers.maps import need_float
from archdsl.records import dataclass
from archdsl.tensor import TensorType


class OverAnAxis(Activation):
    """What SOFTMAX and LOGSOFTMAX share: the axis."""

    axis: Any

    def found(self, x: TensorType) -> int:
        """The axis, counted without the batch."""
        return find_axis(self.spec, feature_axis(x) if self.axis is None else self.axis, x)

    def shape(self, *x: TensorType) -> TensorType:
        need_float(self.spec, x[0])
        self.found(x[0])
        return x[0]

    def elementwise(self, *x: TensorType) -> int:
        return 3 * x[0].size  # exp, the sum, the quotient

    def window(self, *x: TensorType) -> str | None:
        return WHOLE if across_positions([self.found(x[0])], x[0]) else None


@dataclass(frozen=True, eq=False, repr=False)
class Softmax(OverAnAxis):
    """exp(x) over its sum along an axis, so that all are above 0 and sum to 1: `SOFTMAX`. Any shape.

    Without `axis`: the channels of a map (three axes or more), else the last axis. Where it ends the
    network it is CS231n's classifier: `SOFTMAX(classes)` stands for FC(classes) - SOFTMAX, and so does
    SOFTMAX where `classes` is defined and what arrives is not so many scores. That is decided before
    any shape is derived; by itself the layer does nothing with `classes`.
    """

    spec: ClassVar[str] = "SOFTMAX"
    positional: ClassVar[tuple[str, ...]] = ("classes",)

    classes: Any = arg(WIDTH, None)
    axis: Any = arg(INTEGER, None)

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.Softmax", dim=self.found(x[0]) + 1)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Softmax", [names[0]], axis=self.found(x[0]) + 1)


@dataclass(frozen=True, eq=False, repr=False)
class LogSoftmax(OverAnAxis):
    """The logarithm of SOFTMAX, computed stably: `LOGSOFTMAX`. Any shape.

    Without `axis`: the channels of a map (three axes or more), else the last axis.
    """

    spec: ClassVar[str] = "LOGSOFTMAX"

    axis: Any = arg(INTEGER, None)

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.LogSoftmax", dim=self.found(x[0]) + 1)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("LogSoftmax", [names[0]], axis=self.found(x[0]) + 1)
