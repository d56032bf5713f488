"""Layers that connect all to all: FC over everything that arrives, LINEAR over its last axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import FLAG, INTEGER, WIDTH, arg
from archdsl.layers.axes import find_axis
from archdsl.layers.base import EVERYTHING, Layer, LayerError, Pointwise, Recorder, Trial, Weight
from archdsl.layers.code import Call, Code, Item, Itself, Method, Torch, X, call, module
from archdsl.layers.convolution import torch_bound
from archdsl.layers.initialization import INIT, PLAIN, begin, torch_starts
from archdsl.layers.maps import need_float
from archdsl.layers.nodes import onnx_reshape
from archdsl.records import dataclass
from archdsl.tensor import TensorType, product, show_shape


class Dense(Layer):
    """What the layers with an nn.Linear have in common."""

    width: Any
    bias: Any
    init: Any
    bias_init: Any

    def tensors_of(self, features: int) -> dict[str, Weight]:
        """The tensors of the nn.Linear over so many features."""
        default, shape = torch_bound(features), (self.width, features)
        weight = {"weight": Weight(shape, begin(self.init, shape, default))}
        bias = {"bias": Weight((self.width,), begin(self.bias_init, (self.width,), default))}
        return weight | bias if self.bias else weight

    def module_of(self, features: int, value: Code) -> Torch:
        """The nn.Linear over so many features, called with `value`."""
        made = call("nn.Linear", features, self.width, **({} if self.bias else {"bias": False}))
        starts = torch_starts(self.init, self.bias_init, bias=self.bias)
        return Torch(Call(Itself(), (value,)), made, "module", starts=starts)


@dataclass(frozen=True, eq=False, repr=False)
class FullyConnected(Dense):
    """A fully connected layer, from all that arrives to each of `width` features: `FC(width)`.

    Any shape of n elements becomes `width`: what arrives is flattened first, as in CS231n and Caffe.
    Without `width`: 128, and `classes` where the layer ends the network. y = W x + b, with W of
    width x n; `bias=false` leaves out b. `init` and `bias_init` say how W and b start: see the language.
    """

    spec: ClassVar[str] = "FC"
    layout: ClassVar[str] = "any"
    positional: ClassVar[tuple[str, ...]] = ("width",)

    width: Any = arg(WIDTH, None)
    bias: Any = arg(FLAG, True)
    init: Any = arg(INIT, None)
    bias_init: Any = arg(PLAIN, None)

    def shape(self, *x: TensorType) -> TensorType:
        need_float(self.spec, x[0])
        return TensorType((self.width,), "float", x[0].batched)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return self.tensors_of(x[0].size)

    def macs(self, *x: TensorType) -> int:
        return x[0].size * int(self.width)

    def elementwise(self, *x: TensorType) -> int:
        return self.shape(*x).size if "bias" in self.weights(*x) else 0

    def window(self, *x: TensorType) -> str:
        return EVERYTHING

    def torch(self, *x: TensorType) -> Torch:
        value: Code = X()
        if x[0].rank > 1:
            value = call("torch.flatten", X(), 1)
        elif x[0].rank == 0:
            value = Method(X(), "unsqueeze", (1,))
        return self.module_of(x[0].size, value)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        value = names[0] if x[0].rank == 1 else r.node("Flatten", [names[0]], axis=1)
        return r.node("Gemm", [value, w["weight"], *([w["bias"]] if "bias" in w else [])], transB=1)


@dataclass(frozen=True, eq=False, repr=False)
class Linear(Dense):
    """A linear map of the last axis, the same at every position: `LINEAR(width)`.

    ...xF becomes ...x`width`, y = W x + b with W of width x F; `bias=false` leaves out b. With more arms,
    `LINEAR(width){ x | weight }` or `{ x | weight | bias }`, it learns nothing itself: W and b are tensors without a
    batch, a PARAM or what is made of one. `init` and `bias_init` say how its own W and b start: see the language.
    """

    spec: ClassVar[str] = "LINEAR"
    layout: ClassVar[str] = "sequence"
    positional: ClassVar[tuple[str, ...]] = ("width",)
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    arms: ClassVar[tuple[str, ...]] = ("x", "weight", "bias")

    width: Any = arg(WIDTH)
    bias: Any = arg(FLAG, True)
    init: Any = arg(INIT, None)
    bias_init: Any = arg(PLAIN, None)

    def shape(self, *x: TensorType) -> TensorType:
        need_float(self.spec, x[0])
        find_axis(self.spec, -1, x[0], "")
        for name, t, shape in zip(self.arms[1:], x[1:], ((self.width, x[0].features), (self.width,))):
            if t.batched or t.shape != shape:
                which = "one for each item of the batch" if t.batched else str(t)
                raise LayerError("E222", f"the {name} of LINEAR is {show_shape(shape)} here, and {which} arrives")
        return TensorType((*x[0].shape[:-1], self.width), "float", x[0].batched)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return self.tensors_of(x[0].features) if len(x) == 1 else {}

    def macs(self, *x: TensorType) -> int:
        return x[0].size * int(self.width)

    def elementwise(self, *x: TensorType) -> int:
        return self.shape(*x).size if self.bias or len(x) == 3 else 0

    def window(self, *x: TensorType) -> None:
        return None

    def torch(self, *x: TensorType) -> Torch:
        if len(x) > 1:
            return Torch(call("F.linear", X(0), *(Item(X(i), 0) for i in range(1, len(x)))))
        return self.module_of(x[0].features, X())

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        if len(x) > 1:
            single = [r.node("Squeeze", [name, r.constant([0], "int")]) for name in names[1:]]
            return onnx_linear(r, names[0], single[0], single[1] if len(x) == 3 else "")
        return onnx_linear(r, names[0], w["weight"], w.get("bias", ""))


def onnx_linear(r: Recorder, value: str, weight: str, bias: str) -> str:
    """The last axis times a weight of width x F, plus the bias where there is one."""
    value = r.node("MatMul", [value, r.node("Transpose", [weight], perm=[1, 0])])
    return r.node("Add", [value, bias]) if bias else value


@dataclass(frozen=True, eq=False, repr=False)
class Flatten(Pointwise):
    """All axes as one, the last moving fastest: `FLATTEN`.

    CxHxW becomes C*H*W. `start` and `end` name the first and the last of the axes that become one,
    counted without the batch: 0 and -1, all of them, if not given.
    """

    spec: ClassVar[str] = "FLATTEN"
    layout: ClassVar[str] = "any"

    start: Any = arg(INTEGER, 0)
    end: Any = arg(INTEGER, -1)

    def _ends(self, x: TensorType) -> tuple[int, int]:
        first, last = find_axis(self.spec, self.start, x, "start"), find_axis(self.spec, self.end, x, "end")
        if first > last:
            raise LayerError(
                "E210",
                f"FLATTEN would start at axis {first} of {x} and end before it, at axis {last}",
                argument="end",
                trials=[Trial("end", -1)],
            )
        return first, last

    def shape(self, *x: TensorType) -> TensorType:
        first, last = self._ends(x[0])
        sizes = x[0].shape
        return x[0]._replace(shape=(*sizes[:first], product(sizes[first : last + 1]), *sizes[last + 1 :]))

    def torch(self, *x: TensorType) -> Torch:
        first, last = self._ends(x[0])
        if (first, last) == (0, x[0].rank - 1):
            return module("nn.Flatten")
        return module("nn.Flatten", first + 1, last + 1)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        first, last = self._ends(x[0])
        if first == 0 and last == x[0].rank - 1:
            return r.node("Flatten", [names[0]], axis=1)
        return onnx_reshape(r, names[0], self.shape(*x).shape)
