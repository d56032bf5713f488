"""Samples of an input brought into the shape that the network takes, and what was done to them in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from archdsl.graph import Network
from archdsl.tensor import product, show_shape
from archdsl.training.data.dataset import DataOptions
from archdsl.training.data.decoded import decoded
from archdsl.training.data.faults import counted, fault
from archdsl.training.data.found import Part
from archdsl.training.data.misfit import misfit
from archdsl.training.data.stores import Store, TensorStore
from archdsl.training.data.wanted import WantedInput


class Arranged(NamedTuple):
    """The stores of an input by part, what is left out of each by row, and notes."""

    stores: dict[str, Store]
    broken: dict[str, dict[int, str]]
    notes: tuple[str, ...]


def arrange(parts: Mapping[str, Part], key: str, want: WantedInput, network: Network, options: DataOptions) -> Arranged:
    """The samples called `key` of all parts as the input `want` takes them; raises ArchError (E706, E710, E713)."""
    arranged = Arranged({}, {}, ())
    notes: dict[str, None] = {}
    for name, part in parts.items():
        samples = part.inputs[key]
        if isinstance(samples, TensorStore):
            arranged.stores[name] = TensorStore(_tensor(samples.values, part, want, network, options, notes))
        else:
            arranged.stores[name], arranged.broken[name] = decoded(samples, want, network, options, notes)
    return arranged._replace(notes=tuple(notes))


def _tensor(
    values: Tensor, part: Part, want: WantedInput, network: Network, options: DataOptions, notes: dict[str, None]
) -> Tensor:
    """[N, *the input's shape], uint8, float32 or, for ids, int64."""
    values = _typed(values, part, want)
    shape, wanted = tuple(values.shape[1:]), want.shape
    image = len(wanted) == 3
    if image and len(shape) == 3 and shape != wanted and shape[2] == wanted[0] and shape[0] != wanted[0]:
        values = values.permute(0, 3, 1, 2)
        notes[
            f"channels come last in the data: {show_shape(shape)} is read as {show_shape(tuple(values.shape[1:]))}"
        ] = None
    elif image and len(shape) == 2 and wanted[0] == 1:
        values = values.unsqueeze(1)
    shape = tuple(values.shape[1:])
    if shape != wanted and image and options.resize and not want.open and len(shape) == 3 and shape[0] == wanted[0]:
        notes[f"{show_shape(shape)} is scaled to {show_shape(wanted)}"] = None
        values = resized(values, wanted[1], wanted[2])
    elif shape != wanted and product(shape) == product(wanted) and 1 in (len(shape), len(wanted)):
        notes[f"{counted(product(shape), 'number')} of a sample are read as {show_shape(wanted)}"] = None
        values = values.reshape(-1, *wanted)
    if tuple(values.shape[1:]) != wanted:
        misfit(f"samples are {show_shape(shape)}", want, [shape], network, image and len(shape) == 3)
    return values.contiguous()


def _typed(values: Tensor, part: Part, want: WantedInput) -> Tensor:
    if want.ids:
        if values.is_floating_point() and not bool((values == values.round()).all()):
            raise fault("E706", f"the input {want.name} is of int, and the data has fractions", span=want.span)
        values = values.to(torch.int64)
        wrong = (values < 0) | (values >= (want.known if want.known is not None else values.max() + 1))
        if bool(wrong.any()):
            row = int(wrong.nonzero()[0][0])
            known = "" if want.known is None else f", and {want.name} takes 0 to {want.known - 1}"
            raise fault("E709", f"the id {int(values[wrong][0])} is in this sample{known}", file=part.name(row))
        return values
    if values.dtype == torch.uint8:
        return values
    values = values.to(torch.float32)
    check_finite(values, part)
    return values


def check_finite(values: Tensor, part: Part) -> None:
    """Raises ArchError (E710) where a number is none, or infinite; it names the sample and the place in it."""
    good = torch.isfinite(values)
    if bool(good.all()):
        return
    first = (~good).nonzero()[0].tolist()
    row, *place = first
    rows = int((~good).reshape(len(values), -1).any(1).sum())
    what = "not a number" if bool(values[tuple(first)].isnan()) else "infinite"
    at = f" at {tuple(place)}" if place else ""
    notes = (f"in {counted(rows, 'sample')} of {len(values):,}",)
    raise fault("E710", f"a number{at} of this sample is {what}", file=part.name(row), notes=notes)


def resized(values: Tensor, height: int, width: int) -> Tensor:
    """Maps scaled until they cover height x width, what sticks out cut off evenly; uint8 stays uint8."""
    found = torch.empty((*values.shape[:2], height, width), dtype=values.dtype)
    factor = max(height / values.shape[2], width / values.shape[3])
    size = [max(height, round(values.shape[2] * factor)), max(width, round(values.shape[3] * factor))]
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    for start in range(0, len(values), 256):
        some_values = values[start : start + 256].float()
        scaled = F.interpolate(some_values, size, mode="bilinear", antialias=True)
        scaled = scaled[:, :, top : top + height, left : left + width]
        found[start : start + 256] = scaled.round().clamp(0, 255) if values.dtype == torch.uint8 else scaled
    return found
