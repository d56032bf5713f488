"""What MHA and ATTENTION share: heads that divide widths, and the attention itself as ONNX says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd

from archdsl.layers.axes import divisors
from archdsl.layers.base import LayerError, Recorder, Trial
from archdsl.layers.nodes import onnx_reshape
from archdsl.tensor import Shape, TensorType


def check_heads(heads: int, widths: Mapping[str, int]) -> None:
    """Raises E226 where `heads` do not divide the widths, named by their arms."""
    for arm, width in widths.items():
        if width % heads:
            common = gcd(*widths.values())
            fitting = sorted(divisors(common)[1:], key=lambda h: abs(h - heads))
            raise LayerError(
                "E226",
                f"heads (={heads}) do not divide the width of {arm} (={width})",
                argument="heads",
                label=f"{width}/{heads} = {width / heads:.2f}",
                trials=[Trial("heads", h) for h in fitting[:2]],
            )


def check_lengths(spec: str, k: TensorType, v: TensorType) -> None:
    """Raises E226 where keys and values are not equally many."""
    if k.shape[-2] != v.shape[-2]:
        lengths = f"{k.shape[-2]} and {v.shape[-2]}"
        raise LayerError("E226", f"k and v of {spec} differ in their length, {lengths}: {k} and {v}")


def split_heads(r: Recorder, value: str, heads: int, shape: Shape, *, transposed: bool = False) -> str:
    """...xLxE as ...xheadsxLxE/heads, or with the last two axes exchanged."""
    value = onnx_reshape(r, value, [*shape[:-1], heads, shape[-1] // heads])
    n = len(shape) - 1  # the axis of the length, counted with the batch
    last = (n + 2, n) if transposed else (n, n + 2)
    return r.node("Transpose", [value], perm=[*range(n), n + 1, *last])


def merge_heads(r: Recorder, value: str, shape: Shape) -> str:
    """...xheadsxLxD as the ...xLxE of this shape."""
    n = len(shape) - 1
    value = r.node("Transpose", [value], perm=[*range(n), n + 1, n, n + 2])
    return onnx_reshape(r, value, shape)


def attend(r: Recorder, q: str, k: str, v: str, scale: float, mask: str) -> str:
    """softmax(q k scale + mask) v, where k has its last two axes exchanged."""
    scores = r.node("MatMul", [r.node("Mul", [q, r.constant(scale)]), k])
    scores = r.node("Add", [scores, mask]) if mask else scores
    return r.node("MatMul", [r.node("Softmax", [scores], axis=-1), v])


def attention_node(
    r: Recorder, arms: Sequence[str], heads: int, scale: float, causal: bool = False, mask: str = ""
) -> str:
    """ONNX's own Attention (opset 23) over LxE of `heads` heads, or with one over headsxLxE; the mask has 4 axes.

    onnxruntime (1.31) takes 0.8 to 0.95 of the time of its parts: benchmarks/onnx_attention.py.
    """
    counts = {"q_num_heads": heads, "kv_num_heads": heads} if heads else {}
    return r.node("Attention", [*arms, *([mask] if mask else [])], scale=scale, is_causal=int(causal), **counts)


def causal_mask(r: Recorder, length: int, seen: int) -> str:
    """Minus infinity above the diagonal, else 0."""
    full = r.node("Expand", [r.constant(float("-inf")), r.constant([length, seen], "int")])
    return r.node("Trilu", [full, r.constant(1, "int")], upper=1)
