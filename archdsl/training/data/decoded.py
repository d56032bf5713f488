"""Encoded images held against the input that takes them, and decoded for it."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.graph import Network
from archdsl.tensor import product, show_shape
from archdsl.training.data.dataset import DataOptions
from archdsl.training.data.faults import NAMED, counted, fault, some
from archdsl.training.data.images import Header
from archdsl.training.data.misfit import misfit
from archdsl.training.data.pictures import Encoded, ImageStore, Looked
from archdsl.training.data.remade import help_for_input
from archdsl.training.data.stores import Store, TensorStore
from archdsl.training.data.wanted import WantedInput


def decoded(
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
    _check_channels(looked, images, want, network, options.normalisation is not None, notes)
    if not options.resize or want.open:  # there is no size to scale to then
        _check_sizes(looked, images, want, None if options.normalisation is not None else network)
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
        help=("--skip leaves them out and names them",),
    )


def _check_channels(
    looked: Looked, images: Encoded, want: WantedInput, network: Network, trained: bool, notes: dict[str, None]
) -> None:
    """Raises ArchError (E706) where colours would be lost, or all images are grey and the input is not.

    A network that is `trained` has its input settled, so that greys alone are no sign of a mistake.
    """
    counts: dict[int, int] = {}  # images by their channels
    for header, count in looked.headers.items():
        counts[header.channels] = counts.get(header.channels, 0) + count
    channels, total = want.shape[0], sum(counts.values())
    lost = {c for c in counts if (channels == 1 and c > 1) or (channels == 4 and c != 4)}
    if lost or (channels == 3 and set(counts) == {1} and not trained):
        found = sorted(lost or counts)
        example = next(i for h, i in looked.examples.items() if h.channels in found)
        what = {1: "grey", 3: "in colour", 4: "in colour with an alpha channel"}[found[0]]
        number = sum(counts[c] for c in found)
        message = f"{number:,} of {total:,} images are {what}, and the input is of {counted(channels, 'channel')}"
        help = () if trained else help_for_input(network, want.name, (found[0], *want.shape[1:]))
        raise fault("E706", message, span=want.span, notes=(f"{images.name(example)} is one",), help=help)
    if channels == 3 and counts.get(1):
        notes[f"{counts[1]:,} of {total:,} images are grey: their red, green and blue are equal"] = None
    if channels == 3 and counts.get(4):
        notes[f"{counts[4]:,} of {total:,} images have an alpha channel, which is dropped"] = None


def _check_sizes(looked: Looked, images: Encoded, want: WantedInput, network: Network | None) -> None:
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
    misfit(message, want, shapes, network, True, f"{example} is {show_shape(others[0])}")
