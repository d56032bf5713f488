"""The targets of found data, held against the network's end and made into what its loss takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Optional

import torch
from torch import Tensor

from archdsl.graph import Network
from archdsl.tensor import product, show_shape
from archdsl.training.data.arrange import check_finite
from archdsl.training.data.faults import counted, fault, some
from archdsl.training.data.found import Found, Part
from archdsl.training.data.remade import help_for_classes
from archdsl.training.data.wanted import Wanted

IGNORED = -100
"""The class of positions that no loss counts: the default of torch's cross_entropy."""
VOID = 255
"""What stands for it in masks of uint8, as in PASCAL VOC's."""


class Targets(NamedTuple):
    """What Data and Batch have, by part; None where the input is its own target."""

    kind: str
    values: dict[str, Optional[Tensor]]
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def targets(found: Found, want: Wanted, network: Network, given: Sequence[str]) -> Targets:
    """The targets of all parts; `given` are the classes of an earlier run, in whose order labels are then.

    Raises ArchError where they do not fit (E705, E708, E709, E710).
    """
    parts = found.parts
    values = [part.target for part in parts.values()]
    if all(value is None for value in values):
        return _itself(found, want)
    if any(value is None for value in values):
        lacking = next(name for name, part in parts.items() if part.target is None)
        raise fault("E711", f"there are targets, but none for the part {lacking}", file=parts[lacking].name(0))
    for part in parts.values():
        assert part.target is not None
        if part.target.is_floating_point():
            check_finite(part.target, part)
    whole = _whole(found, want)
    if whole is not None and product(want.positions) != 1 and _is_own_target(want):
        return _itself(found, want)._replace(notes=("the classes are not used: the input is the target",))
    if whole is not None:
        return _classes(found, whole, want, network, given)
    notes: dict[str, None] = {}
    made: dict[str, Optional[Tensor]] = {name: _tensors(part, want, network, notes) for name, part in parts.items()}
    classes = found.classes if want.output == (len(found.classes),) else ()
    return Targets("tensors", made, classes, tuple(notes))


def _itself(found: Found, want: Wanted) -> Targets:
    """No targets: an autoencoder's are its inputs."""
    if _is_own_target(want):
        note = "the data has no targets and the output the input's shape: the input is the target"
        return Targets("tensors", dict.fromkeys(found.parts), (), (note,))
    message = f"the data has no targets, and the network gives {show_shape(want.output)}"
    raise fault("E708", message, file=next(iter(found.parts.values())).name(0))


def _is_own_target(want: Wanted) -> bool:
    return len(want.inputs) == 1 and not want.inputs[0].ids and want.inputs[0].shape == want.output


def _whole(found: Found, want: Wanted) -> dict[str, Tensor] | None:
    """A class for each sample as int64 [N], by part, where that is what the data has and the network gives."""
    made = {}
    for name, part in found.parts.items():
        target = part.target
        assert target is not None
        if target.ndim == 2 and target.shape[1] == 1 and want.output == (1,):
            target = target[:, 0]
        if target.is_floating_point():
            if want.scores == 1 or not bool((target == target.round()).all()):
                return None
            target = target.to(torch.int64)
        if _one_hot(target, want):
            target = target.to(torch.int64).argmax(1)
        if target.ndim != 1:
            return None
        made[name] = target.to(torch.int64)
    regression = want.scores == 1 and not want.end and not found.classes
    return None if regression else made


def _one_hot(target: Tensor, want: Wanted) -> bool:
    if want.end != "SOFTMAX" or target.ndim != 2 or target.shape[1] != want.scores or not len(target):
        return False
    return bool(((target == 0) | (target == 1)).all()) and bool((target.sum(1) == 1).all())


def _classes(found: Found, labels: dict[str, Tensor], want: Wanted, network: Network, given: Sequence[str]) -> Targets:
    classes = found.classes
    if not classes:
        _check_range(found, labels, given)
        highest = max(int(label.max()) for label in labels.values() if len(label))
        classes = tuple(given) or tuple(map(str, range(highest + 1)))
    elif given:
        labels = _renamed(found, labels, given)
        classes = tuple(given)
    notes = []
    if product(want.positions) != 1:
        message = f"a sample has one class, and the network gives {show_shape(want.output)}"
        raise fault("E708", message, span=want.span, label="a class for each position")
    if want.end == "SIGMOID" and want.scores == 1 and len(classes) <= 2:
        notes.append(f"the one SIGMOID says how sure it is of {classes[-1]}")
        made: dict[str, Optional[Tensor]] = {
            name: label.reshape(-1, *want.output).float() for name, label in labels.items()
        }
        return Targets("classes", made, classes, tuple(notes))
    if len(classes) != want.scores:
        _misfit(found, labels, classes, want, network)
    for name, label in labels.items():
        lacking = sorted(set(range(len(classes))) - set(torch.unique(label).tolist()))
        if lacking and len(label) and not given:
            notes.append(f"{name} has no sample of {some([classes[i] for i in lacking])}")
    if want.end == "SIGMOID":
        notes.append("the network ends in SIGMOID: for each class a target of 0 or 1")
        hot = {n: torch.nn.functional.one_hot(x, len(classes)).float() for n, x in labels.items()}
        return Targets("classes", {n: x.reshape(-1, *want.output) for n, x in hot.items()}, classes, tuple(notes))
    shaped = {name: label.reshape(-1, *want.positions) for name, label in labels.items()}
    return Targets("classes", dict(shaped), classes, tuple(notes))


def _check_range(found: Found, labels: dict[str, Tensor], given: Sequence[str]) -> None:
    """Raises ArchError (E709) where a bare number is no class."""
    for name, label in labels.items():
        wrong = (label < 0) | (label >= len(given)) if given else label < 0
        if bool(wrong.any()):
            row = int(wrong.nonzero()[0])
            message = f"the label {int(label[row])} of this sample is no class"
            classes = f"classes count from 0{f' to {len(given) - 1}' if given else ''}"
            notes = (classes, f"{counted(int(wrong.sum()), 'label')} of {len(label):,} are so")
            raise fault("E709", message, file=found.parts[name].name(row), notes=notes)


def _renamed(found: Found, labels: dict[str, Tensor], given: Sequence[str]) -> dict[str, Tensor]:
    """Labels in the order of an earlier run's classes; raises ArchError (E709) for a class that it did not have."""
    unknown = [name for name in found.classes if name not in given]
    if unknown:
        first = found.classes.index(unknown[0])
        part, row = next(
            (found.parts[n], int((x == first).nonzero()[0])) for n, x in labels.items() if bool((x == first).any())
        )
        message = f"the network was trained without the class {some(unknown)}"
        raise fault("E709", message, file=part.name(row), notes=(f"it knows {some(given)}",))
    order = torch.tensor([given.index(name) for name in found.classes], dtype=torch.int64)
    return {name: order[label] for name, label in labels.items()}


def _misfit(found: Found, labels: dict[str, Tensor], classes: Sequence[str], want: Wanted, network: Network) -> None:
    """Raise that the network gives another number of scores (E705)."""
    scores = counted(want.scores, "score")
    message = f"the data has {counted(len(classes), 'class', 'classes')}, and the network gives {scores}"
    notes = [f"classes: {some(classes)}"]
    if not found.classes:
        name, row = max(
            ((n, int(x.argmax())) for n, x in labels.items() if len(x)), key=lambda at: int(labels[at[0]][at[1]])
        )
        notes = [f"the highest label is {len(classes) - 1}, of {found.parts[name].name(row)}"]
    raise fault(
        "E705",
        message,
        span=want.span,
        label=scores,
        notes=notes,
        help=help_for_classes(network, len(classes)),
    )


def _tensors(part: Part, want: Wanted, network: Network, notes: dict[str, None]) -> Tensor:
    """A target of the output's shape as float32, or a class for each position as int64; raises ArchError."""
    target = part.target
    assert target is not None
    shape = tuple(target.shape[1:])
    whole = not target.is_floating_point()
    if whole and shape == want.positions and want.scores > 1 and want.end != "SIGMOID":
        return _dense(target, part, want, network, notes)
    plain = tuple(size for size in want.output if size != 1)
    if shape != want.output and tuple(size for size in shape if size != 1) == plain:
        target = target.reshape(-1, *want.output)
    elif shape != want.output:
        message = f"a target is {show_shape(shape)}, and the network gives {show_shape(want.output)}"
        also = f"or {show_shape(want.positions)} of whole numbers, a class for each position"
        raise fault("E708", message, span=want.span, notes=(also,) if want.positions and want.scores > 1 else ())
    if target.dtype == torch.uint8 and bool((target > 1).any()):
        notes["targets of 0 to 255 are read as 0 to 1"] = None
        target = target.float() / 255
    target = target.float()
    if want.end == "SIGMOID":
        wrong = ((target < 0) | (target > 1)).reshape(len(target), -1).any(1)
        if bool(wrong.any()):
            row = int(wrong.nonzero()[0])
            message = "a target under a SIGMOID is from 0 to 1, and that of this sample is not"
            note = f"it reaches from {float(target[row].min()):g} to {float(target[row].max()):g}"
            raise fault("E708", message, file=part.name(row), notes=(note,))
    return target


def _dense(target: Tensor, part: Part, want: Wanted, network: Network, notes: dict[str, None]) -> Tensor:
    """A class for each position, those of uint8 that are VOID set to what losses leave out."""
    void = target == VOID if target.dtype == torch.uint8 and want.scores <= VOID else None
    target = target.to(torch.int64)
    if void is not None and bool(void.any()):
        notes[f"positions of class {VOID} are left out of the loss"] = None
        target = target.masked_fill(void, IGNORED)
    wrong = ((target < 0) & (target != IGNORED)) | (target >= want.scores)
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0][0])
        highest = int(target.max())
        raise fault(
            "E709",
            f"the class {int(target[wrong][0])} in this sample is none of the network's {want.scores}",
            file=part.name(row),
            help=help_for_classes(network, highest + 1) if int(target.min()) >= 0 else (),
        )
    return target
