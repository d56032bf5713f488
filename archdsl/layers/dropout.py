"""Layers that do something while training alone: DROPOUT and DROPPATH."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.activation import Activation
from archdsl.layers.arguments import RATE, arg
from archdsl.layers.base import Recorder
from archdsl.layers.code import Torch, module
from archdsl.records import dataclass
from archdsl.tensor import TensorType

DROP_PATH = '''\
class DropPath(nn.Module):
    """Stochastic depth (Huang et al., 2016): while training, whole samples become 0 with this probability."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        kept = 1.0 - self.rate
        noise = x.new_empty([x.shape[0]] + [1] * (x.ndim - 1)).bernoulli_(kept)
        if kept > 0.0:
            noise.div_(kept)
        return x * noise

    def extra_repr(self) -> str:
        return f"rate={self.rate}"
'''


@dataclass(frozen=True, eq=False, repr=False)
class Dropout(Activation):
    """While training, each number becomes 0 with probability `rate`, and the others are scaled by 1/(1 - rate).

    `DROPOUT(rate)`, rate 0.5 if not given. Any shape; nothing happens outside of training (Srivastava et al., 2014).
    """

    spec: ClassVar[str] = "DROPOUT"
    positional: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Any = arg(RATE, 0.5)

    def elementwise(self, *x: TensorType) -> int:
        return 0

    def torch(self, *x: TensorType) -> Torch:
        return module("nn.Dropout", self.rate)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return names[0]


@dataclass(frozen=True, eq=False, repr=False)
class DropPath(Activation):
    """While training, each sample as a whole becomes 0 with probability `rate`, the others are scaled by 1/(1 - rate).

    `DROPPATH(rate)`, stochastic depth by rows: at the end of a residual branch it leaves the branch out
    (Huang et al., 2016; torchvision's stochastic_depth). Any shape; nothing happens outside of training.
    """

    spec: ClassVar[str] = "DROPPATH"
    positional: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Any = arg(RATE)

    def elementwise(self, *x: TensorType) -> int:
        return 0

    def torch(self, *x: TensorType) -> Torch:
        return module("DropPath", float(self.rate), helper=DROP_PATH)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return names[0]
