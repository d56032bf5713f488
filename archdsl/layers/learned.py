"""Tensors that stand in the network by themselves: PARAM, which is learned, and CONST, which is fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from archdsl.layers.arguments import ANYTHING, FLAG, REAL, SHAPE, arg, or_word, word
from archdsl.layers.base import ONES, ZEROS, Init, Layer, LayerError, Recorder, Trial, Weight
from archdsl.layers.code import Call, Code, Infix, Itself, Method, Name, Torch, call
from archdsl.tensor import Shape, TensorType

STD = 0.02
BOUND = 0.1


class Tensor(Layer):
    """A layer with no inputs, whose one tensor is its output, without a batch."""

    arity: ClassVar[tuple[int, int | None]] = (0, 0)
    arms: ClassVar[tuple[str, ...]] = ()

    batch: Any

    def macs(self, *x: TensorType) -> int:
        return 0

    def window(self, *x: TensorType) -> None:
        return None

    def held(self, shape: Shape) -> Shape:
        """The shape that is stored: with a first axis of size 1 where the batch's is stored too."""
        return (1, *shape) if self.batch else shape

    def given(self) -> Code:
        """The tensor that the layer registers, with a batch axis of size 1."""
        return Itself() if self.batch else Method(Itself(), "unsqueeze", (0,))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return w[""] if self.batch else r.node("Unsqueeze", [w[""], r.constant([0], "int")])


@dataclass(frozen=True, eq=False, repr=False)
class Param(Tensor):
    """A learned tensor: `PARAM(1, 768)`, or `PARAM(1x768)`; its label is its name in the state_dict.

    It has this shape and no batch, so it joins tensors that have one. `init` is how it starts: `normal`
    with deviation `std` (0.02 if not given), `uniform` within +-`bound` (0.1 if not given), `zeros`,
    `ones`, or the number that fills it. With `batch=true` it is stored with a first axis of size 1, the batch's,
    as some published models have it: PARAM(1, 768, batch=true) is a 1x1x768 in the state_dict.
    """

    spec: ClassVar[str] = "PARAM"
    variadic: ClassVar[str] = "sizes"

    sizes: Any = arg(SHAPE)
    init: Any = arg(or_word(REAL, "normal", "uniform", "zeros", "ones"), "normal")
    std: Any = arg(REAL, None)
    bound: Any = arg(REAL, None)
    batch: Any = arg(FLAG, False)

    def shape(self, *x: TensorType) -> TensorType:
        for argument, value, needs in (("std", self.std, "normal"), ("bound", self.bound, "uniform")):
            if value is not None and self.init != needs:
                raise LayerError(
                    "E210",
                    f"{argument} (={value}) is for init={needs}, and init is {self.init}",
                    argument=argument,
                    trials=[Trial("init", needs)],
                )
            if value is not None and value < 0:
                trials = [Trial(argument, -value)]
                raise LayerError("E210", f"{argument} (={value}) lies below 0", argument=argument, trials=trials)
        return TensorType(self.sizes, "float", batched=False)

    def _init(self) -> Init:
        if self.init == "normal":
            return Init("normal", 0.0, float(STD if self.std is None else self.std))
        if self.init == "uniform":
            bound = float(BOUND if self.bound is None else self.bound)
            return Init("uniform", -bound, bound)
        if isinstance(self.init, str):
            return {"zeros": ZEROS, "ones": ONES}[self.init]
        return Init("constant", float(self.init))

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {"": Weight(self.held(self.sizes), self._init())}

    def torch(self, *x: TensorType) -> Torch:
        init = self._init()
        sizes: tuple[Code, ...] = self.held(self.sizes) or ((),)  # torch.zeros(()) is a tensor of no axes
        value: Code
        if init.kind == "normal":
            value = Infix("*", Call("torch.randn", sizes), init.b)
        elif init.kind == "uniform":
            value = Method(Call("torch.empty", sizes), "uniform_", (init.a, init.b))
        elif init in (ZEROS, ONES):
            value = Call("torch.zeros" if init == ZEROS else "torch.ones", sizes)
        else:
            value = call("torch.full", self.held(self.sizes), init.a)
        return Torch(self.given(), call("nn.Parameter", value), "parameter")


@dataclass(frozen=True, eq=False, repr=False)
class Const(Tensor):
    """A fixed tensor of the numbers in nested lists: `CONST([[0, 1], [1, 0]])`.

    It has the lists' shape and no batch, so it joins tensors that have one. Whole numbers alone make a
    tensor of int, true and false one of bool, all else floats; `dtype` says it otherwise. The state_dict
    holds it where `persistent=true`, with `batch=true` with a first axis of size 1 (see PARAM).
    """

    spec: ClassVar[str] = "CONST"
    positional: ClassVar[tuple[str, ...]] = ("values",)

    values: Any = arg(ANYTHING)
    dtype: Any = arg(word("float", "int", "bool"), None)
    persistent: Any = arg(FLAG, False)
    batch: Any = arg(FLAG, False)

    def shape(self, *x: TensorType) -> TensorType:
        shape = _shape(self.values)
        kinds = {type(v) for v in _flat(self.values)}
        if not kinds <= {bool, int, float}:
            other = next(v for v in _flat(self.values) if type(v) not in (bool, int, float))
            raise LayerError("E210", f"CONST holds numbers, and {other!r} is none", argument="values")
        found = self._found(kinds)
        if (found == "int" and float in kinds) or (found == "bool" and kinds != {bool}):
            raise LayerError(
                "E210",
                f"not all of CONST's values are of type {found}",
                argument="dtype" if self.dtype else "values",
                trials=[Trial("dtype", "float")],
            )
        return TensorType(shape, found, batched=False)

    def _found(self, kinds: set[type]) -> str:
        given: str | None = self.dtype
        return given or ("bool" if kinds == {bool} else "int" if kinds == {int} else "float")

    def _data(self) -> tuple[Any, TensorType]:
        """The values as lists of the tensor's own type, and the type."""
        y = self.shape()
        values = _converted(self.values, {"float": float, "int": int, "bool": bool}[y.dtype])
        return [values] if self.batch else values, y

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def buffers(self, *x: TensorType) -> dict[str, Weight]:
        values, y = self._data()
        return {"": Weight(self.held(y.shape), Init("values", values=values), y.dtype, bool(self.persistent))}

    def torch(self, *x: TensorType) -> Torch:
        values, y = self._data()
        dtype = {"dtype": Name("torch.float32")} if y.dtype == "float" else {}
        return Torch(self.given(), call("torch.tensor", values, **dtype), "buffer")


def _shape(values: Any) -> Shape:
    """The shape of nested lists; raises E210 where they are ragged or empty."""
    if not isinstance(values, (list, tuple)):
        return ()
    shapes = [_shape(v) if isinstance(v, (list, tuple)) else () for v in values]
    if not shapes:
        raise LayerError("E210", "CONST has an empty list among its values", argument="values")
    other = next((i for i, s in enumerate(shapes) if s != shapes[0]), None)
    if other is not None:
        raise LayerError(
            "E210",
            f"CONST's lists are ragged: item 0 has {_lengths(shapes[0])}, item {other} {_lengths(shapes[other])}",
            argument="values",
        )
    return (len(shapes), *shapes[0])


def _lengths(shape: Shape) -> str:
    return "no items" if not shape else f"{'x'.join(map(str, shape))} items"


def _flat(values: Any) -> list[Any]:
    rows = values if isinstance(values, (list, tuple)) else [values]
    if not any(isinstance(v, (list, tuple)) for v in rows):
        return list(rows)
    return [leaf for v in rows for leaf in _flat(v)]


def _converted(values: Any, kind: type) -> Any:
    if isinstance(values, (list, tuple)):
        return [_converted(v, kind) if isinstance(v, (list, tuple)) else kind(v) for v in values]
    return kind(values)
