"""A part to judge by, held back from the samples by seed and class."""

from __future__ import annotations

import torch
from torch import Tensor

from archdsl.training.data.hashing import permutation


def divide(labels: Tensor | None, count: int, part: float, seed: int) -> tuple[Tensor, Tensor]:
    """The indices to train on and those held back, each sorted: of every class `part`, rounded to half even.

    A class with two samples or more keeps at least one on each side. Without labels ([N] int64) all are one class.
    """
    if not part:
        return torch.arange(count), torch.arange(0)
    labels = torch.zeros(count, dtype=torch.int64) if labels is None else labels
    kept, held = [], []
    for label in torch.unique(labels).tolist():
        members = (labels == label).nonzero().flatten()
        members = members[permutation(len(members), seed, 1, label)]
        number = round(part * len(members))
        if len(members) > 1:
            number = min(max(number, 1), len(members) - 1)
        held.append(members[:number])
        kept.append(members[number:])
    return torch.cat(kept).sort().values, torch.cat(held).sort().values
