"""The layers as torch has them, for the reference: a maker for each, and the rules of the language that torch lacks.

A maker is given the arguments as written and the tensors that arrive, and answers a module, or a function of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import stochastic_depth


class Rejected(Exception):
    """The language or torch does not take the spec."""


class Value(Protocol):
    """A tensor that flows."""

    tensor: Tensor
    batched: bool

    @property
    def shape(self) -> tuple[int, ...]: ...


def refuse(wrong: bool, why: str) -> None:
    """A rule of the language that torch does not have."""
    if wrong:
        raise Rejected(why)


def per_axis(value: Any, rank: int) -> tuple[int, ...]:
    if isinstance(value, tuple):
        refuse(len(value) != rank, "sizes for another number of axes")
        return value
    return (value,) * rank


def _rank(x: Tensor) -> int:
    rank = x.dim() - 2
    refuse(not 1 <= rank <= 3, "no map")
    refuse(not x.is_floating_point(), "no floats")
    return rank


# ---- windows


def lost(n: int, k: int, s: int, d: int, before: int, after: int) -> int:
    """The positions of the input that no window reaches, gaps that the stride leaves everywhere apart."""
    extent = d * (k - 1) + 1
    windows = (n + before + after - extent) // s + 1
    end = (windows - 1) * s + max(extent, s)  # of the last window and the gap behind it
    return max(0, before + n - end)


def judge(x: Tensor, sizes: tuple[tuple[int, ...], ...], fit: str, *, ceil: bool = False) -> None:
    """CS231n's formula, or what it means for what is lost."""
    for n, k, s, d, before, after in zip(x.shape[2:], *sizes):
        extent = d * (k - 1) + 1
        refuse(n + before + after < extent and not ceil, "the window is larger than the map")
        refuse(fit == "exact" and (n + before + after - extent) % s != 0, "doesn't fit exactly")
        refuse(fit == "cover" and lost(n, k, s, d, before, after) > 0, "doesn't fit")


def pads(a: dict[str, Any], x: Tensor, kernel: str, default: Any) -> tuple[tuple[int, ...], ...]:
    """Kernel, stride, dilation, padding before and after along each axis."""
    rank = _rank(x)
    k = per_axis(a.get(kernel, 3 if kernel == "kernel" else 2), rank)
    s = per_axis(a.get("stride", 1 if kernel == "kernel" else k), rank)
    d = per_axis(a.get("dilation", 1), rank)
    given = a.get("padding", default)
    reach = [dd * (kk - 1) for kk, dd in zip(k, d)]
    if given == "half":
        refuse(any(kk % 2 == 0 for kk in k), "an even kernel")
        pairs = [(r // 2, r // 2) for r in reach]
    elif given == "valid":
        pairs = [(0, 0)] * rank
    elif given == "full":
        pairs = [(r, r) for r in reach]
    elif given == "causal":
        refuse(rank != 1, "causal is for sequences")
        pairs = [(reach[0], 0)]
    elif given == "same":
        total = [max(0, (math.ceil(n / ss) - 1) * ss + r + 1 - n) for n, ss, r in zip(x.shape[2:], s, reach)]
        pairs = [(t // 2, t - t // 2) for t in total]
    else:
        pairs = [(p, p) for p in per_axis(given, rank)]
    return k, s, d, tuple(p for p, _ in pairs), tuple(q for _, q in pairs)


def flat(before: tuple[int, ...], after: tuple[int, ...]) -> list[int]:
    """F.pad's order."""
    return [p for pair in zip(reversed(before), reversed(after)) for p in pair]


def _conv(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    rank = _rank(x[0])
    k, s, d, before, after = pads(a, x[0], "kernel", "half")
    judge(x[0], (k, s, d, before, after), a["fit"])
    mode, even = a.get("padding_mode", "zeros"), before == after
    made: nn.Module = getattr(nn, f"Conv{rank}d")(
        x[0].shape[1], a["filters"], k, s, before if even else 0, d, a.get("groups", 1), a.get("bias") is not False,
        mode if even else "zeros",
    )  # fmt: skip
    if not even:
        pad, how = flat(before, after), "constant" if mode == "zeros" else mode
        made.register_forward_pre_hook(lambda module, args: (F.pad(args[0], pad, mode=how),))
    return made


def _upconv(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    rank = _rank(x[0])
    k, s, d = (per_axis(a.get(n, v), rank) for n, v in (("kernel", 2), ("stride", 2), ("dilation", 1)))
    if a.get("padding") is None:
        extent = [dd * (kk - 1) + 1 for kk, dd in zip(k, d)]
        p = tuple(math.ceil(max(0, e - ss) / 2) for e, ss in zip(extent, s))
        out = tuple(2 * pp - (e - ss) for pp, e, ss in zip(p, extent, s))
        if a.get("output_padding") is not None:
            out = per_axis(a["output_padding"], rank)
    else:
        p, out = per_axis(a["padding"], rank), per_axis(a.get("output_padding", 0), rank)
    made = getattr(nn, f"ConvTranspose{rank}d")
    result: nn.Module = made(
        x[0].shape[1], a["filters"], k, s, p, out, a.get("groups", 1), a.get("bias") is not False, d
    )
    return result


def _pool(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    k, s, d, before, after = pads(a, x[0], "size", 0)
    ceil = a["fit"] == "ceil"
    judge(x[0], (k, s, d, before, after), a["fit"], ceil=ceil)
    function = getattr(F, f"max_pool{rank}d")
    if not isinstance(a.get("padding", 0), str):
        return lambda x: function(x[0], k, s, before, d, ceil_mode=ceil)
    if ceil:
        ends = []
        for n, kk, ss, dd, p, q in zip(x[0].shape[2:], k, s, d, before, after):
            count = (n + p - 1 + min(0, ss + q - dd * (kk - 1) - 1)) // ss + 1
            ends.append(max(q, (count - 1) * ss + dd * (kk - 1) + 1 - n - p))
        after = tuple(ends)
    return lambda x: function(F.pad(x[0], flat(before, after), value=-math.inf), k, s, 0, d)


def _avgpool(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    k, s, d, before, after = pads(a, x[0], "size", 0)
    ceil, counted = a["fit"] == "ceil", a.get("count_include_pad", True)
    judge(x[0], (k, s, d, before, after), a["fit"], ceil=ceil)
    function = getattr(F, f"avg_pool{rank}d")
    if before == after:
        return lambda x: function(x[0], k, s, before, ceil, counted)
    pad = flat(before, after)
    if counted:
        return lambda x: function(F.pad(x[0], pad), k, s)
    return lambda x: function(F.pad(x[0], pad), k, s) / function(F.pad(torch.ones_like(x[0]), pad), k, s)


def _lppool(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    k, s, d, before, after = pads(a, x[0], "size", 0)
    ceil = a["fit"] == "ceil"
    judge(x[0], (k, s, d, before, after), a["fit"], ceil=ceil)
    made = getattr(F, f"lp_pool{rank}d")
    return lambda x: made(x[0], float(a.get("p", 2)), k if rank > 1 else k[0], s if rank > 1 else s[0], ceil)


def _adaptive(kind: str) -> Callable[[dict[str, Any], list[Tensor]], Any]:
    def make(a: dict[str, Any], x: list[Tensor]) -> Any:
        rank = _rank(x[0])
        size = per_axis(a["size"], rank)
        return lambda x: getattr(F, f"adaptive_{kind}_pool{rank}d")(x[0], size)

    return make


# ---- the others


def _norm_rank(x: Tensor) -> int:
    refuse(not 2 <= x.dim() <= 5 or not x.is_floating_point(), "neither a map nor a vector")
    return max(1, x.dim() - 2)


def _bn(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    made = getattr(nn, f"BatchNorm{_norm_rank(x[0])}d")
    if not a.get("track", True) and x[0][:1, 0].numel() == 1:
        raise MemoryError("it takes a batch above 1, and is not to be proposed")
    result: nn.Module = made(
        x[0].shape[1], a.get("eps", 1e-5), a.get("momentum", 0.1), a.get("affine", True), a.get("track", True)
    )
    return result


def _instancenorm(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    rank = _rank(x[0])
    refuse(math.prod(x[0].shape[2:]) == 1, "one position")
    result: nn.Module = getattr(nn, f"InstanceNorm{rank}d")(
        x[0].shape[1], a.get("eps", 1e-5), a.get("momentum", 0.1), a.get("affine", False), a.get("track", False)
    )
    return result


def _ln(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    rank = x[0].dim() - 1
    given = a.get("axis", -1)
    axes = sorted(axis - 1 for axis in _axes(given, x[0]))
    last = axes == list(range(rank - len(axes), rank))
    refuse(not last and axes != [0], "not the last axes")
    shape = [x[0].shape[axis + 1] for axis in axes]
    result = nn.LayerNorm(shape, a.get("eps", 1e-5), a.get("affine", True), a.get("bias", True))
    if not last:
        result.register_forward_pre_hook(lambda module, args: (args[0].movedim(1, -1),))
        result.register_forward_hook(lambda module, args, y: y.movedim(-1, 1))
    return result


def _lrn(a: dict[str, Any], x: list[Tensor]) -> Any:
    _rank(x[0])
    made = nn.LocalResponseNorm(a.get("size", 5), a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("k", 1.0))
    return lambda x: made(x[0].contiguous() if x[0].dim() == 5 else x[0])  # torch takes a view there


def _upsample(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    mode = a.get("mode", "nearest")
    size = per_axis(a["size"], rank) if "size" in a else None
    factor = None if size else per_axis(a.get("factor", 2), rank)
    align = a.get("align_corners", False)
    if mode.startswith("nearest"):
        refuse(align, "align_corners is for the others")
        return lambda x: F.interpolate(
            x[0], size=size, scale_factor=None if size else [float(f) for f in factor or ()], mode=mode
        )
    return lambda x: F.interpolate(
        x[0], size=size, scale_factor=None if size else [float(f) for f in factor or ()], mode=mode, align_corners=align
    )


def _shuffle(kind: str) -> Callable[[dict[str, Any], list[Tensor]], Any]:
    def make(a: dict[str, Any], x: list[Tensor]) -> Any:
        refuse(x[0].dim() != 4, "not a map of two axes")
        made = getattr(nn, kind)(a["factor"])
        return lambda x: made(x[0])

    return make


def _pad(a: dict[str, Any], x: list[Tensor]) -> Any:
    given = a["padding"]
    if "axis" in a:
        ends = dict(zip(_axes(a["axis"], x[0]), given))
        every = [ends.get(axis, (0, 0)) for axis in range(1, x[0].dim())]
        return lambda x: F.pad(x[0], [p for pair in reversed(every) for p in pair])
    rank = _rank(x[0])
    pairs = given if isinstance(given, tuple) else (given,) * rank
    refuse(len(pairs) != rank, "paddings for another number of axes")
    pairs = [p if isinstance(p, tuple) else (p, p) for p in pairs]
    pad = [p for pair in reversed(pairs) for p in pair]
    mode = a.get("mode", "zeros")
    if mode == "zeros":
        return lambda x: F.pad(x[0], pad, value=a.get("value", 0))
    refuse(a.get("value", 0) != 0, "a value for a mode that fills with others")
    return lambda x: F.pad(x[0], pad, mode=mode)


def _axes(value: Any, x: Tensor) -> list[int]:
    rank = x.dim() - 1
    axes = value if isinstance(value, tuple) else (value,)
    refuse(any(not -rank <= axis < rank for axis in axes), "no such axis")
    found = [axis % rank + 1 for axis in axes]
    refuse(len(set(found)) != len(found), "an axis twice")
    return found


def _roll(a: dict[str, Any], x: list[Tensor]) -> Any:
    axes = _axes(a["axis"], x[0])
    shift = a["shift"] if isinstance(a["shift"], tuple) else (a["shift"],) * len(axes)
    return lambda x: torch.roll(x[0], shift, axes)


def _fc(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    result = nn.Linear(math.prod(x[0].shape[1:]), a.get("width", 128), a.get("bias", True))
    result.register_forward_pre_hook(lambda module, args: (args[0].reshape(args[0].shape[0], -1),))
    return result


def _linear(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    refuse(x[0].dim() < 2, "no axis")
    return nn.Linear(x[0].shape[-1], a["width"], a.get("bias", True))


def _flatten(a: dict[str, Any], x: list[Tensor]) -> Any:
    start, end = (_axes(a.get(name, value), x[0])[0] for name, value in (("start", 0), ("end", -1)))
    refuse(start > end, "start behind end")
    return lambda x: x[0].flatten(start, end)


def _reshape(a: dict[str, Any], x: list[Tensor]) -> Any:
    refuse(-1 in a["sizes"] and math.prod(n for n in a["sizes"] if n != -1) == 0, "zero")
    return lambda x: x[0].reshape(x[0].shape[0], *a["sizes"])


def _permute(a: dict[str, Any], x: list[Tensor]) -> Any:
    return lambda x: x[0].permute(0, *_axes(a["axes"], x[0]))


def _select(a: dict[str, Any], x: list[Tensor]) -> Any:
    return lambda x: x[0].select(_axes(a.get("axis", 0), x[0])[0], a["index"])


def _slice(a: dict[str, Any], x: list[Tensor]) -> Any:
    axis = _axes(a.get("axis", 0), x[0])[0]
    n = x[0].shape[axis]
    start, stop = a.get("start", 0), a.get("stop", n)
    refuse(not -n <= start <= n or not -n <= stop <= n, "outside of the axis")
    first, last = start + n * (start < 0), stop + n * (stop < 0)
    refuse(first >= last, "nothing is left")
    return lambda x: x[0].movedim(axis, 0)[first : last : a.get("step", 1)].movedim(0, axis)


def _chunk(a: dict[str, Any], x: list[Tensor]) -> Any:
    axis = _axes(a.get("axis", 0), x[0])[0]
    refuse(x[0].shape[axis] % a["n"] != 0 or a["i"] >= a["n"], "no such part")
    return lambda x: x[0].chunk(a["n"], axis)[a["i"]]


def _rearrange(a: dict[str, Any], x: list[Tensor]) -> Any:
    pattern, g = a["pattern"], a.get("g", 1)
    rank = {"c h w -> (h w) c": 3, "l f -> f l": 2, "(g c) h w -> (c g) h w": 3, "c (l g) -> (g c) l": 2}[pattern]
    refuse(x[0].dim() - 1 != rank, "another number of axes")
    if pattern == "c h w -> (h w) c":
        return lambda x: x[0].flatten(2).transpose(1, 2)
    if pattern == "l f -> f l":
        return lambda x: x[0].transpose(1, 2)
    if pattern == "(g c) h w -> (c g) h w":
        refuse(x[0].shape[1] % g != 0, "no such groups")
        return lambda x: x[0].unflatten(1, (g, -1)).transpose(1, 2).flatten(1, 2)
    refuse(x[0].shape[2] % g != 0, "no such groups")
    return lambda x: x[0].unflatten(2, (-1, g)).permute(0, 3, 1, 2).flatten(1, 2)


def _feature_axis(a: dict[str, Any], x: Tensor) -> int:
    refuse(x.dim() < 2, "no axis")
    given = a.get("axis")
    return _axes(given, x)[0] if given is not None else 1 if x.dim() >= 4 else x.dim() - 1


def _reduce(function: Callable[..., Tensor]) -> Callable[[dict[str, Any], list[Tensor]], Any]:
    def make(a: dict[str, Any], x: list[Tensor]) -> Any:
        axes = _axes(a["axis"], x[0])
        return lambda x: function(x[0], axes, a.get("keep", False), a.get("p", 2))

    return make


def _normalize(a: dict[str, Any], x: list[Tensor]) -> Any:
    axis = _feature_axis(a, x[0])
    return lambda x: F.normalize(x[0], a.get("p", 2), axis, a.get("eps", 1e-12))


def _recurrent(kind: str) -> Callable[[dict[str, Any], list[Tensor]], nn.Module]:
    def make(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
        refuse(x[0].dim() != 3, "no sequence")
        more = {"nonlinearity": a["activation"]} if "activation" in a else {}
        refuse(bool(a.get("dropout", 0)) and a.get("layers", 1) == 1, "dropout between one layer")
        result: nn.Module = getattr(nn, kind)(
            x[0].shape[-1], a["width"], a.get("layers", 1), bias=a.get("bias", True), batch_first=True,
            dropout=a.get("dropout", 0), bidirectional=a.get("bidirectional", False), **more,
        )  # fmt: skip
        return result

    return make


def _mha(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    refuse(x[0].dim() != 3, "no sequence")
    return nn.MultiheadAttention(
        x[0].shape[-1], a["heads"], a.get("dropout", 0), a.get("bias", True), batch_first=True
    )  # fmt: skip


def _attend(made: nn.Module, a: dict[str, Any], x: list[Tensor]) -> Tensor:
    length = x[0].shape[1]
    mask = torch.ones(length, length, dtype=torch.bool, device=x[0].device).triu(1) if a.get("causal") else None
    result: Tensor = made(x[0], x[0], x[0], attn_mask=mask, need_weights=False)[0]
    return result


def _embedding(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    refuse(x[0].is_floating_point(), "floats")
    return nn.Embedding(a["count"], a["width"], a.get("padding"))


Maker = Callable[[dict[str, Any], list[Tensor]], Any]

MAKERS: dict[str, Maker] = {
    "CONV": _conv,
    "UPCONV": _upconv,
    "POOL": _pool,
    "MAXPOOL": _pool,
    "AVGPOOL": _avgpool,
    "LPPOOL": _lppool,
    "GAP": lambda a, x: _adaptive("avg")({"size": 1}, x),
    "ADAPTIVEAVGPOOL": _adaptive("avg"),
    "ADAPTIVEMAXPOOL": _adaptive("max"),
    "BN": _bn,
    "INSTANCENORM": _instancenorm,
    "LN": _ln,
    "GN": lambda a, x: nn.GroupNorm(a.get("groups", 32), x[0].shape[1], a.get("eps", 1e-5), a.get("affine", True)),
    "LRN": _lrn,
    "UPSAMPLE": _upsample,
    "PIXELSHUFFLE": _shuffle("PixelShuffle"),
    "PIXELUNSHUFFLE": _shuffle("PixelUnshuffle"),
    "PAD": _pad,
    "ROLL": _roll,
    "FC": _fc,
    "LINEAR": _linear,
    "FLATTEN": _flatten,
    "RESHAPE": _reshape,
    "PERMUTE": _permute,
    "SELECT": _select,
    "SLICE": _slice,
    "CHUNK": _chunk,
    "REARRANGE": _rearrange,
    "PRELU": lambda a, x: nn.PReLU(a.get("count", 1)),
    "LRELU": lambda a, x: lambda x: F.leaky_relu(x[0], a.get("slope", 0.01)),
    "ELU": lambda a, x: lambda x: F.elu(x[0], a.get("alpha", 1.0)),
    "GELU": lambda a, x: lambda x: F.gelu(x[0], approximate=a.get("approximate", "none")),
    "SOFTPLUS": lambda a, x: lambda x: F.softplus(x[0], a.get("beta", 1.0), a.get("threshold", 20.0)),
    "CLAMP": lambda a, x: lambda x: x[0].clamp(a.get("min"), a.get("max")),
    "SOFTMAX": lambda a, x: lambda x: F.softmax(x[0], _feature_axis(a, x[0])),
    "LOGSOFTMAX": lambda a, x: lambda x: F.log_softmax(x[0], _feature_axis(a, x[0])),
    "DROPOUT": lambda a, x: nn.Dropout(a.get("rate", 0.5)),
    "DROPPATH": lambda a, x: lambda x, training: stochastic_depth(x[0], a["rate"], "row", training),
    "MEAN": _reduce(lambda x, axes, keep, p: x.mean(axes, keep)),
    "SUM": _reduce(lambda x, axes, keep, p: x.sum(axes, keep)),
    "NORM": _reduce(lambda x, axes, keep, p: torch.linalg.vector_norm(x, p, axes, keep)),
    "NORMALIZE": _normalize,
    "RNN": _recurrent("RNN"),
    "LSTM": _recurrent("LSTM"),
    "GRU": _recurrent("GRU"),
    "MHA": _mha,
    "EMBEDDING": _embedding,
}

CALLS: dict[str, Callable[[Any, dict[str, Any], list[Tensor]], Tensor]] = {
    "RNN": lambda made, a, x: made(x[0])[0],
    "LSTM": lambda made, a, x: made(x[0])[0],
    "GRU": lambda made, a, x: made(x[0])[0],
    "MHA": _attend,
}

POOLED = ("POOL", "MAXPOOL", "AVGPOOL", "LPPOOL")

RESIZING = ("ADAPTIVEAVGPOOL", "ADAPTIVEMAXPOOL", "UPSAMPLE", "PIXELUNSHUFFLE")

PLAIN: dict[str, Callable[[Tensor], Tensor]] = {
    "ID": lambda x: x,
    "RELU": F.relu,
    "RELU6": F.relu6,
    "SELU": F.selu,
    "SILU": F.silu,
    "MISH": F.mish,
    "SIGMOID": torch.sigmoid,
    "TANH": torch.tanh,
    "HSWISH": F.hardswish,
    "HSIGMOID": F.hardsigmoid,
    "EXP": torch.exp,
    "LOG": torch.log,
    "SQRT": torch.sqrt,
    "ABS": torch.abs,
    "NEG": torch.neg,
}


# ---- joins


def _elementwise(
    function: Callable[[Tensor, Tensor], Tensor], stretches: bool
) -> Callable[[dict[str, Any], list[Value]], Tensor]:
    def join(a: dict[str, Any], x: list[Value]) -> Tensor:
        stretch = stretches or a.get("stretch", False)
        rank = max(len(value.shape) for value in x)
        refuse(any(value.batched and len(value.shape) != rank for value in x), "another number of axes")
        for one, other in itertools.combinations(x, 2):
            for m, n in zip(reversed(one.shape), reversed(other.shape)):
                refuse(m != n and not (stretch and 1 in (m, n)), f"{m} and {n}")
        result = x[0].tensor
        for value in x[1:]:
            result = function(result, value.tensor)
        return result

    return join


def _concat(a: dict[str, Any], x: list[Value]) -> Tensor:
    batch = next((value.tensor.shape[0] for value in x if value.batched), 1)
    rank = len(x[0].shape)
    refuse(any(len(value.shape) != rank for value in x), "another number of axes")
    axis = a.get("axis", 0)
    refuse(not -rank <= axis < rank, "no such axis")
    parts = [value.tensor if value.batched else value.tensor.expand(batch, *value.shape) for value in x]
    return torch.cat(parts, axis % rank + 1)


def _matmul(a: dict[str, Any], x: list[Value]) -> Tensor:
    refuse(any(len(value.shape) < 2 for value in x), "no matrix")
    refuse(all(value.batched for value in x) and len(x[0].shape) != len(x[1].shape), "another number of axes")
    for value, other in (x, reversed(x)):
        refuse(not value.batched and len(value.shape) > len(other.shape), "more axes than the other")
    return x[0].tensor @ x[1].tensor


def _attention(a: dict[str, Any], x: list[Value]) -> Tensor:
    heads = a.get("heads", 1)
    q, k, v = (value.tensor for value in x)
    refuse(any(len(value.shape) != 2 for value in x), "no sequence")
    refuse(q.shape[-1] != k.shape[-1] or k.shape[1] != v.shape[1], "lengths or features")
    refuse(q.shape[-1] % heads != 0 or v.shape[-1] % heads != 0, "heads")
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=a.get("causal", False), scale=a.get("scale"))
    return y.transpose(1, 2).flatten(2)


def _gather(a: dict[str, Any], x: list[Value]) -> Tensor:
    refuse(x[1].tensor.is_floating_point(), "floats for an index")
    table, index = x[0].tensor, x[1].tensor
    axis = a.get("axis", 0) % table.dim()
    found = F.embedding(index, table.movedim(axis, 0).flatten(1)).unflatten(
        -1, (*table.shape[:axis], *table.shape[axis + 1 :]) or (1,)
    )
    return found.movedim(tuple(range(index.dim(), index.dim() + axis)), tuple(range(1, 1 + axis)))


JOINS: dict[str, Callable[[dict[str, Any], list[Value]], Tensor]] = {
    "ADD": _elementwise(torch.add, False),
    "SUB": _elementwise(torch.sub, False),
    "MUL": _elementwise(torch.mul, True),
    "DIV": _elementwise(torch.div, True),
    "MAX": _elementwise(torch.maximum, True),
    "MIN": _elementwise(torch.minimum, True),
    "CONCAT": _concat,
    "MATMUL": _matmul,
    "ATTENTION": _attention,
    "GATHER": _gather,
}
