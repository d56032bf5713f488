"""CONCAT: tensors one behind the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import INTEGER, arg
from archdsl.layers.axes import find_axis
from archdsl.layers.base import Layer, LayerError, Recorder, Trial, Weight
from archdsl.layers.batch import any_batched, onnx_stretched, torch_stretched
from archdsl.layers.code import Torch, call
from archdsl.records import dataclass
from archdsl.tensor import TensorType


@dataclass(frozen=True, eq=False, repr=False)
class Concat(Layer):
    """Two arms or more one behind the other along an axis: `CONCAT{ a | b }`, along axis 0.

    AxHxW and BxHxW become (A+B)xHxW; all axes but the one are equal. `axis` is counted without the
    batch. A PARAM or a CONST is repeated for each item of the batch.
    """

    spec: ClassVar[str] = "CONCAT"
    arity: ClassVar[tuple[int, int | None]] = (2, None)
    arms: ClassVar[tuple[str, ...]] = ()

    axis: Any = arg(INTEGER, 0)

    def shape(self, *x: TensorType) -> TensorType:
        first = x[0]
        axis = find_axis(self.spec, self.axis, first)
        for i, t in enumerate(x[1:], 2):
            if t.dtype != first.dtype:
                raise LayerError("E221", f"arms 1 and {i} of CONCAT differ in type: {first.dtype} and {t.dtype}")
            if t.rank != first.rank:
                raise LayerError(
                    "E221",
                    f"arms 1 and {i} of CONCAT differ in their number of axes, "
                    f"{first.rank} and {t.rank}: {first} and {t}",
                )
            differ = [a for a in range(t.rank) if t.shape[a] != first.shape[a]]
            if set(differ) - {axis}:
                axes = " and ".join(f"{a} ({first.shape[a]} and {t.shape[a]})" for a in differ if a != axis)
                raise LayerError(
                    "E221",
                    f"arms 1 and {i} of CONCAT along axis {axis} differ in axis {axes}: {first} and {t}",
                    trials=[Trial("axis", differ[0])] if len(differ) == 1 else [],
                )
        total = sum(t.shape[axis] for t in x)
        return TensorType((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype, any_batched(x))

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        return 0

    def window(self, *x: TensorType) -> None:
        return None

    def torch(self, *x: TensorType) -> Torch:
        return Torch(call("torch.cat", torch_stretched(x), find_axis(self.spec, self.axis, x[0]) + 1))

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        return r.node("Concat", onnx_stretched(r, names, x), axis=find_axis(self.spec, self.axis, x[0]) + 1)
