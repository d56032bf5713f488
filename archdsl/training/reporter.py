"""What a run tells while it goes on, and to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Reporter(Protocol):
    """Who is told; on the first process alone."""

    def started(self, plan: Mapping[str, object]) -> None:
        """Before the first step: shapes, parameters, memory, steps, where it goes on."""

    def stepped(
        self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float | None, lr: float, images: int
    ) -> None:
        """Every some steps. `step` counts from 1 over the whole run, which has `steps`; `loss` and `accuracy` are means
        over the `images` samples since the last call."""

    def validated(self, *, epoch: int, step: int, values: Mapping[str, float], best: bool) -> None:
        """After each epoch: `loss`, `accuracy` of training, `valid_loss`, `valid_accuracy`, those that there are."""

    def said(self, text: str) -> None:
        """A skip, a save, a checkpoint that was passed over."""

    def ended(self, reason: str) -> None:
        """Why it is over: all epochs, patience, a signal."""


class Several:
    """Reporters as one; none is one that hears nothing."""

    def __init__(self, reporters: Sequence[Reporter] = ()) -> None:
        self._all = tuple(reporters)

    def started(self, plan: Mapping[str, object]) -> None:
        for one in self._all:
            one.started(plan)

    def stepped(
        self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float | None, lr: float, images: int
    ) -> None:
        for one in self._all:
            one.stepped(epoch=epoch, step=step, steps=steps, loss=loss, accuracy=accuracy, lr=lr, images=images)

    def validated(self, *, epoch: int, step: int, values: Mapping[str, float], best: bool) -> None:
        for one in self._all:
            one.validated(epoch=epoch, step=step, values=values, best=best)

    def said(self, text: str) -> None:
        for one in self._all:
            one.said(text)

    def ended(self, reason: str) -> None:
        for one in self._all:
            one.ended(reason)
