"""Found data held against the network, and made into the parts that training takes."""

from __future__ import annotations

import torch
from torch import Tensor

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network
from archdsl.training.data import augment
from archdsl.training.data.arrange import Arranged, arrange
from archdsl.training.data.dataset import Data, DataOptions, Normalisation
from archdsl.training.data.faults import NAMED, counted, fault, some
from archdsl.training.data.found import Found, Part
from archdsl.training.data.normalise import DECODED, moments
from archdsl.training.data.samples import Samples
from archdsl.training.data.scale import Scale
from archdsl.training.data.split import divide
from archdsl.training.data.targets import Targets, targets
from archdsl.training.data.wanted import Wanted, WantedInput, wanted


def fit(source: str, found: Found, network: Network, options: DataOptions) -> Data:
    """The data that the network can be trained on; raises ArchError where it does not fit."""
    want = wanted(network)
    keys = _keys(found, want)
    for part in found.parts.values():
        _check_lengths(part, source)
    if not any(len(part) for part in found.parts.values()):
        raise fault("E716", "the data has no sample", file=source)
    arranged, aims = _held(found, keys, want, network, options)
    rows, notes = _rows(source, found, arranged, aims, options)
    check_augment(options.augment, want, arranged, aims)
    scales, normalisation = _scales(rows["train"], arranged, want, aims, options)

    def samples(name: str, origin: str) -> Samples:
        stores = tuple(a.stores[origin] for a in arranged)
        label = found.parts[origin].name
        moves = _of_positions(aims.values[origin], aims)
        return Samples(stores, scales, aims.values[origin], rows[name], label, options.seed, options.augment, moves)

    first = "train" if "train" in found.parts else next(iter(found.parts))
    shown = _shown(normalisation, want, options)
    if not arranged[0].stores[first].in_memory and len(rows["train"]) > DECODED and options.normalisation is None:
        shown = tuple(f"{line}, from {DECODED:,} images" for line in shown)
    return Data(
        source,
        aims.kind,
        samples("train", first),
        samples("valid", "valid" if "valid" in found.parts else first),
        samples("test", "test") if "test" in rows else None,
        aims.classes,
        normalisation,
        found.fingerprint,
        tuple(dict.fromkeys((*found.notes, *(n for a in arranged for n in a.notes), *aims.notes, *notes, *shown))),
    )


def _held(
    found: Found, keys: list[str], want: Wanted, network: Network, options: DataOptions
) -> tuple[list[Arranged], Targets]:
    """Inputs and targets, each held against the network; what is wrong with the one and the other is told together."""
    wrong: list[Diagnostic] = []
    arranged = []
    for key, input in zip(keys, want.inputs):
        try:
            arranged.append(arrange(found.parts, key, input, network, options))
        except ArchError as error:
            wrong += error.diagnostics
    try:
        aims = targets(found, want, network, options.classes)
    except ArchError as error:
        wrong += error.diagnostics
    if wrong:
        raise ArchError(wrong)
    return arranged, aims


def _keys(found: Found, want: Wanted) -> list[str]:
    """What the data calls each input; raises ArchError (E715)."""
    names = list(next(iter(found.parts.values())).inputs)
    wanted_names = [i.name for i in want.inputs]
    if len(names) == len(wanted_names) == 1:
        return names
    if sorted(names) != sorted(wanted_names):
        message = f"the network has the inputs {some(wanted_names)}, and the data {some([n or 'one' for n in names])}"
        raise fault(
            "E715", message, span=want.inputs[0].span, help=("an .npz with an array for each input by its name",)
        )
    return wanted_names


def _check_lengths(part: Part, source: str) -> None:
    """Raises ArchError (E711) where inputs and targets are not equally many."""
    counts = {name or "inputs": len(samples) for name, samples in part.inputs.items()}
    if part.target is not None:
        counts["targets"] = len(part.target)
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        raise fault("E711", f"there are not equally many: {told}", file=source)


def _rows(
    source: str, found: Found, arranged: list[Arranged], aims: Targets, options: DataOptions
) -> tuple[dict[str, Tensor], list[str]]:
    """The rows of each part that are used, "train" and "valid" always among them, and what is to be said of them."""
    notes: list[str] = []
    rows: dict[str, Tensor] = {}
    for name, part in found.parts.items():
        broken = {row: reason for a in arranged for row, reason in a.broken.get(name, {}).items()}
        rows[name] = (
            torch.tensor([row for row in range(len(part)) if row not in broken]) if broken else torch.arange(len(part))
        )
        if broken:
            each = [f"{part.name(row)} ({reason})" for row, reason in broken.items()]
            notes.append(
                f"left out, since it cannot be read: {counted(len(broken), 'image')}: {'; '.join(each[:NAMED])}"
            )
            notes[-1] += f" and {len(each) - NAMED:,} more" if len(each) > NAMED else ""
    if "train" not in rows:  # what is there is only judged by
        if options.normalisation is None:
            raise fault("E716", f"the data has no part to train on, only {some(list(rows))}", file=source)
        rows["train"] = torch.arange(0)
        rows.setdefault("valid", torch.arange(0))
        return rows, notes
    _check_classes(found, rows["train"], options)
    if "valid" not in rows:
        rows["train"], rows["valid"] = _divided(found.parts["train"], rows["train"], aims, options)
        told = f"{len(rows['train']):,} train, {len(rows['valid']):,} valid"
        by = "by seed and class" if aims.kind == "classes" else "by seed"
        notes.append(f"split {by}: {told}" if options.valid_part else "nothing is held back to judge by")
    if not len(rows["train"]) and options.normalisation is None:
        raise fault("E716", "no sample is left to train on", file=source)
    return rows, notes


def _divided(part: Part, rows: Tensor, aims: Targets, options: DataOptions) -> tuple[Tensor, Tensor]:
    labels = part.target[rows] if aims.kind == "classes" and part.target is not None and part.target.ndim == 1 else None
    kept, held = divide(labels, len(rows), options.valid_part, options.seed)
    return rows[kept], rows[held]


def _check_classes(found: Found, rows: Tensor, options: DataOptions) -> None:
    """Raises ArchError (E704) where a class has no sample to train on."""
    part = found.parts["train"]
    if not found.classes or part.target is None or part.target.ndim > 1 or options.classes:
        return
    present = set(part.target[rows].tolist())
    lacking = [name for label, name in enumerate(found.classes) if label not in present]
    if lacking:
        message = f"no sample to train on is of {counted(len(lacking), 'class', 'classes')}: {some(lacking)}"
        raise fault("E704", message, file=part.name(0) if len(part) else "", help=("remove what names the class",))


def check_augment(names: tuple[str, ...], want: Wanted, arranged: list[Arranged], aims: Targets) -> None:
    """Raises ArchError (E714) for a change that there is not, or that these samples cannot undergo."""
    for name in names:
        if name not in augment.NAMES:
            known = ", ".join(augment.NAMES)
            raise fault("E714", f"there is no augmentation {name}", help=(f"there are {known}",))
    maps = [a for i, a in zip(want.inputs, arranged) if len(i.shape) == 3 and not i.ids]
    if names and not maps:
        message = f"{names[0]} changes maps, and the input is {', '.join(map(str, (i.shape for i in want.inputs)))}"
        raise fault("E714", message, span=want.inputs[0].span)
    if "color" in names and any(s.dtype != torch.uint8 for a in maps for s in a.stores.values()):
        raise fault("E714", "color changes pixels from 0 to 255, and the data is other numbers")
    for value in aims.values.values():
        if value is None or not _of_positions(value, aims):
            continue
        wrong = [name for name in names if name in augment.AFTER and name != "flip"]
        if wrong or tuple(value.shape[-2:]) != want.inputs[0].shape[-2:]:
            message = f"{(wrong or names)[0]} would move the input away from its target, which is of each position"
            raise fault("E714", message, help=("flip and color can be had",) if wrong else ())


def _of_positions(target: Tensor | None, aims: Targets) -> bool:
    """Whether a target lies where its input does, so that what moves the one has to move the other."""
    return target is not None and target.ndim > 2 and aims.kind == "tensors"


def _scales(
    rows: Tensor, arranged: list[Arranged], want: Wanted, aims: Targets, options: DataOptions
) -> tuple[tuple[Scale, ...], Normalisation]:
    """How each input is scaled: as an earlier run did, else by the training part."""
    normalisation = options.normalisation
    if normalisation is None:
        keep = want.end == "SIGMOID" and aims.values["train"] is None  # the target, from 0 to 1, is the input itself
        found = [
            ((), ()) if i.ids or keep else moments(a.stores["train"], rows, i.axis)
            for i, a in zip(want.inputs, arranged)
        ]
        normalisation = Normalisation(tuple(mean for mean, _ in found), tuple(std for _, std in found))
    return scales(normalisation, want.inputs), normalisation


def scales(normalisation: Normalisation, inputs: tuple[WantedInput, ...]) -> tuple[Scale, ...]:
    """The scale of each input."""
    each = zip(normalisation.mean, normalisation.std, inputs)
    return tuple(Scale(mean, std, rank=len(i.shape), axis=i.axis, ids=i.ids) for mean, std, i in each)


def _shown(normalisation: Normalisation, want: Wanted, options: DataOptions) -> tuple[str, ...]:
    """What the inputs are scaled by, in words."""
    given = " (given)" if options.normalisation is not None else ""
    lines = []
    for i, mean, std in zip(want.inputs, normalisation.mean, normalisation.std):
        if mean:
            means, stds = (some([f"{x:.4g}" for x in numbers]) for numbers in (mean, std))
            lines.append(f"{i.name}: mean {means}, deviation {stds}{given}")
    return tuple(lines)
