"""Small trainings in this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from archdsl.syntax.source import Source
from archdsl.training import checkpoint
from archdsl.training.distributed import World
from archdsl.training.reporter import Several
from archdsl.training.run import Spec, is_run, open_run
from archdsl.training.settings import Settings
from archdsl.training.train import Job, prepare, train

DIGITS = """input 1x8x8
CONV(8) - BN - RELU - POOL - CONV(8) - RELU - POOL - FC(16) - RELU - DROPOUT(0.3) - FC(10) - SOFTMAX
"""


class Crash(Exception):
    """The end of a process that had no time to say so."""


class Heard(Several):
    """A reporter that remembers, and crashes when it hears of a step."""

    def __init__(self, crash: int | None = None) -> None:
        super().__init__()
        self._crash = crash
        self.plan: Mapping[str, object] = {}
        self.losses: dict[int, float] = {}
        self.epochs: list[Mapping[str, float]] = []
        self.end = ""

    def started(self, plan: Mapping[str, object]) -> None:
        self.plan = plan

    def stepped(self, *, step: int, loss: float, **others: Any) -> None:
        self.losses[step] = loss
        if step == self._crash:
            raise Crash

    def validated(self, *, values: Mapping[str, float], **others: Any) -> None:
        self.epochs.append(values)

    def ended(self, reason: str) -> None:
        self.end = reason


def trained(
    folder: Path, text: str = DIGITS, data: str = "builtin:digits", *, crash: int | None = None, **settings: Any
) -> Heard:
    """Train in this process, going on with the run in the folder where there is one."""
    earlier = open_run(str(folder)) if is_run(str(folder)) else None
    spec = Spec(Source(text), {}, {}) if earlier is None else earlier.spec
    base = Settings(device="cpu") if earlier is None else earlier.settings
    heard = Heard(crash)
    with World(settings.get("device", "cpu")) as world:
        job = Job(spec, data, base.changed(settings), str(folder), earlier)
        train(prepare(job, world), world, lambda path: heard, lambda text: None)
    return heard


def state_of(folder: Path) -> dict[str, Any]:
    """The newest checkpoint."""
    _, path = checkpoint.found(str(folder / "checkpoints"))[0]
    return checkpoint.read(Path(path).read_bytes())


def same(a: Any, b: Any) -> bool:
    """Equal bit by bit."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return bool(a == b)
