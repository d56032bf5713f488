"""How a run shows itself while it goes on: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from archdsl.excerpt import visible
from archdsl.training.meter import Meter
from archdsl.training.reporter import Reporter

EVERY = 30.0
"""Seconds after which an epoch that is still going on gets a line."""


def progress(stream: TextIO | None = None) -> Reporter:
    """The bar where `stream`, standard error without it, is a terminal; else the lines."""
    stream = sys.stderr if stream is None else stream
    return Bar(stream) if stream.isatty() else Lines(stream)


class Lines:
    """A line for each epoch, and one now and then where an epoch takes long."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._meter = Meter(clock)
        self._epochs = ""
        self._steps = 0
        self._start, self._since, self._first = clock(), clock(), 0

    def started(self, plan: Mapping[str, object]) -> None:
        self._epochs = f"/{plan['epochs']}" if "epochs" in plan else ""
        self._first = _whole(plan.get("step"))
        if self._first:
            self._say(f"goes on after step {self._first:,}")
        self._start = self._since = self._clock()
        self._meter.restart()

    def stepped(
        self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float | None, lr: float, images: int
    ) -> None:
        self._meter.step(loss, accuracy, images)
        self._steps = steps
        if self._clock() - self._since >= EVERY:
            self._say(f"epoch {epoch}{self._epochs}  step {step:,}/{steps:,}  {self._training()}{self._left(step)}")

    def validated(self, *, epoch: int, step: int, values: Mapping[str, float], best: bool) -> None:
        rate = f"  {self._meter.rate:,.0f} images/s" if self._meter.rate else ""
        self._say(f"epoch {epoch}{self._epochs}  {summary(values, best)}{rate}{self._left(step)}")
        self._meter.restart()

    def said(self, text: str) -> None:
        self._say(text)

    def ended(self, reason: str) -> None:
        self._say(f"{reason} after {_clock_time(self._clock() - self._start)}")

    def _training(self) -> str:
        rate = f"  {self._meter.rate:,.0f} images/s" if self._meter.rate else ""
        return described(self._meter.loss, self._meter.accuracy) + rate

    def _left(self, step: int) -> str:
        done = step - self._first
        if done <= 0 or step >= self._steps:
            return ""
        return f"  {_clock_time((self._clock() - self._start) / done * (self._steps - step))} left"

    def _say(self, text: str) -> None:
        self._since = self._clock()
        self._stream.write(visible(text) + "\n")
        self._stream.flush()


class Bar:
    """A bar over all steps of the run with the epoch's loss and accuracy, images a second and the time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._meter = Meter()
        self._epochs = ""
        self._bar: Any = None

    def started(self, plan: Mapping[str, object]) -> None:
        from tqdm import tqdm

        self._epochs = f"/{plan['epochs']}" if "epochs" in plan else ""
        if _whole(plan.get("step")):
            self.said(f"goes on after step {plan['step']:,}")
        form = "{desc} {bar} {n:,}/{total:,}{postfix} {remaining} left"  # tqdm puts a comma before the postfix
        self._bar = tqdm(
            total=_whole(plan.get("steps")) or None,
            initial=_whole(plan.get("step")),
            file=self._stream,
            bar_format=form if plan.get("steps") else None,
            dynamic_ncols=True,
            leave=False,
        )
        self._meter.restart()

    def stepped(
        self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float | None, lr: float, images: int
    ) -> None:
        self._meter.step(loss, accuracy, images)
        self._bar.set_description_str(f"epoch {epoch}{self._epochs}", refresh=False)
        means = described(self._meter.loss, self._meter.accuracy)
        self._bar.set_postfix_str(f"{means}  {self._meter.rate:,.0f} images/s ", refresh=False)
        self._bar.update(step - self._bar.n)

    def validated(self, *, epoch: int, step: int, values: Mapping[str, float], best: bool) -> None:
        self.said(f"epoch {epoch}{self._epochs}  {summary(values, best)}")
        self._meter.restart()

    def said(self, text: str) -> None:
        if self._bar is None:
            self._stream.write(visible(text) + "\n")
        else:
            self._bar.write(visible(text), file=self._stream)

    def ended(self, reason: str) -> None:
        if self._bar is None:
            return
        taken = self._bar.format_dict["elapsed"]
        self._bar.close()
        self._stream.write(f"{visible(reason)} after {_clock_time(taken)}\n")
        self._stream.flush()


def described(loss: float | None, accuracy: float | None) -> str:
    """`loss 0.0731  accuracy 97.85%`, of these what is known."""
    parts = [f"loss {loss:.4f}"] if loss is not None else []
    return "  ".join([*parts, *([f"accuracy {100 * accuracy:.2f}%"] if accuracy is not None else [])])


def summary(values: Mapping[str, float], best: bool) -> str:
    """What an epoch came to, in a line."""
    training = described(values.get("loss"), values.get("accuracy"))
    held = described(values.get("valid_loss"), values.get("valid_accuracy"))
    parts = [training, f"valid: {held}" if held else "", "best so far" if best else ""]
    return "  ".join(part for part in parts if part)


def _clock_time(seconds: float) -> str:
    """`1:02:03`, `2:03`, or `0:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
