"""What the training loop tells while it runs, and who is told: a bar or lines, metrics.jsonl, TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Reporter(Protocol):
    """Whoever is told how training goes. The loop calls it in the first process alone, never from two threads.

    `epoch` and `step` count from 1, `step` over the whole run; a resumed run goes on with its numbers.
    """

    def started(self, plan: Mapping[str, object]) -> None:
        """Once, before the first step.

        `plan` has "steps" and "epochs" of the whole run, and "step", those done before it was resumed, 0 in a new one.
        """

    def stepped(
        self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float | None, lr: float, images: int
    ) -> None:
        """After a step, or some: means over the steps since the last call, and the `images` seen in them.

        Reading a loss waits for the device, so the loop calls at most every ten steps or so. `steps` is the number of
        all steps of the run; `accuracy` is a part of 1, None where there are no classes.
        """

    def validated(self, *, epoch: int, step: int, values: Mapping[str, float], best: bool) -> None:
        """After a validation: "loss", and "accuracy" where there are classes; `best`: no epoch was better so far."""

    def said(self, text: str) -> None:
        """A remark in a line: an image that was skipped, a checkpoint passed over."""

    def ended(self, reason: str) -> None:
        """Once, however the run ends: "finished", "stopped early" and the like."""


class Reporters:
    """A reporter that tells several, in their order."""

    def __init__(self, *told: Reporter) -> None:
        self._told = told

    def started(self, plan: Mapping[str, object]) -> None:
        for reporter in self._told:
            reporter.started(plan)

    def stepped(
        self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float | None, lr: float, images: int
    ) -> None:
        for reporter in self._told:
            reporter.stepped(
                epoch=epoch, step=step, steps=steps, loss=loss, accuracy=accuracy, lr=lr, images=images
            )

    def validated(self, *, epoch: int, step: int, values: Mapping[str, float], best: bool) -> None:
        for reporter in self._told:
            reporter.validated(epoch=epoch, step=step, values=values, best=best)

    def said(self, text: str) -> None:
        for reporter in self._told:
            reporter.said(text)

    def ended(self, reason: str) -> None:
        for reporter in self._told:
            reporter.ended(reason)
