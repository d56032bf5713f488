"""A run as TensorBoard shows it; the tensorboard package is an extra, `archdsl[tensorboard]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class TensorBoard:
    """A reporter that writes event files into a folder: loss and accuracy of train and valid, the learning rate."""

    def __init__(self, folder: str) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(folder)

    def started(self, plan: Mapping[str, object]) -> None:
        pass  # the events' files name the run by their folder

    def stepped(
        self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float | None, lr: float, images: int
    ) -> None:
        self._writer.add_scalar("train/loss", loss, step)
        if accuracy is not None:
            self._writer.add_scalar("train/accuracy", accuracy, step)
        self._writer.add_scalar("lr", lr, step)

    def validated(self, *, epoch: int, step: int, values: Mapping[str, float], best: bool) -> None:
        for name, value in values.items():
            if name.startswith("valid_"):
                self._writer.add_scalar(f"valid/{name.removeprefix('valid_')}", value, step)
        self._writer.flush()

    def said(self, text: str) -> None:
        self._writer.add_text("note", text)

    def ended(self, reason: str) -> None:
        self._writer.close()
