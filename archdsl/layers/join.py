"""Layers that join tensors number by number: ADD, SUB, MUL, DIV, MAX, MIN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import FLAG, arg
from archdsl.layers.base import Layer, LayerError, Recorder, Weight
from archdsl.layers.batch import any_batched
from archdsl.layers.code import Code, Infix, Torch, X, call
from archdsl.layers.maps import need_float
from archdsl.records import dataclass
from archdsl.tensor import Shape, TensorType


def joined_shape(
    spec: str, x: Sequence[TensorType], *, stretch: bool, code: str = "E220", whole: Sequence[TensorType] = ()
) -> Shape:
    """The shape of what is joined; raises an error that names the arms and the axes that differ.

    All arms with a batch have the same number of axes; the others may lack leading ones. Along each axis
    sizes are equal; with `stretch` an arm of size 1 is stretched. `whole` are the arms to show, where `x` are
    their leading axes.
    """
    rank = max(t.rank for t in x)
    first = {(t.shape, t.batched): i for i, t in reversed(list(enumerate(x, 1)))}  # arms alike differ from the same
    different = sorted(first.values())
    for (i, a), (j, b) in combinations([(i, x[i - 1]) for i in different], 2):
        shown = (whole or x)[i - 1], (whole or x)[j - 1]
        both = f"{shown[0]} and {shown[1]}"
        if a.rank != b.rank and min(a, b, key=lambda t: t.rank).batched:
            raise LayerError(
                code,
                f"arms {i} and {j} of {spec} differ in their number of axes, "
                f"{shown[0].rank} and {shown[1].rank}: {both}",
                help="numbers, PARAM and CONST alone may leave out leading axes",
            )
        common = min(a.rank, b.rank)
        pairs = [(rank - k, a.shape[-k], b.shape[-k]) for k in range(common, 0, -1)]
        differ = [(axis, m, n) for axis, m, n in pairs if m != n and not (stretch and 1 in (m, n))]
        if differ:
            axes = " and ".join(f"{axis} ({m} and {n})" for axis, m, n in differ)
            ones = all(1 in (m, n) for _, m, n in differ)
            raise LayerError(
                code,
                f"arms {i} and {j} of {spec} differ in {'axis' if len(differ) == 1 else 'axes'} {axes}: {both}",
                help=f"{spec} takes equal shapes; {spec}(stretch=true) stretches an axis of size 1" if ones else "",
            )
    sizes = [[t.shape[-k] for t in x if t.rank >= k] for k in range(rank, 0, -1)]
    return tuple(next((n for n in axis if n != 1), 1) for axis in sizes)


class Elementwise(Layer):
    """A join number by number. Whole numbers among the arms that have no batch, such as `2`, become floats."""

    arity: ClassVar[tuple[int, int | None]] = (2, None)
    arms: ClassVar[tuple[str, ...]] = ()

    operator: ClassVar[str] = ""  # Python's, or
    function: ClassVar[str] = ""  # torch's of two tensors
    node: ClassVar[str]  # ONNX's

    def _stretches(self) -> bool:
        """Whether axes of size 1 are stretched: ADD and SUB do so only where told."""
        return bool(getattr(self, "stretch", True))

    def shape(self, *x: TensorType) -> TensorType:
        whole = all(t.dtype != "float" for t in x)
        for t in x:
            if t.dtype != "int" or t.batched or whole:
                need_float(self.spec, t)
        return TensorType(joined_shape(self.spec, x, stretch=self._stretches()), "float", any_batched(x))

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def elementwise(self, *x: TensorType) -> int:
        return (len(x) - 1) * self.shape(*x).size

    def macs(self, *x: TensorType) -> int:
        return 0

    def window(self, *x: TensorType) -> None:
        return None

    def torch(self, *x: TensorType) -> Torch:
        value: Code = X(0)
        for i in range(1, len(x)):
            value = Infix(self.operator, value, X(i)) if self.operator else call(self.function, value, X(i))
        return Torch(value)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        floats = [n if t.dtype == "float" else r.node("Cast", [n], to=1) for n, t in zip(names, x)]  # 1: float32
        value = floats[0]
        for other in floats[1:]:
            value = r.node(self.node, [value, other])
        return value


@dataclass(frozen=True, eq=False, repr=False)
class Add(Elementwise):
    """The sum of two arms or more: `ADD{ a | b }`.

    The arms have equal shapes, since a silent broadcast hides a wrong residual. A number, a PARAM or a
    CONST may leave out leading axes: a PARAM(768) is added to each vector of 197x768. With `stretch=true` an axis of
    size 1 is stretched, as for MUL: a mask of 64x1x49x49 over the scores of 64x3x49x49.
    """

    spec: ClassVar[str] = "ADD"
    stretch: Any = arg(FLAG, False)
    operator: ClassVar[str] = "+"
    node: ClassVar[str] = "Add"


@dataclass(frozen=True, eq=False, repr=False)
class Sub(Elementwise):
    """The first arm less the second: `SUB{ a | b }`.

    The arms have equal shapes; a number, a PARAM or a CONST may leave out leading axes. With `stretch=true` an axis
    of size 1 is stretched.
    """

    spec: ClassVar[str] = "SUB"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    arms: ClassVar[tuple[str, ...]] = ("a", "b")
    stretch: Any = arg(FLAG, False)
    operator: ClassVar[str] = "-"
    node: ClassVar[str] = "Sub"


class Mul(Elementwise):
    """The product of two arms or more, number by number: `MUL{ a | b }`.

    The arms have equally many axes, and one of size 1 is stretched: CxHxW times Cx1x1 is CxHxW. A
    number, a PARAM or a CONST may leave out leading axes. MATMUL is the matrix product.
    """

    spec: ClassVar[str] = "MUL"
    operator: ClassVar[str] = "*"
    node: ClassVar[str] = "Mul"


class Div(Elementwise):
    """The first arm divided by the second, number by number: `DIV{ a | b }`.

    The arms have equally many axes, and one of size 1 is stretched. A number, a PARAM or a CONST may
    leave out leading axes.
    """

    spec: ClassVar[str] = "DIV"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    arms: ClassVar[tuple[str, ...]] = ("a", "b")
    operator: ClassVar[str] = "/"
    node: ClassVar[str] = "Div"


class Max(Elementwise):
    """The greatest of two arms or more, number by number: `MAX{ a | b }`, as in maxout.

    The arms have equally many axes, and one of size 1 is stretched. A number, a PARAM or a CONST may
    leave out leading axes.
    """

    spec: ClassVar[str] = "MAX"
    function: ClassVar[str] = "torch.maximum"
    node: ClassVar[str] = "Max"


class Min(Elementwise):
    """The least of two arms or more, number by number: `MIN{ a | b }`.

    The arms have equally many axes, and one of size 1 is stretched. A number, a PARAM or a CONST may
    leave out leading axes.
    """

    spec: ClassVar[str] = "MIN"
    function: ClassVar[str] = "torch.minimum"
    node: ClassVar[str] = "Min"
