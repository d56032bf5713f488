"""What a run is going to do, in numbers, before it does anything; what --dry-run prints."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.analyses.memory import memory
from archdsl.analyses.parameters import totals
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network
from archdsl.training.data import Data
from archdsl.training.losses import Head
from archdsl.training.settings import Settings

STATES = {"sgd": 1, "adam": 2, "adamw": 2, "rmsprop": 2, "adagrad": 1}
"""The numbers that an optimizer keeps for each weight, with momentum."""


def check(data: Data, settings: Settings, world: int) -> None:
    """Raise ArchError: E738 where the batch cannot be shared out or is larger than the data, E742 for what does not
    go together."""
    if settings.fsdp and settings.amp == "fp16":
        raise ArchError([Diagnostic("E742", "--amp fp16 does not go with --fsdp", help=("--amp bf16",))])
    if settings.fsdp and world == 1:
        raise ArchError([Diagnostic("E742", "--fsdp is for several processes, and this is one", help=("--nproc 2",))])
    pieces = world * settings.accumulate
    if settings.batch % pieces:
        better = max(1, round(settings.batch / pieces)) * pieces
        message = f"a batch of {settings.batch} is not {world} x {settings.accumulate} equal parts"
        note = f"there are {world} processes, and --accumulate {settings.accumulate}"
        raise ArchError([Diagnostic("E738", message, notes=(note,), help=(f"--batch {better}",))])
    if len(data.train) < settings.batch:
        message = f"a batch of {settings.batch} is more than the {len(data.train)} samples to train on"
        fits = len(data.train) // pieces * pieces
        raise ArchError([Diagnostic("E738", message, file=data.source, help=(f"--batch {fits}",) if fits else ())])


def plan(
    network: Network, data: Data, settings: Settings, heads: Sequence[Head], world: int, device: str
) -> dict[str, object]:
    """What is told when a run starts: words and numbers by name, in the order in which they are shown."""
    per_epoch = len(data.train) // settings.batch
    losses = [f"{head.loss} of {head.name}" + (f" x {head.weight:g}" if head.weight != 1 else "") for head in heads]
    untrained = [o.name for o in network.outputs if o.name not in {head.name for head in heads}]
    losses += [f"none of {name}" for name in untrained]
    found: dict[str, object] = {
        "network": f"{network.name}, {_shapes(network)}",
        "parameters": totals(network).parameters,
        "data": data.source,
        "train": len(data.train),
        "valid": len(data.valid),
        "loss": ", ".join(losses),
        "optimizer": f"{settings.optimizer}, lr {settings.rate:g}, {settings.schedule}",
        "batch": _batch(settings, world),
        "epochs": settings.epochs,
        "steps": per_epoch * settings.epochs,
        "memory": f"about {_memory(network, settings, world) / 2**20:,.0f} MiB for each process",
        "device": device + (f", {world} processes" if world > 1 else ""),
    }
    if data.notes:
        found["notes"] = "; ".join(data.notes)
    if over := len(data.train) - per_epoch * settings.batch:
        found["left over"] = f"{over} of the training samples in each epoch, others each time"
    return found


def _shapes(network: Network) -> str:
    arrives = ", ".join(str(i.value.type) for i in network.inputs)
    return f"{arrives} -> {', '.join(str(o.value.type) for o in network.outputs)}"


def _batch(settings: Settings, world: int) -> str:
    if world * settings.accumulate == 1:
        return str(settings.batch)
    piece = settings.batch // (world * settings.accumulate)
    return f"{settings.batch} = {world} processes x {settings.accumulate} parts x {piece}"


def _memory(network: Network, settings: Settings, world: int) -> float:
    """Bytes: what a part of the batch leaves behind for the backward pass, weights, gradients, optimizer's numbers.

    Half precision and workspaces are not counted.
    """
    weights = 4 * totals(network).parameters * (2 + STATES[settings.optimizer])
    piece = settings.batch // (world * settings.accumulate)
    return memory(network).kept * piece + weights / (world if settings.fsdp else 1)
