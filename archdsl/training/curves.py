"""The curves of runs, from their metrics.jsonl: loss and accuracy, of training and of validation, by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from archdsl.training.chart import Line, Panel, draw

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
"""Colours that the colour-blind tell apart (Okabe and Ito, 2008, and two more), readable on white and on black."""

MOST_POINTS = 400
"""Points of a curve; a longer one is drawn by means over stretches."""


def picture(runs: Sequence[tuple[str, list[dict[str, Any]]]]) -> str:
    """The SVG of some runs, each with its name and the lines of its metrics."""
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(runs))]
    by_epoch = all(_epoch_steps(lines) for _, lines in runs)
    panels = []
    for quantity in ("loss", "accuracy"):
        drawn = []
        for colour, (_, lines) in zip(colours, runs):
            unit = (_epoch_steps(lines) if by_epoch else 0) or 1
            training = _points(lines, "step", quantity, unit)
            drawn.append(Line(_thinned(training), colour, faint=True))
            drawn.append(Line(_points(lines, "epoch", f"valid_{quantity}", unit), colour, dots=True))
        if any(line.points for line in drawn):
            panels.append(Panel(quantity, tuple(drawn), percent=quantity == "accuracy"))
    return draw(panels, "epoch" if by_epoch else "step", list(zip(colours, (name for name, _ in runs))))


def has_curves(lines: list[dict[str, Any]]) -> bool:
    """Whether a run has got far enough to be drawn."""
    return bool(_points(lines, "step", "loss", 1) or _points(lines, "epoch", "valid_loss", 1))


def _epoch_steps(lines: list[dict[str, Any]]) -> float:
    """The steps of an epoch, 0 where they cannot be told."""
    for line in reversed(lines):
        if line["event"] == "epoch" and _number(line.get("step")) and _number(line.get("epoch")):
            return float(line["step"] / line["epoch"])
        if line["event"] in ("start", "resume") and _number(line.get("steps")) and _number(line.get("epochs")):
            return float(line["steps"] / line["epochs"])
    return 0


def _points(lines: list[dict[str, Any]], event: str, name: str, unit: float) -> tuple[tuple[float, float], ...]:
    return tuple(
        (line["step"] / unit, float(line[name]))
        for line in lines
        if line["event"] == event and _number(line.get("step")) and _number(line.get(name), zero=True)
    )


def _number(value: object, zero: bool = False) -> bool:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return plain and isfinite(value) and (zero or value != 0)  # type: ignore[arg-type]  # it is a number


def _thinned(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    size = -(-len(points) // MOST_POINTS)
    if size <= 1:
        return points
    parts = [points[i : i + size] for i in range(0, len(points), size)]
    return tuple((sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts)
