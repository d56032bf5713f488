"""Tensors that stand in the network by themselves: PARAM, which is learned, and CONST, which is fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import ANYTHING, FLAG, FLOAT32, SHAPE, arg, word
from archdsl.layers.base import ZEROS, Init, Layer, LayerError, Recorder, Trial, Weight
from archdsl.layers.code import Call, Code, Infix, Itself, Method, Name, Torch, call
from archdsl.layers.initialization import CONSTANTS, INIT, Start, begin, normal, torch_start
from archdsl.records import dataclass
from archdsl.tensor import Shape, TensorType


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

    It has this shape and no batch, so it joins tensors that have one. `init` says how it starts: normal with
    deviation 0.02 if not given (see the language). With `batch=true` it is stored with a first axis of size 1, the
    batch's, as some published models have it: PARAM(1, 768, batch=true) is a 1x1x768 in the state_dict.
    """

    spec: ClassVar[str] = "PARAM"
    variadic: ClassVar[str] = "sizes"

    sizes: Any = arg(SHAPE)
    init: Any = arg(INIT, normal())
    batch: Any = arg(FLAG, False)

    def shape(self, *x: TensorType) -> TensorType:
        self._init()  # raises where what `init` asks for is no matrix
        return TensorType(self.sizes, "float", batched=False)

    def _init(self) -> Init:
        return begin(self.init, self.sizes, ZEROS)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {"": Weight(self.held(self.sizes), self._init())}

    def torch(self, *x: TensorType) -> Torch:
        start: Start = self.init
        sizes: tuple[Code, ...] = self.held(self.sizes) or ((),)  # torch.zeros(()) is a tensor of no axes
        value: Code
        if start in CONSTANTS.values():
            value = Call("torch.zeros" if start.number == 0 else "torch.ones", sizes)
        elif start.name == "constant":
            value = call("torch.full", self.held(self.sizes), start.number)
        elif start.name == "normal":
            value = Infix("*", Call("torch.randn", sizes), start.number)
        else:
            value = torch_start(start, Call("torch.empty", sizes))
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
        return self._type

    @cached_property
    def _type(self) -> TensorType:
        """The tensor's type, found once: the lists may be long. Raises E210."""
        shape = _shape(self.values)
        kinds = _kinds(self.values)
        if not kinds <= {bool, int, float}:
            other = next(v for v in _flat(self.values) if not isinstance(v, (int, float)))
            raise LayerError("E210", f"CONST holds numbers, and {other!r} is none", argument="values")
        found = self._found(kinds)
        if (found == "int" and float in kinds) or (found == "bool" and kinds != {bool}):
            raise LayerError(
                "E210",
                f"not all of CONST's values are of type {found}",
                argument="dtype" if self.dtype else "values",
                trials=[Trial("dtype", "float")],
            )
        largest = {"float": FLOAT32, "int": 2**63 - 1}.get(found)
        if largest is not None and any(abs(v) > largest for v in _ends(self.values)):
            raise LayerError("E210", f"CONST's numbers are {HELD[found]}, and not all of them fit", argument="values")
        return TensorType(shape, found, batched=False)

    def _found(self, kinds: set[type]) -> str:
        given: str | None = self.dtype
        return given or ("bool" if kinds == {bool} else "int" if kinds == {int} else "float")

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def buffers(self, *x: TensorType) -> dict[str, Weight]:
        y = self._type
        init = Init("values", values=[self.values] if self.batch else self.values)
        return {"": Weight(self.held(y.shape), init, y.dtype, bool(self.persistent))}

    def torch(self, *x: TensorType) -> Torch:
        kind = self._type.dtype
        values = _converted(self.values, {"float": float, "int": int, "bool": bool}[kind])
        dtype = {"dtype": Name("torch.float32")} if kind == "float" else {}
        return Torch(self.given(), call("torch.tensor", [values] if self.batch else values, **dtype), "buffer")


HELD = {"float": f"float32, up to {FLOAT32:.1e}", "int": "int64, below 2**63"}
_ROWS = frozenset((list, tuple))
_NUMBERS = (bool, int, float)  # a bool is an int as well, and so comes first


def _shape(values: Any) -> Shape:
    """The shape of nested lists; raises E210 where they are ragged or empty."""
    if not isinstance(values, (list, tuple)):
        return ()
    if values and _ROWS.isdisjoint(map(type, values)):  # a long row of numbers is looked through at once
        return (len(values),)
    shapes = [_shape(v) for v in values]
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


def _kinds(values: Any) -> set[type]:
    """The types of all numbers in nested lists, bool, int or float where they are of a class made of one."""
    if not isinstance(values, (list, tuple)):
        return {_kind(type(values))}
    kinds = set(map(type, values))
    for row in values if kinds & _ROWS else ():
        kinds |= _kinds(row)
    return {_kind(kind) for kind in kinds - _ROWS}


def _kind(given: type) -> type:
    return next((kind for kind in _NUMBERS if issubclass(given, kind)), given)


def _flat(values: Any) -> list[Any]:
    rows = values if isinstance(values, (list, tuple)) else [values]
    if not any(isinstance(v, (list, tuple)) for v in rows):
        return list(rows)
    return [leaf for v in rows for leaf in _flat(v)]


def _ends(values: Any) -> tuple[Any, ...]:
    """The least and the greatest of all numbers in nested lists."""
    if not isinstance(values, (list, tuple)):
        return (values,)
    if _ROWS.isdisjoint(map(type, values)):
        return min(values), max(values)
    inner = [end for row in values for end in _ends(row)]
    return min(inner), max(inner)


def _converted(values: Any, kind: type) -> Any:
    if isinstance(values, (list, tuple)):
        return [_converted(v, kind) if isinstance(v, (list, tuple)) else kind(v) for v in values]
    return kind(values)
