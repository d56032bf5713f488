"""Grids of sizes, windows, strides, paddings and dilations for the layers with windows, held against torch.

torch decides what is accepted and what comes out, eager and on meta. Two rules are the language's own, and are counted
here position by position: which rows `cover` and `exact` would lose, and `ceil` where a padding has two sides.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from archdsl.layers.arguments import Mismatch
from archdsl.layers.base import LayerError
from archdsl.layers.registry import layer_class
from archdsl.tensor import TensorType

CHANNELS = 2
Pairs = list[tuple[int, int]]


class Case(NamedTuple):
    """A layer with arguments over a map of these sizes; where that has several axes, they have a value for each."""

    layer: str
    sizes: tuple[int, ...]
    arguments: dict[str, Any]


class Refused(Exception):
    """The language has a rule of its own that refuses the case."""


# ---- what is tried


WORDS = {"CONV": ("half", "valid", "full", "same", "causal"), "POOL": ("half", "valid", "same")}
WORDS["MAXPOOL"] = WORDS["AVGPOOL"] = WORDS["POOL"]
LAYERS = ("CONV", "UPCONV", "POOL", "MAXPOOL", "AVGPOOL", "LPPOOL", "ADAPTIVEAVGPOOL", "ADAPTIVEMAXPOOL", "PAD")


def axes(layer: str, rank: int) -> dict[str, list[Any]]:
    """The values of each argument that the grid crosses, `sizes` first."""
    each: Callable[..., list[Any]] = {
        1: lambda *values: list(values),
        2: lambda *values: [values[:1] * 2, *itertools.permutations(values[:3], 2)][: len(values) + 2],
        3: lambda *values: [values[:1] * 3, *itertools.permutations(values[:3], 3)][: len(values) + 1],
    }[rank]
    many = rank == 1
    lengths = {1: range(1, 61 if layer == "LPPOOL" else 13), 2: (2, 5, 8), 3: (3, 6)}[rank]
    sizes = [tuple(s) for s in itertools.product(lengths, repeat=rank)]
    windows = each(*((1, 2, 3, 4, 5) if many else (3, 1, 2)))
    strides = each(*((1, 2, 3, 4) if many else (2, 1, 3)))
    paddings = [*each(*((0, 1, 2, 3) if many else (1, 0, 2))), *WORDS.get(layer, ())]
    dilations = each(1, 2, 3)
    if layer == "CONV":
        fits = ["cover", "exact", "floor"]
        return {
            "sizes": sizes,
            "kernel": windows,
            "stride": strides,
            "padding": paddings,
            "dilation": dilations,
            "fit": fits,
        }
    if layer == "UPCONV":
        outs = [None, *each(*((0, 1, 2, 3) if many else (1, 0, 2)))]
        return {
            "sizes": sizes if many else sizes[::2], "kernel": windows, "stride": strides, "padding": [None, *paddings],
            "output_padding": outs, "dilation": dilations[: 3 if many else 2],
        }  # fmt: skip
    if layer.startswith("ADAPTIVE"):
        top = {1: 105, 2: 11, 3: 6}[rank]
        some = [tuple(s) for s in itertools.product(range(1, top), repeat=rank)]
        return {"sizes": some, "size": [s[0] if many else s for s in some]}
    if layer == "PAD":
        pairs = list(itertools.product(range(10 if many else 5), repeat=2))
        modes = ["zeros", "reflect", "replicate", "circular"]
        some = pairs if many else pairs[::4] if rank == 2 else pairs[::9]
        wide = [tuple(s) for s in itertools.product(range(1, {1: 26, 2: 10, 3: 5}[rank]), repeat=rank)]
        return {"sizes": wide, "padding": list(itertools.product(some, repeat=rank)), "mode": modes}
    result = {"sizes": sizes, "size": windows, "stride": [None, *strides], "fit": ["cover", "exact", "floor", "ceil"]}
    if layer != "LPPOOL":
        result["padding"] = paddings
    if layer in ("POOL", "MAXPOOL"):
        result["dilation"] = dilations
    if layer == "AVGPOOL":
        result["count_include_pad"] = [True, False]
    if layer == "LPPOOL":
        result["p"] = [2.0, 1.0]
    return result


def grid(layer: str, rank: int) -> Iterator[Case]:
    """All cases of a layer over maps of so many axes."""
    crossed = axes(layer, rank)
    for sizes, *values in itertools.product(*crossed.values()):
        yield Case(layer, sizes, dict(zip(list(crossed)[1:], values)))


def sample(layer: str, rank: int, count: int, seed: int) -> Iterator[Case]:
    """Some of the cases, drawn evenly."""
    crossed = axes(layer, rank)
    draw = random.Random(f"{layer} {rank} {seed}")
    for _ in range(count):
        sizes, *values = (draw.choice(values) for values in crossed.values())
        yield Case(layer, sizes, dict(zip(list(crossed)[1:], values)))


# ---- both sides


def hold(case: Case, meta: bool, counts: Counter[str]) -> None:
    """Hold a case against torch; raises AssertionError."""
    ours = checker(case)
    theirs = reference(case, "cpu")
    assert ours == theirs, f"{case}: archdsl {ours}, torch {theirs}"
    counts["accepted" if ours else "refused"] += 1
    if meta:
        there = reference(case, "meta")
        assert there == theirs or theirs is None, f"{case}: torch {theirs}, on meta {there}"
        counts["taken on meta, refused by torch itself"] += there != theirs


def checker(case: Case) -> tuple[int, ...] | None:
    """The sizes that the checker derives, None where it refuses."""
    given = {"filters": CHANNELS} if case.layer in ("CONV", "UPCONV") else {}
    made = layer_class(case.layer)(**given, **case.arguments)
    try:
        return tuple(made.shape(TensorType((CHANNELS, *case.sizes))).shape[1:])
    except (LayerError, Mismatch):
        return None


def reference(case: Case, device: str) -> tuple[int, ...] | None:
    """The sizes that torch gives, None where it or a rule of the language refuses."""
    x = torch.ones(1, CHANNELS, *case.sizes, device=device)
    try:
        y = RUNS[case.layer](x, case.arguments)
    except (RuntimeError, ValueError, Refused):
        return None
    return tuple(y.shape[2:]) if y.numel() else None


def _each(value: Any, x: Tensor) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * (x.dim() - 2)


def _pairs(
    padding: Any, x: Tensor, windows: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Pairs:
    """The padding before and after along each axis, by the words' meaning."""
    extents = [d * (k - 1) + 1 for k, d in zip(windows, dilations)]
    if padding == "half":
        if any(k % 2 == 0 for k in windows):
            raise Refused("an even window has no half")
        return [(e // 2, e // 2) for e in extents]
    if padding == "valid":
        return [(0, 0) for _ in extents]
    if padding == "full":
        return [(e - 1, e - 1) for e in extents]
    if padding == "causal":
        if x.dim() != 3:
            raise Refused("causal is for sequences")
        return [(e - 1, 0) for e in extents]
    if padding == "same":  # so much that ceil(n/stride) windows fit, the odd one behind
        totals = [max(0, ((n + s - 1) // s - 1) * s + e - n) for n, s, e in zip(x.shape[2:], strides, extents)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(p, p) for p in _each(padding, x)]


def _padded(x: Tensor, pairs: Pairs, value: float = 0.0) -> Tensor:
    return F.pad(x, [p for pair in reversed(pairs) for p in pair], value=value)


def _judge(x: Tensor, y: Tensor, a: dict[str, Any], pairs: Pairs, windows: Any, strides: Any, dilations: Any) -> Tensor:
    """What comes out, unless `cover` or `exact` refuses it: each position of the input is looked at."""
    for n, count, (before, after), k, s, d in zip(x.shape[2:], y.shape[2:], pairs, windows, strides, dilations):
        extent = d * (k - 1) + 1
        if a["fit"] == "exact" and (count - 1) * s + extent != before + n + after:
            raise Refused("the last window does not end where the map ends")
        if a["fit"] == "cover":
            step = max(extent, s)  # a window and the gap that the stride leaves behind it everywhere
            reached = {at - before for w in range(count) for at in range(w * s, w * s + step)}
            if not set(range(n)) <= reached | set(range(min(reached))):
                raise Refused("rows are lost")
    return y


def _conv(x: Tensor, a: dict[str, Any]) -> Tensor:
    k, s, d = (_each(a[name], x) for name in ("kernel", "stride", "dilation"))
    pairs = _pairs(a["padding"], x, k, s, d)
    weight = torch.ones(1, CHANNELS, *k, device=x.device)
    run = getattr(F, f"conv{len(k)}d")
    if all(before == after for before, after in pairs):
        y = run(x, weight, None, s, tuple(p for p, _ in pairs), d)
    else:
        y = run(_padded(x, pairs), weight, None, s, 0, d)
    return _judge(x, y, a, pairs, k, s, d)


def _upconv(x: Tensor, a: dict[str, Any]) -> Tensor:
    k, s, d = (_each(a[name], x) for name in ("kernel", "stride", "dilation"))
    weight = torch.ones(CHANNELS, 1, *k, device=x.device)
    extents = [dd * (kk - 1) + 1 for kk, dd in zip(k, d)]
    if a["padding"] is None:  # the map is to grow by the stride: the padding and what is left of it
        p = tuple((max(0, e - ss) + 1) // 2 for e, ss in zip(extents, s))
        out = tuple(2 * pp - (e - ss) for pp, e, ss in zip(p, extents, s))
        out = out if a["output_padding"] is None else _each(a["output_padding"], x)
    else:
        p, out = _each(a["padding"], x), _each(a["output_padding"] or 0, x)
    return getattr(F, f"conv_transpose{len(k)}d")(x, weight, None, s, p, out, 1, d)  # type: ignore[no-any-return]


def _pool(x: Tensor, a: dict[str, Any]) -> Tensor:
    k = _each(a["size"], x)
    s = k if a["stride"] is None else _each(a["stride"], x)
    d = _each(a.get("dilation", 1), x)
    pairs = _pairs(a["padding"], x, k, s, d)
    ceil = a["fit"] == "ceil"
    name = f"{'avg' if 'count_include_pad' in a else 'max'}_pool{len(k)}d"
    even = all(before == after for before, after in pairs)
    if even and (not isinstance(a["padding"], str) or all(p <= kk // 2 for (p, _), kk in zip(pairs, k))):
        more = (ceil, a["count_include_pad"]) if "count_include_pad" in a else (d, ceil)
        return _judge(x, getattr(F, name)(x, k, s, tuple(p for p, _ in pairs), *more), a, pairs, k, s, d)
    ends = [
        (b, _ceil_end(n, b, e, kk, ss, dd) if ceil else e) for n, (b, e), kk, ss, dd in zip(x.shape[2:], pairs, k, s, d)
    ]
    wide = _padded(x, ends, 0.0 if name.startswith("avg") else float("-inf"))
    y = getattr(F, name)(wide, k, s) if name.startswith("avg") else getattr(F, name)(wide, k, s, 0, d)
    return _judge(x, y, a, pairs, k, s, d)


def _ceil_end(n: int, before: int, after: int, kernel: int, stride: int, dilation: int) -> int:
    """The padding after the map up to the end of ceil_mode's last window, found by sliding it.

    torch takes a window past the end where it starts inside of the map or the padding before it.
    """
    extent, start = dilation * (kernel - 1) + 1, 0
    if extent >= before + n + after + stride:
        raise Refused("not even the first window starts as torch wants it")
    while start + extent < before + n + after and start + stride < before + n:
        start += stride
    return max(after, start + extent - n - before)


def _lppool(x: Tensor, a: dict[str, Any]) -> Tensor:
    k = _each(a["size"], x)
    s = k if a["stride"] is None else _each(a["stride"], x)
    run = getattr(F, f"lp_pool{len(k)}d")
    y = run(x, a["p"], k if len(k) > 1 else k[0], s if len(k) > 1 else s[0], a["fit"] == "ceil")
    return _judge(x, y, a, [(0, 0)] * len(k), k, s, (1,) * len(k))


def _adaptive(kind: str) -> Callable[[Tensor, dict[str, Any]], Tensor]:
    return lambda x, a: getattr(F, f"adaptive_{kind}_pool{x.dim() - 2}d")(x, _each(a["size"], x))


def _pad(x: Tensor, a: dict[str, Any]) -> Tensor:
    mode = "constant" if a["mode"] == "zeros" else a["mode"]
    return F.pad(x, [p for pair in reversed(a["padding"]) for p in pair], mode=mode)


RUNS: dict[str, Callable[[Tensor, dict[str, Any]], Tensor]] = {
    "CONV": _conv,
    "UPCONV": _upconv,
    "POOL": _pool,
    "MAXPOOL": _pool,
    "AVGPOOL": _pool,
    "LPPOOL": _lppool,
    "ADAPTIVEAVGPOOL": _adaptive("avg"),
    "ADAPTIVEMAXPOOL": _adaptive("max"),
    "PAD": _pad,
}
