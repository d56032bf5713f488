"""How the learning rate goes: a function of how much of the run is done, so that a resumed run needs no state of it.

A run that is given more epochs goes on at the rate that the longer run has there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

WARM = 0.05
"""The share of the run in which `warmup` rises (Goyal et al., 2017, rise for 5 of 90 epochs)."""
RISE = 0.3
"""The share in which `onecycle` rises, as torch's OneCycleLR."""


def _half_cosine(progress: float) -> float:
    """From 1 to 0 (Loshchilov and Hutter, 2017)."""
    return (1 + cos(pi * progress)) / 2


def _step(progress: float) -> float:
    """A tenth after half of the run, and again after three quarters (He et al., 2016, on CIFAR-10)."""
    return 0.1 ** ((progress >= 0.5) + (progress >= 0.75))


def _one_cycle(progress: float) -> float:
    """From 1/25 up to 1 and down to 1/250,000 (Smith and Topin, 2018), with torch's numbers."""
    if progress < RISE:
        return 1 - (1 - 1 / 25) * _half_cosine(progress / RISE)
    return (1 - 4e-6) * _half_cosine((progress - RISE) / (1 - RISE)) + 4e-6


def _warm_up(progress: float) -> float:
    """Up in a line, then a half cosine down."""
    return progress / WARM if progress < WARM else _half_cosine((progress - WARM) / (1 - WARM))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": _half_cosine,
    "step": _step,
    "onecycle": _one_cycle,
    "warmup": _warm_up,
}


def factor(schedule: str, step: int, steps: int) -> float:
    """What the learning rate is multiplied by in a step, counted from 0, of a run of so many.

    A step stands for its middle, so that none of a schedule that starts or ends at 0 is lost.
    """
    return SCHEDULES[schedule]((step + 0.5) / steps)
