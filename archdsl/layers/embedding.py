"""EMBEDDING: whole numbers to vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import COUNT, WIDTH, arg
from archdsl.layers.base import Init, LayerError, Pointwise, Recorder, Trial, Weight
from archdsl.layers.code import Item, Torch, call, module
from archdsl.layers.initialization import INIT, WEIGHT, begin, torch_starts
from archdsl.records import dataclass
from archdsl.tensor import TensorType, show_shape


@dataclass(frozen=True, eq=False, repr=False)
class Embedding(Pointwise):
    """A learned vector for each whole number from 0 to `count` - 1: `EMBEDDING(count, width)`.

    L of int becomes Lx`width`, any shape likewise. The table starts normal with deviation 1, or as `init` says (see
    the language); the row of the number `padding`, where it is given, starts at 0 and is not learned.
    """

    spec: ClassVar[str] = "EMBEDDING"
    layout: ClassVar[str] = "sequence"
    positional: ClassVar[tuple[str, ...]] = ("count", "width")

    count: Any = arg(WIDTH)
    width: Any = arg(WIDTH)
    padding: Any = arg(COUNT, None)
    init: Any = arg(INIT, None)

    def shape(self, *x: TensorType) -> TensorType:
        if x[0].dtype != "int":
            raise LayerError(
                "E207",
                f"EMBEDDING works on whole numbers, and {show_shape(x[0].shape)} of {x[0].dtype} arrives",
                help="an input is declared `of int`",
            )
        if self.padding is not None and self.padding >= self.count:
            raise LayerError(
                "E210",
                f"padding (={self.padding}) is none of the {self.count} numbers, 0 to {self.count - 1}",
                argument="padding",
                trials=[Trial("padding", 0)],
            )
        return TensorType((*x[0].shape, self.width), "float", x[0].batched)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        shape = (self.count, self.width)
        return {"weight": Weight(shape, begin(self.init, shape, Init("normal", 0.0, 1.0))._replace(zero=self.padding))}

    def torch(self, *x: TensorType) -> Torch:
        padding = {} if self.padding is None else {"padding_idx": self.padding}
        starts = torch_starts(self.init)
        if starts and self.padding is not None:
            starts = (*starts, ("row", call("nn.init.zeros_", Item(WEIGHT, self.padding))))
        return module("nn.Embedding", self.count, self.width, starts=starts, **padding)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Gather", [w["weight"], names[0]], axis=0)
