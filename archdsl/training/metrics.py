"""metrics.jsonl: what happened in a run, an object a line, written as it happens; and read again."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any, TextIO

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.training.meter import Meter


class Metrics:
    """A reporter that writes a line for each thing it is told.

    "event" is "start", "resume", "step", "epoch", "note" or "end"; "time" is in seconds since 1970. A line of an
    epoch has the mean "loss" and "accuracy" of training, "valid_loss" and "valid_accuracy", those that there are. A
    number that is not finite is null. `stream` should be line-buffered.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._meter = Meter()

    def _write(self, event: str, **values: object) -> None:
        line = {"event": event, **{name: _finite(value) for name, value in values.items() if value is not None}}
        self._stream.write(json.dumps({**line, "time": round(time.time(), 3)}, ensure_ascii=False) + "\n")

    def started(self, plan: Mapping[str, object]) -> None:
        self._write("resume" if plan.get("step") else "start", **plan)
        self._meter.restart()

    def stepped(
        self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float | None, lr: float, images: int
    ) -> None:
        self._meter.step(loss, accuracy, images)
        rate = round(self._meter.rate, 1)
        self._write("step", step=step, epoch=epoch, loss=loss, accuracy=accuracy, lr=lr, images_per_second=rate)

    def validated(self, *, epoch: int, step: int, values: Mapping[str, float], best: bool) -> None:
        self._write("epoch", step=step, epoch=epoch, **values, best=best)
        self._meter.restart()

    def said(self, text: str) -> None:
        self._write("note", text=text)

    def ended(self, reason: str) -> None:
        self._write("end", reason=reason)


def _finite(value: object) -> object:
    """JSON has no NaN and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_metrics(path: str) -> list[dict[str, Any]]:
    """The lines of a metrics.jsonl, in order; a last one that a kill cut off is left out.

    Raises OSError where it cannot be read, and ArchError E760 for a line that is no object with an "event".
    """
    with open(path, encoding="utf-8", errors="replace") as stream:
        text = stream.read()
    found = []
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict) or not isinstance(entry.get("event"), str):
            message = f"line {number} is none of metrics.jsonl: an object with an event stands on each"
            raise ArchError([Diagnostic("E760", message, file=f"{path}:{number}")])
        found.append(entry)
    return found
