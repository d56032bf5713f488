"""Labels as they stand in files: names of classes, or numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from archdsl.training.data.faults import fault, some


def ordered(names: Iterable[str]) -> list[str]:
    """Names of classes in the order of their labels: as numbers where all are, else by the alphabet."""
    names = list(names)
    if all(name.isascii() and name.isdigit() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def labels_of(texts: list[str]) -> tuple[Tensor, tuple[str, ...]]:
    """Whole numbers as they are, other numbers as floats, names as classes in their order."""
    if all(text.isascii() and text.removeprefix("-").isdigit() for text in texts):
        return torch.tensor([int(text) for text in texts], dtype=torch.int64), ()
    if all(is_number(text) for text in texts):
        return torch.tensor([float(text) for text in texts], dtype=torch.float32), ()
    distinct = set(texts)
    classes = tuple(ordered(distinct))
    index = {name: label for label, name in enumerate(classes)}
    return torch.tensor([index[text] for text in texts], dtype=torch.int64), classes


def is_number(text: str) -> bool:
    """Whether this is a number as Python writes them."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_same(classes: Mapping[str, Sequence[str]], place: str) -> None:
    """Raises ArchError (E703) where parts do not have the same classes; it names those that differ."""
    first, *others = classes
    notes = []
    for other in others:
        for a, b in ((first, other), (other, first)):
            lacking = sorted(set(classes[a]) - set(classes[b]))
            if lacking:
                notes.append(f"{b} lacks {some(lacking)}, which {a} has")
    if notes:
        raise fault("E703", f"the parts {some(list(classes))} do not have the same classes", file=place, notes=notes)
