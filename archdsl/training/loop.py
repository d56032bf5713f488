"""The loop: step after step, with what has to happen between them, from wherever a run was left.

Nothing here reads a number off the device in each step; losses are read in stretches of REPORT steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import torch

from archdsl.diagnostics import Diagnostic
from archdsl.training.data import Batch, Data
from archdsl.training.data.pipeline import Loader
from archdsl.training.distributed import World
from archdsl.training.model import Model, Outcome
from archdsl.training.reporter import Reporter
from archdsl.training.schedules import factor
from archdsl.training.settings import Settings

REPORT = 10
"""Steps between two looks at the loss."""


@dataclass
class Progress:
    """How far a run has come: steps done, sums of the epoch so far, and its best validation."""

    step: int = 0
    loss: float = 0.0  # the sum of the steps' losses
    right: float = 0.0
    answers: float = 0.0
    best: list[float] = field(default_factory=list)  # greater is better, compared in order; empty before the first
    best_epoch: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As a checkpoint has it."""
        return asdict(self)


class Loop:
    """A run's steps on one rank.

    `save` is called with whether an epoch has ended here that was the best one; `stop` answers the number of a signal
    that asks for an end, else 0.
    """

    def __init__(
        self,
        model: Model,
        data: Data,
        settings: Settings,
        world: World,
        reporter: Reporter,
        save: Callable[[Progress, bool], None],
        stop: Callable[[], int],
    ) -> None:
        self._model, self._settings, self._world = model, settings, world
        self._reporter, self._save, self._stop = reporter, save, stop
        pin = world.device.type == "cuda"
        share = {"seed": settings.seed, "rank": world.rank, "world": world.size, "workers": settings.workers}
        self._piece = piece = settings.batch // (settings.accumulate * world.size)
        self._train = Loader(data.train, piece, train=True, pin=pin, **share)
        self._valid = Loader(data.valid, piece, train=False, pin=pin, **share) if len(data.valid) else None
        self._data = data
        self.per_epoch = steps_of(data, settings)
        self.steps = self.per_epoch * settings.epochs
        self._window: list[Outcome] = []
        self._saved = 0

    def run(self, progress: Progress) -> str | int:
        """Train from here to the end; answers why it ended, the number of a signal where it was one."""
        self._saved = progress.step
        while progress.step < self.steps:
            if self._out_of_patience(progress):
                return f"no better validation in {self._settings.patience} epochs"
            epoch = progress.step // self.per_epoch
            batches = self._train.epoch(epoch, progress.step % self.per_epoch * self._settings.accumulate)
            for _ in range(progress.step, (epoch + 1) * self.per_epoch):
                signal = self._one(progress, batches)
                if signal:
                    return signal
        return "all epochs are done"

    def _one(self, progress: Progress, batches: Iterator[Batch]) -> int:
        """A step, and what is due after it."""
        settings = self._settings
        self._world.ask(self._stop)
        parts = list(islice(batches, settings.accumulate))
        rate = settings.rate * factor(settings.schedule, progress.step, self.steps)
        self._window.append(self._model.step(parts, rate))
        progress.step += 1
        ends = progress.step % self.per_epoch == 0
        signal = self._world.asked()
        due = ends or signal or (settings.every is not None and progress.step % settings.every == 0)
        if due or len(self._window) == REPORT:
            self._tell(progress, rate)
        best = ends and self._validate(progress)
        if due:
            self._save(progress, best)
            self._saved = progress.step
        return signal

    def _tell(self, progress: Progress, rate: float) -> None:
        """Read the losses since the last time and tell them; raises ArchError E740 for one that is no number."""
        window, self._window = self._window, []
        losses = torch.stack([one.loss for one in window]).double().tolist()
        counts = [torch.stack([one.right, one.answers]) for one in window if one.right is not None]
        told: list[float] = torch.stack(counts).sum(0).tolist() if counts else [0.0, 0.0]
        *losses, correct, answers = self._world.sum([*losses, *map(float, told)])
        losses = [one / self._world.size for one in losses]
        first = progress.step - len(window) + 1
        for step, one in enumerate(losses, first):
            if not math.isfinite(one):
                raise self._world.failure(lost(step, one, rate, self._settings, self._saved))
        progress.loss += sum(losses)
        progress.right, progress.answers = progress.right + correct, progress.answers + answers
        self._reporter.stepped(
            epoch=(progress.step - 1) // self.per_epoch + 1,
            step=progress.step,
            steps=self.steps,
            loss=sum(losses) / len(losses),
            accuracy=correct / answers if answers else None,
            lr=rate,
            images=len(window) * self._settings.batch,
        )

    def _validate(self, progress: Progress) -> bool:
        """Judge the epoch, tell it, and say whether it is the best so far; the sums start anew."""
        self._model.level()
        values = {"loss": progress.loss / self.per_epoch}
        main = self._judged()
        if progress.answers:
            values["accuracy"] = progress.right / progress.answers
        if main is not None:
            values["valid_loss"] = main[0]
            if main[1] is not None:
                values["valid_accuracy"] = main[1]
        epoch = progress.step // self.per_epoch
        score = _score(values, epoch)
        best = not progress.best or score > progress.best
        if best:
            progress.best, progress.best_epoch = score, epoch
        progress.loss = progress.right = progress.answers = 0.0
        self._reporter.validated(epoch=epoch, step=progress.step, values=values, best=best)
        return best

    def _judged(self) -> tuple[float, float | None] | None:
        """Mean loss and accuracy over the validation samples, each counted once over all ranks."""
        if self._valid is None:
            return None
        outcomes: list[tuple[Outcome, int]] = []
        for batch in self._valid.epoch():
            outcomes.append((self._model.judge(batch), len(batch.target)))
        behind = -(-len(self._data.valid) // (self._piece * self._world.size)) - len(outcomes)
        if behind and self._settings.fsdp:  # all ranks must call the module equally often, for it gathers weights
            self._model.judge(self._data.valid.batch([0], None))
        loss = sum(float(outcome.loss) * count for outcome, count in outcomes)
        counted = [outcome for outcome, _ in outcomes if outcome.right is not None]
        right = float(sum(float(one.right) for one in counted if one.right is not None))
        answers = float(sum(float(one.answers) for one in counted))
        count = float(sum(count for _, count in outcomes))
        loss, right, answers, count = self._world.sum([loss, right, answers, count])
        return loss / count, right / answers if answers else None

    def _out_of_patience(self, progress: Progress) -> bool:
        patience = self._settings.patience
        return patience is not None and progress.step // self.per_epoch >= progress.best_epoch + patience


def _score(values: dict[str, float], epoch: int) -> list[float]:
    """What is compared: accuracy, where equal the loss; without validation the newest is the best."""
    if "valid_loss" not in values:
        return [float(epoch)]
    told = [values["valid_accuracy"]] if "valid_accuracy" in values else []
    return [*told, -values["valid_loss"] if math.isfinite(values["valid_loss"]) else -math.inf]


def steps_of(data: Data, settings: Settings) -> int:
    """The steps of an epoch: whole batches; what is left over is not used in this epoch, and another in the next."""
    return len(data.train) // settings.batch


def lost(step: int, loss: float, rate: float, settings: Settings, saved: int) -> Diagnostic:
    """The error for a loss that is no number any more."""
    help = [f"a lower learning rate than {rate:.3g}, such as --lr {settings.rate / 10:.3g}"]
    if settings.schedule not in ("warmup", "onecycle"):
        help.append("--schedule warmup")
    if settings.amp == "fp16":
        help.append("--amp bf16")
    message = f"the loss of step {step} is {loss}: the weights are of no use any more"
    note = f"the checkpoint of step {saved} is from before" if saved else "there is no checkpoint yet"
    return Diagnostic("E740", message, notes=(note,), help=tuple(help))
