"""What a run tells while it goes on: the bar, the lines, metrics.jsonl, TensorBoard."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from archdsl.diagnostics import ArchError
from archdsl.training.meter import Meter
from archdsl.training.metrics import Metrics, read_metrics
from archdsl.training.progress import Bar, Lines, progress
from archdsl.training.reporter import Reporter, Several

PLAN: dict[str, object] = {"network": "Net, 1x8x8 -> 10", "parameters": 1234, "epochs": 2, "steps": 40, "step": 0}


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def run(reporter: Reporter, clock: Clock | None = None, *, nan: bool = False) -> None:
    """Two epochs of 20 steps, told every ten."""
    reporter.started(PLAN)
    for step in (10, 20, 30, 40):
        if clock is not None:
            clock.now += 20
        loss = float("nan") if nan else 2.0 / step
        epoch = (step - 1) // 20 + 1
        reporter.stepped(epoch=epoch, step=step, steps=40, loss=loss, accuracy=step / 40, lr=0.1, images=640)
        if step % 20 == 0:
            values = {"loss": 0.5, "accuracy": 0.75, "valid_loss": 0.25, "valid_accuracy": 0.9}
            reporter.validated(epoch=epoch, step=step, values=values, best=epoch == 1)
            reporter.said(f"saved \x1b[2J after {step}")
    reporter.ended("all epochs are done")


def test_meter() -> None:
    """Means by images, the rate of late, and what lies between two epochs in no rate."""
    clock = Clock()
    meter = Meter(clock)
    assert meter.loss is None and meter.accuracy is None
    clock.now = 2.0
    meter.step(1.0, 0.5, 100)
    assert meter.rate == 50
    clock.now = 4.0
    meter.step(4.0, 1.0, 50)
    assert meter.loss == 2.0 and meter.accuracy == pytest.approx(2 / 3)
    assert meter.rate == pytest.approx(0.3 * 25 + 0.7 * 50)
    clock.now = 100.0
    meter.restart()
    clock.now = 101.0
    meter.step(1.0, None, 42)
    assert meter.accuracy is None and meter.rate == pytest.approx(0.3 * 42 + 0.7 * 42.5)


def test_lines() -> None:
    """A line for each epoch and for a long wait, what was said without control characters, the end."""
    clock, stream = Clock(), io.StringIO()
    run(Lines(stream, clock), clock)
    assert stream.getvalue().split("\n") == [
        "epoch 1/2  step 20/40  loss 0.1500  accuracy 37.50%  32 images/s  0:40 left",
        "epoch 1/2  loss 0.5000  accuracy 75.00%  valid: loss 0.2500  accuracy 90.00%  best so far"
        "  32 images/s  0:40 left",
        "saved ?[2J after 20",
        "epoch 2/2  step 40/40  loss 0.0583  accuracy 87.50%  32 images/s",
        "epoch 2/2  loss 0.5000  accuracy 75.00%  valid: loss 0.2500  accuracy 90.00%  32 images/s",
        "saved ?[2J after 40",
        "all epochs are done after 1:20",
        "",
    ]  # fmt: skip


def test_bar() -> None:
    """On a terminal a bar with loss, accuracy, images a second and time left; epochs stay above it."""
    stream = Terminal()
    bar = progress(stream)
    assert isinstance(bar, Bar) and isinstance(progress(io.StringIO()), Lines)
    run(bar)
    told = stream.getvalue()
    for part in ("epoch 1/2", "20/40, loss 0.", "accuracy 37.50%", "images/s", " left", "valid: loss 0.2500", "?[2J"):
        assert part in told, part
    assert told.split("\r")[-1].startswith("all epochs are done after 0:0")


def test_bar_of_a_resumed_run() -> None:
    """The bar starts where the run was left; an end before the start breaks nothing."""
    stream = Terminal()
    bar = Bar(stream)
    bar.started({**PLAN, "step": 30})
    bar.ended("stopped by signal 15 at step 30")
    assert "30/40" in stream.getvalue() and "goes on after step 30" in stream.getvalue()
    unbegun = Terminal()
    Bar(unbegun).ended("nothing")
    assert unbegun.getvalue() == ""


def test_metrics(tmp_path: Path) -> None:
    """Each line is JSON, NaN as null; a resumed run goes on behind; what a kill cut off is no line."""
    path = tmp_path / "metrics.jsonl"
    with path.open("a", buffering=1, encoding="utf-8") as stream:
        run(Several([Metrics(stream)]), nan=True)

    def refuse(name: str) -> Any:
        raise AssertionError(name)

    events = [json.loads(line, parse_constant=refuse) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [e["event"] for e in events] == [
        "start", "step", "step", "epoch", "note", "step", "step", "epoch", "note", "end",
    ]  # fmt: skip
    assert events[1]["loss"] is None and events[1]["accuracy"] == 0.25 and events[1]["lr"] == 0.1
    assert events[3]["valid_accuracy"] == 0.9 and events[3]["best"] is True and events[3]["step"] == 20
    with path.open("a", buffering=1, encoding="utf-8") as stream:
        Metrics(stream).started({**PLAN, "step": 20})
        stream.write('{"event": "st')
    assert read_metrics(str(path))[-1]["event"] == "resume"


@pytest.mark.parametrize("line", ["[]", "{}", "no JSON", '{"event": 3}', "[" * 100_000])
def test_broken_metrics(tmp_path: Path, line: str) -> None:
    """A line that is none is an error that names it."""
    path = tmp_path / "metrics.jsonl"
    path.write_text(f'{{"event": "start"}}\n{line}\n')
    with pytest.raises(ArchError) as caught:
        read_metrics(str(path))
    [found] = caught.value.diagnostics
    assert found.code == "E760" and found.file == f"{path}:2"


def test_tensorboard(tmp_path: Path) -> None:
    """The scalars can be read back by tensorboard itself."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from archdsl.training.tensorboard import TensorBoard

    run(TensorBoard(str(tmp_path)))
    events = EventAccumulator(str(tmp_path)).Reload()
    assert set(events.Tags()["scalars"]) == {
        "train/loss", "train/accuracy", "lr", "valid/loss", "valid/accuracy",
    }  # fmt: skip
    assert [(e.step, e.value) for e in events.Scalars("valid/loss")] == [(20, 0.25), (40, 0.25)]
