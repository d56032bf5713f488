"""Attention over sequences: MHA with learned projections, ATTENTION without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import FLAG, RATE, REAL, WIDTH, arg
from archdsl.layers.arrange import onnx_slice
from archdsl.layers.base import EARLIER, WHOLE, ZEROS, Init, Layer, LayerError, Recorder, Trial, Weight
from archdsl.layers.batch import any_batched, onnx_stretched, torch_stretched
from archdsl.layers.code import Call, Code, Item, Itself, Method, Name, Torch, X, call
from archdsl.layers.convolution import torch_bound
from archdsl.layers.dense import onnx_linear
from archdsl.layers.heads import (
    attend,
    attention_node,
    causal_mask,
    check_heads,
    check_lengths,
    merge_heads,
    split_heads,
)
from archdsl.layers.maps import need_float
from archdsl.records import dataclass
from archdsl.shapes.late import same
from archdsl.tensor import Shape, TensorType, product, show_shape

ATTENTION_OPSET = 23
"""The first opset with an Attention of its own."""


def xavier(rows: int, columns: int) -> Init:
    """Uniform within sqrt(6/(fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    bound = sqrt(6 / (rows + columns))
    return Init("uniform", -bound, bound)


@dataclass(frozen=True, eq=False, repr=False)
class MultiHeadAttention(Layer):
    """Attention between learned projections, in several heads: `MHA(heads)` (Vaswani et al., 2017).

    LxE stays LxE, and `heads` divide E. With one arm the sequence attends to itself; `MHA(heads){ q | k | v }`
    takes queries LxE, keys SxK and values SxV from elsewhere, `{ q | k }` keys that are the values too.
    With `causal` position i sees positions up to i alone. `dropout` acts on the attention while training.
    The weights have the names of nn.MultiheadAttention.
    """

    spec: ClassVar[str] = "MHA"
    layout: ClassVar[str] = "sequence"
    positional: ClassVar[tuple[str, ...]] = ("heads",)
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    arms: ClassVar[tuple[str, ...]] = ("q", "k", "v")

    heads: Any = arg(WIDTH)
    bias: Any = arg(FLAG, True)
    dropout: Any = arg(RATE, 0)
    causal: Any = arg(FLAG, False)

    def shape(self, *x: TensorType) -> TensorType:
        for name, t in zip(self.arms, x):
            need_float(self.spec, t)
            if t.rank != 2:
                raise LayerError(
                    "E226",
                    f"MHA works on a sequence (its length, then features), and {name} is {t}",
                    help="RESHAPE(C, -1) - PERMUTE(1, 0) makes a map a sequence of its positions" if t.rank > 2 else "",
                )
        q, k, v = _three(x)
        check_heads(self.heads, {"q": q.features})
        check_lengths(self.spec, k, v)
        return TensorType(q.shape, "float", any_batched(x))

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        q, k, v = _three(x)
        e = q.features
        result = {}
        if q.features == k.features == v.features:
            result["in_proj_weight"] = Weight((3 * e, e), xavier(3 * e, e))
        else:
            for name, t in zip(self.arms, (q, k, v)):
                result[f"{name}_proj_weight"] = Weight((e, t.features), xavier(e, t.features))
        if self.bias:
            result["in_proj_bias"] = Weight((3 * e,), ZEROS)
        result["out_proj.weight"] = Weight((e, e), torch_bound(e))
        if self.bias:
            result["out_proj.bias"] = Weight((e,), ZEROS)
        return result

    def macs(self, *x: TensorType) -> int:
        q, k, v = _three(x)
        e = q.features
        projections = 2 * q.size * e + (k.size + v.size) * e
        return int(projections + 2 * q.size * k.shape[0])

    def elementwise(self, *x: TensorType) -> int:
        """Each score is scaled and goes through a softmax, as SOFTMAX counts it; biases as LINEAR's."""
        q, k, v = _three(x)
        biases = 2 * q.size + k.size + v.size if self.bias else 0
        return int(4 * self.heads * q.shape[0] * k.shape[0] + biases)

    def window(self, *x: TensorType) -> str:
        return EARLIER if self.causal else WHOLE

    def torch(self, *x: TensorType) -> Torch:
        q, k, v = _three(x)
        given: dict[str, tuple[Code, Code]] = {
            "dropout": (self.dropout, 0),
            "bias": (self.bias, True),
            "kdim": (k.features, q.features),
            "vdim": (v.features, q.features),
        }
        keywords = {key: value for key, (value, usual) in given.items() if value != usual}
        made = call("nn.MultiheadAttention", q.features, self.heads, **keywords, batch_first=True)
        options: tuple[tuple[str, Code], ...] = (("need_weights", False),)
        if self.causal:
            ones = Method(X(0), "new_ones", (q.shape[0], k.shape[0]), (("dtype", Name("torch.bool")),))
            options += (("attn_mask", Method(ones, "triu", (1,))), ("is_causal", True))
        return Torch(Item(Call(Itself(), _three(torch_stretched(x)), options), 0), made, "module")

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        q, k, _ = _three(x)
        e = q.features
        values = _three(onnx_stretched(r, names, x))
        scale = 1 / sqrt(e // self.heads)
        projected = []
        for i, (name, value) in enumerate(zip(self.arms, values)):
            weight = w.get(f"{name}_proj_weight") or onnx_slice(r, w["in_proj_weight"], i * e, (i + 1) * e, 0)
            bias = onnx_slice(r, w["in_proj_bias"], i * e, (i + 1) * e, 0) if self.bias else ""
            projected.append(onnx_linear(r, value, weight, bias))
        if r.opset >= ATTENTION_OPSET:
            seen = attention_node(r, projected, self.heads, scale, self.causal)
        else:
            heads = [
                split_heads(r, value, self.heads, (-1, e), transposed=name == "k")
                for name, value in zip(self.arms, projected)
            ]
            mask = causal_mask(r, q.shape[0], k.shape[0]) if self.causal else ""
            seen = merge_heads(r, attend(r, heads[0], heads[1], heads[2], scale, mask), q.shape)
        return onnx_linear(r, seen, w["out_proj.weight"], w.get("out_proj.bias", ""))


@dataclass(frozen=True, eq=False, repr=False)
class Attention(Layer):
    """Scaled dot-product attention, which learns nothing: `ATTENTION{ q | k | v }` (Vaswani et al., 2017).

    softmax(q k^T * scale) v: queries LxD, keys SxD and values SxE give LxE. `heads` of them divide D and
    E, and are split off and joined again; axes before these two, equal in all arms, are kept apart.
    Without `scale`, it is 1/sqrt(D/heads). With `causal` position i sees positions up to i alone. A fourth arm
    is added to the scores before the softmax: LxS, or headsxLxS, with sizes of 1 stretched.
    """

    spec: ClassVar[str] = "ATTENTION"
    layout: ClassVar[str] = "sequence"
    positional: ClassVar[tuple[str, ...]] = ("heads",)
    arity: ClassVar[tuple[int, int | None]] = (3, 4)
    arms: ClassVar[tuple[str, ...]] = ("q", "k", "v", "mask")

    heads: Any = arg(WIDTH, 1)
    causal: Any = arg(FLAG, False)
    scale: Any = arg(REAL, None)

    def shape(self, *x: TensorType) -> TensorType:
        q, k, v = x[:3]
        for name, t in zip(self.arms, x):
            need_float(self.spec, t)
            if t.rank < 2:
                message = f"ATTENTION works on two axes or more (length, then features), and {name} is {t}"
                raise LayerError("E226", message)
        for name, t in zip(self.arms[1:3], (k, v)):
            if t.shape[:-2] != q.shape[:-2]:
                message = f"the axes before the last two differ in q and {name} of ATTENTION: {q} and {t}"
                raise LayerError("E226", message)
        if q.features != k.features:
            raise LayerError(
                "E226", f"q and k of ATTENTION differ in their features, {q.features} and {k.features}: {q} and {k}"
            )
        check_lengths(self.spec, k, v)
        check_heads(self.heads, {"q and k": q.features, "v": v.features})
        if len(x) == 4:
            self._check_mask(*x)
        return TensorType((*q.shape[:-1], v.features), "float", any_batched(x))

    def _scores(self, q: TensorType, k: TensorType) -> Shape:
        return (*q.shape[:-2], *([self.heads] if self.heads > 1 else []), q.shape[-2], k.shape[-2])

    def _lacks_heads(self, q: TensorType, mask: TensorType) -> bool:
        """Whether the mask is one for all heads, that is without their axis."""
        return bool(self.heads > 1) and mask.rank == q.rank

    def _check_mask(self, q: TensorType, k: TensorType, v: TensorType, mask: TensorType) -> None:
        if self.causal:
            raise LayerError(
                "E226", "ATTENTION takes causal or a mask, not both", argument="causal", trials=[Trial("causal", False)]
            )
        scores = self._scores(q, k)
        shape = (*mask.shape[:-2], 1, *mask.shape[-2:]) if self._lacks_heads(q, mask) else mask.shape
        short = len(shape) != len(scores) and (mask.batched or len(shape) > len(scores))
        if short or any(n not in (1, m) for n, m in zip(reversed(shape), reversed(scores))):
            raise LayerError("E226", f"the scores of ATTENTION are {show_shape(scores)}, and its mask is {mask}")

    def _has_node(self, q: TensorType, k: TensorType, v: TensorType, *mask: TensorType) -> bool:
        """Whether ONNX's Attention takes it: one axis for the heads, no mask that is stretched along the last two."""
        plain = q.rank == 2 or (q.rank == 3 and self.heads == 1)
        return plain and all(2 <= t.rank <= 3 and same(t.shape[-2:], (q.shape[-2], k.shape[-2])) for t in mask)

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        q, k, v = x[:3]
        return product(q.shape[:-1]) * k.shape[-2] * (q.features + v.features)

    def elementwise(self, *x: TensorType) -> int:
        """Each score is scaled, is masked where there is a mask, and goes through a softmax, as SOFTMAX counts it."""
        q, k = x[:2]
        scores = self.heads * product(q.shape[:-1]) * k.shape[-2]
        return int((4 + (len(x) > 3)) * scores)

    def window(self, *x: TensorType) -> str:
        return EARLIER if self.causal else WHOLE

    def torch(self, *x: TensorType) -> Torch:
        arms = torch_stretched(x[:3]) if len(x) == 3 else torch_stretched(x)[:3]
        if self.heads > 1:
            arms = [Method(Method(a, "unflatten", (-1, (self.heads, -1))), "transpose", (-3, -2)) for a in arms]
        options: dict[str, Code] = {}
        if len(x) == 4:
            options["attn_mask"] = Method(X(3), "unsqueeze", (-3,)) if self._lacks_heads(x[0], x[3]) else X(3)
        if self.causal:
            options["is_causal"] = True
        if self.scale is not None:
            options["scale"] = float(self.scale)
        result: Code = call("F.scaled_dot_product_attention", *arms, **options)
        if self.heads > 1:
            result = Method(Method(result, "transpose", (-3, -2)), "flatten", (-2,))
        return Torch(result)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        q, k, v = x[:3]
        parts = onnx_stretched(r, names, x)[:3]
        scale = 1 / sqrt(q.features // self.heads) if self.scale is None else float(self.scale)
        if r.opset >= ATTENTION_OPSET and self._has_node(*x):
            mask = ""
            if len(x) == 4:
                one = x[3].rank == 2  # for all heads
                mask = r.node("Unsqueeze", [names[3], r.constant([1], "int")]) if one else names[3]
            return attention_node(r, parts, self.heads if q.rank == 2 else 0, scale, self.causal, mask)
        if self.heads > 1:
            arms = zip(self.arms, parts, x)
            parts = [split_heads(r, part, self.heads, t.shape, transposed=name == "k") for name, part, t in arms]
        else:
            parts[1] = r.node("Transpose", [parts[1]], perm=[*range(q.rank - 1), q.rank, q.rank - 1])
        mask = causal_mask(r, q.shape[-2], k.shape[-2]) if self.causal else ""
        if len(x) == 4:
            mask = r.node("Unsqueeze", [names[3], r.constant([-3], "int")]) if self._lacks_heads(q, x[3]) else names[3]
        seen = attend(r, parts[0], parts[1], parts[2], scale, mask)
        return merge_heads(r, seen, (*q.shape[:-1], v.features)) if self.heads > 1 else seen


def _three(x: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Queries, keys and values: what is left out is what stands before it."""
    return x[0], x[min(1, len(x) - 1)], x[-1]
