"""A whole run on one of its processes: what it needs is opened and checked, begun or taken up, and trained."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.files import Outputs
from archdsl.graph import Network
from archdsl.training import checkpoint
from archdsl.training.data import Data, DataOptions, Normalisation, open_data
from archdsl.training.distributed import World
from archdsl.training.identity import differences, identity
from archdsl.training.loop import Loop, Progress
from archdsl.training.losses import Head, heads
from archdsl.training.model import Model
from archdsl.training.plan import check, plan
from archdsl.training.reporter import Reporter, Several
from archdsl.training.run import CHECKPOINTS, Run, Spec, begin, cut_metrics, describe, rewrite
from archdsl.training.settings import Settings
from archdsl.training.signals import Signals


class Job(NamedTuple):
    """What is to be trained, and where. `earlier` is the run that is taken up, if one is."""

    spec: Spec
    data: str
    settings: Settings
    folder: str
    earlier: Run | None = None


class Prepared(NamedTuple):
    """A job that was found right: everything is there but the weights."""

    job: Job
    network: Network
    data: Data
    heads: list[Head]
    identity: dict[str, str]
    plan: dict[str, object]
    warnings: list[Diagnostic]


def prepare(job: Job, world: World) -> Prepared:
    """Open the data and hold all against each other; raises ArchError."""
    settings = job.settings
    world.same("the run in its folder", "there is one" if job.earlier else "there is none")
    network, warnings = world.together(job.spec.build)
    data = world.together(lambda: open_data(job.data, network, _options(job)))
    world.together(lambda: check(data, settings, world.size))
    found = identity(job.spec, network, settings, data.fingerprint, world.size)
    for what, value in found.items():
        world.same(what, value)
    trained = world.together(lambda: heads(network, settings, data.train.batch([0], None).target))
    told = plan(network, data, settings, trained, world.size, str(world.device))
    return Prepared(job, network, data, trained, found, told, warnings)


def _options(job: Job) -> DataOptions:
    """How the data is opened: as the run says that is taken up, where it has computed something then."""
    names = ("seed", "augment", "resize", "valid_part", "skip")
    options = DataOptions(**{name: getattr(job.settings, name) for name in names})
    if job.earlier is None:
        return options
    stored = job.earlier.data["normalisation"]
    scale = None if stored is None else Normalisation.from_dict(stored)
    return replace(options, normalisation=scale, classes=tuple(job.earlier.data["classes"]))


def train(prepared: Prepared, world: World, reporter: Callable[[str], Reporter], say: Callable[[str], None]) -> int:
    """Train to the end, or until a signal; answers its number, 0 at the end.

    `reporter` makes the one that is told, of the run's folder, when that is there; `say` takes warnings before.
    Raises ArchError, and OSError where the folder cannot be written.
    """
    job, settings = prepared.job, prepared.job.settings
    state = _take_up(prepared, world, say)
    model = Model(prepared.network, job.spec.source.name, prepared.heads, settings, world)
    progress = Progress()
    if state is not None:
        progress = Progress(**state["progress"])
        model.restore(state)
        del state
    world.alone(lambda: _open_folder(prepared, progress.step, world))
    told = reporter(job.folder) if world.first else Several()
    told.started({**prepared.plan, "step": progress.step, "folder": job.folder})
    keeper = Keeper(prepared, model, world, told)
    try:
        with Signals() as signals:
            loop = Loop(model, prepared.data, settings, world, told, keeper.save, lambda: signals.number)
            end = loop.run(progress)
    except BaseException:
        told.ended("ended by an error")
        raise
    told.ended(f"stopped by signal {end} at step {progress.step}" if isinstance(end, int) else end)
    return end if isinstance(end, int) else 0


def _take_up(prepared: Prepared, world: World, say: Callable[[str], None]) -> dict[str, Any] | None:
    """The state to go on from, None to start from the beginning; raises ArchError E735 where it is of another run."""
    job = prepared.job
    if job.earlier is None:
        return None
    folder = os.path.join(job.folder, CHECKPOINTS)

    def passed_over(path: str, wrong: str) -> None:
        say(f"{path} is passed over, for it is broken: {wrong}")

    data = world.spread(world.together(lambda: checkpoint.newest(folder, passed_over) if world.first else None))
    state = None if data is None else checkpoint.read(data)
    before = job.earlier
    then = (
        identity(before.spec, before.network, before.settings, before.data["fingerprint"], before.about["world"])
        if state is None
        else state["identity"]
    )
    if wrong := differences(then, prepared.identity, job.folder):
        raise world.failure(*wrong)
    if state is None:
        say("there is no whole checkpoint: the run starts from its beginning")
        return None
    for what, now in (("torch", str(torch.__version__)), ("threads", torch.get_num_threads())):
        if state[what] != now:
            say(f"{what} {now} goes on with what {what} {state[what]} began: numbers may differ in their last digits")
    return state


def _open_folder(prepared: Prepared, step: int, world: World) -> None:
    job = prepared.job
    about = describe(job.spec, prepared.network, job.settings, described(prepared.data), world.size)
    if job.earlier is None:
        begin(job.folder, job.spec, prepared.network, about)
        return
    for folder in (job.folder, os.path.join(job.folder, CHECKPOINTS)):
        checkpoint.clean(folder)
    cut_metrics(job.folder, step)
    rewrite(job.folder, about)


def described(data: Data) -> dict[str, Any]:
    """The data as run.json has it."""
    return {
        "source": data.source,
        "kind": data.kind,
        "classes": list(data.classes),
        "normalisation": None if data.normalisation is None else data.normalisation.to_dict(),
        "fingerprint": data.fingerprint,
        "sizes": {"train": len(data.train), "valid": len(data.valid), "test": len(data.test or ())},
        "notes": list(data.notes),
    }


class Keeper:
    """Puts a run's state where it is safe."""

    def __init__(self, prepared: Prepared, model: Model, world: World, reporter: Reporter) -> None:
        self._prepared, self._model, self._world, self._reporter = prepared, model, world, reporter
        self._folder = prepared.job.folder

    def save(self, progress: Progress, best: bool) -> None:
        """Save the weights, as the best ones too if they are, and then the checkpoint; all ranks must call this.

        Raises ArchError: E740 where a weight is no number any more, E741 where the disk does not take it.
        """
        state = self._model.state()
        self._world.alone(lambda: self._write(state, progress, best))

    def _write(self, state: dict[str, Any], progress: Progress, best: bool) -> None:
        for key, value in state["model"].items():
            if value.is_floating_point() and not bool(torch.isfinite(value).all()):
                message = f"after step {progress.step} {key} holds numbers that are not finite; it is not saved"
                raise ArchError([Diagnostic("E740", message, file=self._folder, help=("a lower --lr",))])
        path = self._folder
        try:
            from safetensors.torch import save

            weights = save(state["model"], metadata={"format": "pt"})
            for name in ("best", "last") if best else ("last",):
                path = os.path.join(self._folder, f"{name}.safetensors")
                with Outputs() as outputs:
                    outputs.open(path).write(weights)
            path = os.path.join(self._folder, CHECKPOINTS)
            checkpoint.save(path, progress.step, self._whole(state, progress))
        except OSError as error:
            raise ArchError([self._unsaved(path, progress, error)]) from None

    def _whole(self, state: dict[str, Any], progress: Progress) -> dict[str, Any]:
        return {
            **state,
            "progress": progress.to_dict(),
            "identity": self._prepared.identity,
            "settings": self._prepared.job.settings.to_dict(),
            "torch": str(torch.__version__),
            "threads": torch.get_num_threads(),
        }

    def _unsaved(self, path: str, progress: Progress, error: OSError) -> Diagnostic:
        steps = [step for step, _ in checkpoint.found(os.path.join(self._folder, CHECKPOINTS))]
        note = f"the checkpoint of step {steps[0]} is whole" if steps else "there is no checkpoint yet"
        message = f"step {progress.step} cannot be saved: {error.strerror or error}"
        help = ("make room, and go on with --resume",) if steps else ()
        return Diagnostic("E741", message, file=path, notes=(note,), help=help)
