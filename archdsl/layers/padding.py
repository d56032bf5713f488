"""Padding of a map: the words that stand for numbers, and how torch and ONNX write it where no layer's own will do."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.annotations import Any
from archdsl.layers.arguments import per_axis
from archdsl.layers.base import LayerError, Recorder, Trial
from archdsl.shapes.late import greatest
from archdsl.tensor import TensorType, show_shape

ONNX_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
MODES = tuple(ONNX_MODES)

Pads = list[tuple[int, int]]


def paddings(
    padding: Any, x: TensorType, kernels: Sequence[int], strides: Sequence[int], dilations: Sequence[int], kernel: str
) -> Pads:
    """Before and after along each axis of the map, from numbers or a word; `kernel` names that argument in errors.

    Raises E203 where an even kernel has no half padding, E204 where the map has more axes than causal padding.
    """
    reaches = [d * (k - 1) for k, d in zip(kernels, dilations)]
    if padding == "half":
        if any(k % 2 == 0 for k in kernels):
            raise LayerError(
                "E203",
                f"an even {kernel} ({show_shape(tuple(kernels))}) has no half padding",
                argument=kernel,
                notes=[f"half is ({kernel} - 1)/2 on both sides, which is no whole number here"],
                trials=[Trial("padding", p) for p in ("same", "valid", 0, 1)],
            )
        return [(r // 2, r // 2) for r in reaches]
    if padding == "valid":
        return [(0, 0)] * len(kernels)
    if padding == "full":
        return [(r, r) for r in reaches]
    if padding == "causal":
        if len(kernels) != 1:
            raise LayerError("E204", "causal padding is for sequences, maps of one axis", argument="padding")
        return [(reaches[0], 0)]
    if padding == "same":
        totals = [
            r if s == 1 else greatest(0, (-(-n // s) - 1) * s + r + 1 - n)
            for n, s, r in zip(x.shape[1:], strides, reaches)
        ]
        return [(t // 2, t - t // 2) for t in totals]
    return [(p, p) for p in per_axis(padding, len(kernels))]


def check_mode(x: TensorType, pads: Sequence[tuple[int, int]], mode: str, argument: str) -> None:
    """Raises E204 where the map is too small to be reflected or wrapped that far; `argument` is the mode's name."""
    limit = {"reflect": 1, "circular": 0}.get(mode)  # how much smaller than the map the padding must be
    if limit is None:
        return
    for n, pad in zip(x.shape[1:], pads):
        if max(pad) > n - limit:
            raise LayerError(
                "E204",
                f"{mode} padding of {max(pad)} is too much for a size of {n}: at most {n - limit}",
                argument="padding",
                trials=[Trial(argument, "zeros"), Trial("padding", n - limit)],
            )


def torch_pads(pads: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The paddings in the order of F.pad: last axis first, before and after."""
    return tuple(p for pair in reversed(pads) for p in pair)


def short(values: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all axes have the same, as torch takes it."""
    return values[0] if len(set(values)) == 1 else values


def onnx_pad(
    r: Recorder,
    value: str,
    pads: Sequence[tuple[int, int]],
    mode: str,
    fill: float = 0.0,
    channels: tuple[int, int] = (0, 0),
) -> str:
    """A Pad of the axes behind the first, and of that by `channels`; `mode` is one of MODES.

    Circular padding is cut and joined by hand below opset 19, where Pad learned "wrap". Zeros are put at axes that
    are named, where opset 18 allows it: onnxruntime (1.31) takes any other Pad into a MaxPool behind it, as if what is
    padded there never won.
    """
    if mode == "circular" and r.opset < 19:
        return _wrapped(r, value, pads)
    if mode == "zeros" and not fill and not any(channels) and r.opset >= 18:
        ends = r.constant([*(b for b, _ in pads), *(a for _, a in pads)], "int")
        return r.node(
            "Pad", [value, ends, "", r.constant([axis + 2 for axis in range(len(pads))], "int")], mode="constant"
        )
    begin, end = zip((0, 0), channels, *pads)
    filling = [r.constant(fill)] if fill else []
    return r.node("Pad", [value, r.constant([*begin, *end], "int"), *filling], mode=ONNX_MODES[mode])


def _wrapped(r: Recorder, value: str, pads: Sequence[tuple[int, int]]) -> str:
    for axis, (before, after) in enumerate(pads, 2):
        parts = [value]
        if before:
            parts.insert(0, onnx_slice(r, value, axis, -before, None))
        if after:
            parts.append(onnx_slice(r, value, axis, 0, after))
        value = r.node("Concat", parts, axis=axis) if len(parts) > 1 else value
    return value


def onnx_slice(r: Recorder, value: str, axis: int, start: int, stop: int | None) -> str:
    """`value[start:stop]` along an axis, which counts the batch; None is the end."""
    ends = (start, 2**62 if stop is None else stop, axis)
    return r.node("Slice", [value, *(r.constant([end], "int") for end in ends)])


def onnx_reduce(r: Recorder, operator: str, value: str, axes: Sequence[int], keep: bool = True) -> str:
    """ReduceMean, ReduceMax and their like, whose axes (the batch counted) became an input in opset 18."""
    if r.opset < 18:
        return r.node(operator, [value], axes=list(axes), keepdims=int(keep))
    return r.node(operator, [value, r.constant(list(axes), "int")], keepdims=int(keep))
