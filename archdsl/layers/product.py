"""MATMUL, the matrix product of two tensors, and GATHER, the rows of a table at given indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import INTEGER, arg
from archdsl.layers.axes import find_axis
from archdsl.layers.base import WHOLE, Layer, LayerError, Recorder, Weight
from archdsl.layers.batch import any_batched
from archdsl.layers.code import Batch, Code, Infix, Item, Method, Span, Torch, X, call
from archdsl.layers.join import joined_shape
from archdsl.layers.maps import need_float
from archdsl.records import dataclass
from archdsl.tensor import Shape, TensorType


class MatMul(Layer):
    """The matrix product of two tensors' last two axes: `MATMUL{ a | b }`.

    ...xMxK times ...xKxN is ...xMxN. The axes before them are equal, or of size 1 and stretched; a PARAM
    or a CONST may leave out leading ones.
    """

    spec: ClassVar[str] = "MATMUL"
    layout: ClassVar[str] = "any"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    arms: ClassVar[tuple[str, ...]] = ("a", "b")

    def shape(self, *x: TensorType) -> TensorType:
        for t in x:
            need_float(self.spec, t)
        a, b = x
        for name, t in zip(self.arms, x):
            if t.rank < 2:
                raise LayerError("E222", f"MATMUL works on two axes or more, and {name} is {t}")
        if a.shape[-1] != b.shape[-2]:
            raise LayerError(
                "E222",
                f"MATMUL multiplies rows of {a.shape[-1]} (a is {a}) with columns of {b.shape[-2]} (b is {b})",
                help="the last axis of a and the last but one of b are summed over: REARRANGE or PERMUTE turns an arm",
            )
        outer = [t._replace(shape=t.shape[:-2]) for t in x]
        leading = joined_shape(self.spec, outer, stretch=True, code="E222", whole=x)
        return TensorType((*leading, a.shape[-2], b.shape[-1]), "float", any_batched(x))

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        return self.shape(*x).size * x[0].shape[-1]

    def window(self, *x: TensorType) -> str:
        return WHOLE

    def torch(self, *x: TensorType) -> Torch:
        return Torch(Infix("@", X(0), X(1)))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("MatMul", names)


@dataclass(frozen=True, eq=False, repr=False)
class Gather(Layer):
    """The positions of a table's axis that an index names: `GATHER{ table | index }`, along axis 0.

    A table of NxF and an index of L whole numbers from 0 to N - 1 give LxF: the index's axes stand in
    the place of the table's one. `axis` is counted without the batch. A table that has a batch, looked up by
    an index that has one too, is looked up sample by sample, along axis 0 alone.
    """

    spec: ClassVar[str] = "GATHER"
    layout: ClassVar[str] = "any"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    arms: ClassVar[tuple[str, ...]] = ("table", "index")

    axis: Any = arg(INTEGER, 0)

    def _ends(self, x: Sequence[TensorType]) -> tuple[int, Shape, Shape]:
        """The axis, and the table's sizes before and after it."""
        axis = find_axis(self.spec, self.axis, x[0])
        return axis, x[0].shape[:axis], x[0].shape[axis + 1 :]

    def shape(self, *x: TensorType) -> TensorType:
        table, index = x
        axis, before, after = self._ends(x)
        if index.dtype != "int":
            raise LayerError("E223", f"GATHER's index is of whole numbers, and {index} of {index.dtype} arrives")
        if table.batched and index.batched and axis:
            raise LayerError(
                "E223",
                f"GATHER looks up sample by sample along axis 0 alone, and axis {axis} of {table} is asked for",
                argument="axis",
                help="PERMUTE brings an axis of the table to the front",
            )
        return TensorType((*before, *index.shape, *after), table.dtype, any_batched(x))

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        return 0

    def window(self, *x: TensorType) -> str | None:
        return WHOLE if x[0].batched and x[1].batched else None

    def torch(self, *x: TensorType) -> Torch:
        table, index = x
        axis, _, after = self._ends(x)
        if not index.batched:
            return Torch(Item(X(0), (*(Span(),) * (axis + 1), Item(X(1), 0))))
        if not table.batched:
            found: Code = Item(Item(X(0), 0), (*(Span(),) * axis, X(1)))
            return Torch(Method(found, "movedim", (axis, 0)) if axis else found)
        rows: Code = X(1) if index.rank == 1 else Method(X(1), "reshape", (Batch(X(1)), -1))
        rows = Method(rows, "unsqueeze", (2,)) if after else rows
        flat: Code = Method(X(0), "flatten", (2,)) if len(after) > 1 else X(0)
        found = call("torch.take_along_dim", flat, rows, 1)
        if index.rank == 1 and len(after) <= 1:
            return Torch(found)
        return Torch(Method(found, "reshape", (Batch(X(0)), *index.shape, *after)))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        table, index = x
        axis, _, after = self._ends(x)
        if table.batched and index.batched:
            index_of_one = r.node("Unsqueeze", [names[1], r.constant([-1], "int")])
            return r.node("GatherND", [names[0], index_of_one], batch_dims=1)
        front = r.constant([0], "int")
        if not index.batched:
            return r.node("Gather", [names[0], r.node("Squeeze", [names[1], front])], axis=axis + 1)
        found = r.node("Gather", [r.node("Squeeze", [names[0], front]), names[1]], axis=axis)
        if not axis:
            return found
        rank = axis + 1 + index.rank + len(after)
        return r.node("Transpose", [found], perm=[axis, *(a for a in range(rank) if a != axis)])
