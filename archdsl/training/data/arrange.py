"""Samples of an input brought into the shape that the network takes, and what was done to them in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from archdsl.graph import Network
from archdsl.tensor import product, show_shape
from archdsl.training.data.dataset import DataOptions
from archdsl.training.data.faults import NAMED, counted, fault, some
from archdsl.training.data.found import Part
from archdsl.training.data.images import Header
from archdsl.training.data.pictures import Encoded, ImageStore, Looked
from archdsl.training.data.remade import help_for_input
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
            arranged.stores[name], arranged.broken[name] = _images(samples, want, network, options, notes)
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
    if shape != wanted and image and options.resize and len(shape) == 3 and shape[0] == wanted[0]:
        notes[f"{show_shape(shape)} is scaled to {show_shape(wanted)}"] = None
        values = resized(values, wanted[1], wanted[2])
    elif shape != wanted and product(shape) == product(wanted) and 1 in (len(shape), len(wanted)):
        notes[f"{counted(product(shape), 'number')} of a sample are read as {show_shape(wanted)}"] = None
        values = values.reshape(-1, *wanted)
    if tuple(values.shape[1:]) != wanted:
        _misfit(f"samples are {show_shape(shape)}", want, [shape], network, image and len(shape) == 3)
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


def _images(
    images: Encoded, want: WantedInput, network: Network, options: DataOptions, notes: dict[str, None]
) -> tuple[Store, dict[int, str]]:
    """A store of decoded images, in memory where they fit, and those that cannot be read."""
    if want.ids or len(want.shape) != 3 or want.shape[0] not in (1, 3, 4):
        message = f"the data is images, and the input {want.name} takes {show_shape(want.shape)}"
        raise fault("E706", message, span=want.span, help=("images are 1xHxW, 3xHxW or 4xHxW",))
    looked = Looked(images)
    _refuse(images, looked.broken, options)
    if not looked.all:
        notes[f"{len(looked.indices):,} of {len(images):,} images were looked at before training"] = None
    _check_channels(looked, images, want, network, notes)
    if not options.resize:
        _check_sizes(looked, images, want, network)
    elif any((h.height, h.width) != want.shape[1:] for h in looked.headers):
        notes[f"images are scaled to cover {show_shape(want.shape[1:])} and cut to it"] = None
    store = ImageStore(images, (want.shape[0], want.shape[1], want.shape[2]), options.resize)
    size = len(images) * product(want.shape)
    if size <= options.cache:
        values, broken = store.all()
        _refuse(images, broken, options)
        return TensorStore(values), broken
    notes[f"images are decoded in each epoch: in memory they would take {size / 2**30:,.1f} GiB"] = None
    return store, store.broken() if options.skip else {}


def _refuse(images: Encoded, broken: Mapping[int, str], options: DataOptions) -> None:
    """Raises ArchError (E713) where images are broken and are not to be skipped."""
    if not broken or options.skip:
        return
    first, *others = broken
    notes = [f"{images.name(i)}: {broken[i]}" for i in others[: NAMED - 1]]
    if len(others) >= NAMED:
        notes.append(f"{counted(len(others) - NAMED + 1, 'more')}")
    raise fault(
        "E713",
        f"an image cannot be read: {broken[first]}",
        file=images.name(first),
        notes=notes,
        help=("--skip-broken leaves them out and names them",),
    )


def _check_channels(
    looked: Looked, images: Encoded, want: WantedInput, network: Network, notes: dict[str, None]
) -> None:
    counts: dict[int, int] = {}
    for header, count in looked.headers.items():
        counts[header.channels] = counts.get(header.channels, 0) + count
    channels, total = want.shape[0], sum(counts.values())
    lost = {c for c in counts if (channels == 1 and c > 1) or (channels == 4 and c != 4)}
    if lost or (channels == 3 and set(counts) == {1}):
        found = sorted(lost or counts)
        example = next(i for h, i in looked.examples.items() if h.channels in found)
        what = {1: "grey", 3: "in colour", 4: "in colour with an alpha channel"}[found[0]]
        number = sum(counts[c] for c in found)
        message = f"{number:,} of {total:,} images are {what}, and the input is of {counted(channels, 'channel')}"
        help = help_for_input(network, want.name, (found[0], *want.shape[1:]))
        raise fault("E706", message, span=want.span, notes=(f"{images.name(example)} is one",), help=help)
    if channels == 3 and counts.get(1):
        notes[f"{counts[1]:,} of {total:,} images are grey: their red, green and blue are equal"] = None
    if channels == 3 and counts.get(4):
        notes[f"{counts[4]:,} of {total:,} images have an alpha channel, which is dropped"] = None


def _check_sizes(looked: Looked, images: Encoded, want: WantedInput, network: Network) -> None:
    sizes: dict[tuple[int, int], Header] = {(h.height, h.width): h for h in looked.headers}
    others = sorted(size for size in sizes if size != want.shape[1:])
    if not others:
        return
    example = images.name(looked.examples[sizes[others[0]]])
    if len(sizes) == 1:
        message = f"images are {show_shape(others[0])}"
    else:
        message = f"images have {len(sizes):,} sizes, {some([show_shape(size) for size in sorted(sizes)])}"
    shapes = [(want.shape[0], *size) for size in sizes]
    _misfit(message, want, shapes, network, True, f"{example} is {show_shape(others[0])}")


def _misfit(
    message: str, want: WantedInput, shapes: Sequence[tuple[int, ...]], network: Network, image: bool, *notes: str
) -> None:
    """Raise what is to be said of samples that do not have the input's shape (E706)."""
    help = help_for_input(network, want.name, shapes[0]) if len(shapes) == 1 else ()
    if image and all(shape[0] == want.shape[0] for shape in shapes):
        help = (*help, f"--resize scales them to {show_shape(want.shape[1:])}")
    raise fault(
        "E706", f"{message}, and the input takes {show_shape(want.shape)}", span=want.span, notes=notes, help=help
    )
