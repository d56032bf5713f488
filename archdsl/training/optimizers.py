"""The optimizers: torch's own, fused where torch has that for the device."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from archdsl.training.settings import Settings

FUSED = ("adam", "adamw", "sgd", "adagrad")


def make(settings: Settings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer for these weights, all of which decay alike."""
    weights = list(parameters)
    kinds: dict[str, Any] = {
        "sgd": torch.optim.SGD,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "rmsprop": torch.optim.RMSprop,
        "adagrad": torch.optim.Adagrad,
    }
    given: dict[str, Any] = {"lr": settings.rate, "weight_decay": settings.decay}
    if settings.optimizer in ("sgd", "rmsprop"):
        given["momentum"] = settings.momentum
    if settings.optimizer in FUSED and _fusible(settings, weights):
        given["fused"] = True
    made: torch.optim.Optimizer = kinds[settings.optimizer](weights, **given)
    return made


def _fusible(settings: Settings, weights: list[nn.Parameter]) -> bool:
    """Adagrad's is there for the CPU alone; parts of weights that FSDP shares out are left to torch's choice."""
    devices = {p.device.type for p in weights}
    return not settings.fsdp and devices <= ({"cpu"} if settings.optimizer == "adagrad" else {"cpu", "cuda"})
