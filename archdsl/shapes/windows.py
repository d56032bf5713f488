"""How far a window slides: the output's size along one axis, and whether the window fits.

With ke = dilation*(kernel - 1) + 1 the windows that fit whole into n + pl + pr are
floor((n + pl + pr - ke)/stride) + 1 (Dumoulin and Visin, "A guide to convolution arithmetic for deep
learning", 2016). What is left over is judged by `fit`: see `docs/language.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archdsl.layers.arguments import show
from archdsl.layers.base import LayerError, Trial
from archdsl.records import NamedTuple
from archdsl.shapes.late import greatest
from archdsl.tensor import Dim, TensorType, show_shape


class Slide(NamedTuple):
    """A window along one axis: its size, stride, dilation, and the padding before and after."""

    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    spare: int = 0  # the last positions of the input that a PAD layer put there

    @property
    def extent(self) -> int:
        """The input positions from the first to the last that the window reads."""
        return self.dilation * (self.kernel - 1) + 1

    def slack(self, n: Dim) -> int:
        """The padded positions that lie behind the last window."""
        return (n + self.before + self.after - self.extent) % self.stride

    def lost(self, n: Dim) -> int:
        """The positions of the input itself that no window reaches, gaps between windows apart."""
        return max(0, self.slack(n) - self.after - self.spare - max(0, self.stride - self.extent))

    def floor(self, n: Dim) -> Dim:
        """The number of whole windows."""
        kernel, stride, dilation, before, after, _ = self
        return (n + before + after - dilation * (kernel - 1) - 1) // stride + 1

    def ceil(self, n: Dim) -> Dim:
        """torch's ceil_mode: one window more where it starts inside the input or the left padding."""
        reach = min(0, self.stride + self.after - self.extent)
        return greatest(self.floor(n), (n + self.before - 1 + reach) // self.stride + 1)


FEW = 8
"""How many changes of one argument are tried at most: a stride may be a million."""

AXES = {1: ("positions",), 2: ("rows", "columns"), 3: ("planes", "rows", "columns")}


def slide(
    x: TensorType, slides: Sequence[Slide], fit: str, noun: str = "filter", *, padded: bool = True
) -> tuple[Dim, ...]:
    """The output's size along each axis of the map `x`, whose first axis is channels.

    Raises E201 where the windows do not fit by the rule `fit` ("cover", "exact", "floor", "ceil"), E202
    where a window is larger than the padded input and its stride too short for `ceil` to keep it, as in
    torch. `noun` is "filter", whose size is the argument `kernel`, or "window", whose size is `size`;
    `padded` says whether the layer has a padding to try.
    """
    sizes = x.shape[1:]
    if x.padded:
        slides = [s._replace(spare=spare) for s, spare in zip(slides, x.padded[1:])]
    result = tuple([s.ceil(n) if fit == "ceil" else s.floor(n) for n, s in zip(sizes, slides)])
    if min(result) < 1:
        raise _too_large(x, slides, noun, padded)
    if fit == "ceil":
        return result
    judge = Slide.slack if fit == "exact" else Slide.lost
    if fit != "floor" and any(judge(s, n) for n, s in zip(sizes, slides)):
        raise _misfit(x, slides, fit, noun, padded, result)
    return result


def _misfit(
    x: TensorType, slides: Sequence[Slide], fit: str, noun: str, padded: bool, result: tuple[Dim, ...]
) -> LayerError:
    sizes = x.shape[1:]
    over = [s.slack(n) if fit == "exact" else s.lost(n) for n, s in zip(sizes, slides)]
    names = AXES[len(sizes)]
    left = " and ".join(f"{k} {name if k > 1 else name[:-1]}" for k, name in zip(over, names) if k)
    kernel = show_shape(tuple(s.kernel for s in slides))
    strides = sorted({s.stride for s in slides}) if len({s.stride for s in slides}) == 1 else [s.stride for s in slides]
    behind = " of padding" if fit == "exact" and not any(s.lost(n) for n, s in zip(sizes, slides)) else ""
    bad = [(n, s) for n, s, k in zip(sizes, slides, over) if k]
    arithmetic = "; ".join(dict.fromkeys(_fraction(n, s) for n, s in bad))
    where = ", in both directions" if len(bad) == 2 and len({_fraction(n, s) for n, s in bad}) == 1 else ""
    return LayerError(
        "E201",
        f"doesn't fit: a {kernel} {noun} with stride {'x'.join(map(str, strides))} leaves {left}{behind} "
        f"of {show_shape(sizes)} over",
        label=arithmetic + where,
        trials=_cures(sizes, slides, fit, left, padded, noun),
        help=lambda: _nearest(x, slides, fit),
        output=TensorType((x.shape[0], *result), x.dtype, x.batched),
    )


def _fraction(n: Dim, s: Slide) -> str:
    total = n + s.before + s.after - s.extent
    padding = "" if not s.before + s.after else f" + {s.before + s.after}"
    value = f"{total / s.stride + 1:.2f}" if total % s.stride else str(total // s.stride + 1)
    return f"({n}{padding} - {s.extent})/{s.stride} + 1 = {value}"


def _whole(n: Dim, s: Slide) -> str:
    """The arithmetic of a window that fits, where what padding alone loses is cut off."""
    if s.slack(n):
        return f"floor(({n} + {s.before + s.after} - {s.extent})/{s.stride}) + 1 = {s.floor(n)}"
    return _fraction(n, s)


def _cures(
    sizes: tuple[Dim, ...], slides: Sequence[Slide], fit: str, left: str, padded: bool, noun: str
) -> Iterator[Trial]:
    """Changes of padding, stride and fit that are worth a try, the smallest first."""
    uniform = len({(s.kernel, s.stride, s.dilation) for s in slides}) == 1
    first = slides[0]
    if padded and uniform and all(s.before == s.after for s in slides):
        for p in range(first.before + 1, min(first.extent // 2, first.before + FEW) + 1):
            changed = first._replace(before=p, after=p)
            yield Trial("padding", p, _whole(sizes[0], changed))
    if uniform:
        for stride in (*range(first.stride - 1, max(0, first.stride - 1 - FEW), -1), first.stride + 1):
            yield Trial("stride", stride)
    if fit in ("cover", "exact"):
        yield Trial("fit", "floor", f"drops the last {_last(left)}")
        if noun == "window":
            yield Trial("fit", "ceil", "adds one window more")


def _last(left: str) -> str:
    return re.sub(r"\b1 ", "", left)


def _nearest(x: TensorType, slides: Sequence[Slide], fit: str) -> str:
    """The nearest sizes of the layer's own input that fit, as a sentence."""
    near = []
    for smaller in (True, False):
        sizes = []
        for n, s in zip(x.shape[1:], slides):
            over = s.slack(n) if fit == "exact" else s.lost(n)
            more = s.stride - s.slack(n) if over else 0
            sizes.append(n - over if smaller else n + more)
        if all(m > 0 and m + s.before + s.after >= s.extent for m, s in zip(sizes, slides)):
            near.append(show_shape(tuple(sizes)))
    return f"a map of {' or '.join(dict.fromkeys(near))} fits" if near else ""


def _too_large(x: TensorType, slides: Sequence[Slide], noun: str, padded: bool) -> LayerError:
    kernel = show_shape(tuple(s.extent for s in slides))
    sizes = tuple(n + s.before + s.after for n, s in zip(x.shape[1:], slides))
    padding = " with its padding" if any(s.before + s.after for s in slides) else ""
    dilated = " (dilated)" if any(s.dilation > 1 for s in slides) else ""
    largest = min((n - 1) // s.dilation + 1 for n, s in zip(sizes, slides))
    argument = "kernel" if noun == "filter" else "size"
    kernels = [Trial(argument, k) for k in (largest, largest - 1) if 0 < k < slides[0].kernel]
    least = max(-(-(s.extent - n) // 2) for n, s in zip(x.shape[1:], slides))
    paddings = [Trial("padding", p) for p in (least, least + 1) if padded]
    return LayerError(
        "E202",
        f"a {kernel}{dilated} {noun} is larger than the {show_shape(x.shape[1:])} that arrives{padding}",
        label=f"{show_shape(sizes)} < {kernel}" if padding else show(tuple(x.shape)) + " arrives",
        trials=kernels + paddings,
    )
