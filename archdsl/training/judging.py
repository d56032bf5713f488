"""What a trained module says: scores as probabilities of classes, and how right it is over a part of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network
from archdsl.training import losses
from archdsl.training.data import Split
from archdsl.training.losses import Head, Scores
from archdsl.training.settings import Settings


class Judge:
    """The main output of a trained module: its scores for inputs, and what they mean.

    `target` is one of the data's; `named` are the names of the classes, where the data has some. `classes` has a name
    for each class, () where there are none.
    """

    def __init__(
        self,
        network: Network,
        module: nn.Module,
        settings: Settings,
        target: Tensor,
        named: Sequence[str] = (),
        device: torch.device | None = None,
    ) -> None:
        self.head = losses.heads(network, settings, target)[0]
        self._device = device or torch.device("cpu")
        self._scores = Scores(module.eval().to(self._device), network, [self.head])
        self._output = next(output for output in network.outputs if not output.training)
        shape = self._output.value.type.shape
        count = shape[self.head.axis - 1] if shape else 1
        told = self.head.loss not in losses.BEHIND
        self.classes = tuple(named) or tuple(map(str, range(max(count, 2)))) if told else ()

    @property
    def of_whole(self) -> bool:
        """Whether the network tells a class for an input as a whole."""
        return bool(self.classes) and self._output.value.type.rank == 1

    @torch.inference_mode()
    def scores(self, inputs: Sequence[Tensor]) -> Tensor:
        """The scores of a batch, float32, on the CPU."""
        found: Tensor = self._scores(*(given.to(self._device) for given in inputs))[0]
        return found.cpu()

    def probabilities(self, inputs: Sequence[Tensor]) -> Tensor:
        """For a batch of N the probabilities [N, classes].

        Where a SIGMOID ends the network they need not sum to 1, each class being a question of its own, but for a
        single score, which is that of the second of two classes. Raises ArchError E762 where the network tells no
        class for an input as a whole.
        """
        if not self.of_whole:
            what = "classes for each position" if self.classes else "no classes"
            message = f"this network tells {what}: its output {self._output.name} is {self._output.value.type}"
            raise ArchError([Diagnostic("E762", message, help=("archdsl look shows what it makes of an image",))])
        return spread(self.head, self.scores(inputs))


def spread(head: Head, scores: Tensor) -> Tensor:
    """Scores [N, classes] as probabilities."""
    if head.loss == "cross-entropy":
        return scores.softmax(1)
    if head.loss == "nll":
        return scores.exp()
    parts = scores.sigmoid()
    return torch.cat([1 - parts, parts], 1) if parts.shape[1] == 1 else parts


class OfClass(NamedTuple):
    """How it went with one class: the number of its samples, and what part of those said to be of it are right
    (precision), and of those that are of it are found (recall)."""

    name: str
    samples: int
    precision: float | None
    recall: float | None


class Evaluation(NamedTuple):
    """Loss and accuracy over `samples`; `confusion` counts by true class, then by what was said, None where a sample
    has several classes or none."""

    samples: int
    loss: float
    accuracy: float | None
    classes: tuple[OfClass, ...]
    confusion: list[list[int]] | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**self._asdict(), "classes": [one._asdict() for one in self.classes]}


def evaluate(judge: Judge, split: Split, batch: int) -> Evaluation:
    """Judge every sample of a part once; raises ArchError where one cannot be read."""
    head = judge.head
    loss = right = 0.0
    answers = 0
    tally = Tally(head, judge.classes)
    for start in range(0, len(split), batch):
        inputs, target = split.batch(range(start, min(start + batch, len(split))), None)
        scores = judge.scores(inputs)
        loss += float(losses.loss([head], [scores], target)) * len(target)
        found = losses.correct(head, scores, target)
        if found is not None:
            right, answers = right + float(found), answers + int(losses.answers(head, target))
        tally.add(scores, target)
    count = len(split)
    return Evaluation(count, loss / count, right / answers if answers else None, tally.classes(), tally.confusion)


class Tally:
    """Counts by class, while batches go by; without names of classes there is nothing to count."""

    def __init__(self, head: Head, names: Sequence[str]) -> None:
        self._head, self._names = head, names
        self._single = head.loss in ("cross-entropy", "nll")
        self._count = len(names)
        self._table = torch.zeros(self._count, self._count, dtype=torch.int64)
        self._columns = torch.zeros(3, self._count, dtype=torch.int64)  # right, said, true

    def add(self, scores: Tensor, target: Tensor) -> None:
        """Count a batch."""
        if not self._count:
            return
        if self._single:
            true = target.argmax(self._head.axis) if target.is_floating_point() else target
            self._add_pairs(true, scores.argmax(self._head.axis))
        elif scores.shape[self._head.axis] == 1:  # which stands for two classes
            self._add_pairs((target > 0.5).long(), (scores > 0).long())
        else:
            true, said = target.reshape(scores.shape) > 0.5, scores > 0
            axes = [axis for axis in range(scores.ndim) if axis != self._head.axis]
            self._columns += torch.stack([(true & said).sum(axes), said.sum(axes), true.sum(axes)])

    def _add_pairs(self, true: Tensor, said: Tensor) -> None:
        counted = true >= 0  # the data leaves positions out by numbers below
        pairs = true[counted] * self._count + said[counted]
        self._table += torch.bincount(pairs, minlength=self._count**2).reshape(self._table.shape)

    @property
    def confusion(self) -> list[list[int]] | None:
        """The counts by true class, then by what was said."""
        table: list[list[int]] = self._table.tolist()
        return table if table and any(map(any, table)) else None

    def classes(self) -> tuple[OfClass, ...]:
        """Precision and recall of each class; None where nothing was said to be of it, or nothing is."""
        if not self._count:
            return ()
        right, said, true = self._columns.tolist()
        if self.confusion is not None:
            right, said, true = (t.tolist() for t in (self._table.diagonal(), self._table.sum(0), self._table.sum(1)))
        return tuple(
            OfClass(name, true[i], right[i] / said[i] if said[i] else None, right[i] / true[i] if true[i] else None)
            for i, name in enumerate(self._names)
        )
