"""A module over several processes: DDP, where each has all weights, or FSDP, where each has its share of them.

Either way the state that is saved is whole: the module's own keys, tensors on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.training.distributed import World
from archdsl.training.losses import Scores

SHARE = 1_000_000
"""Numbers that a submodule must have to be shared out by itself; smaller ones go with what is around them."""


def spread(module: Scores, world: World, *, fsdp: bool, idle: bool) -> nn.Module:
    """The module as this process calls it in training. `idle`: some weights get no gradient.

    BN's batch is each process's own, as everywhere in torch; no SyncBatchNorm is put in. Raises ArchError E742.
    """
    if fsdp:
        try:
            from torch.distributed.fsdp import fully_shard
        except ImportError:
            raise ArchError([Diagnostic("E742", f"--fsdp needs torch 2.6, and this is {torch.__version__}")]) from None
        for part in _parts(module.net):
            fully_shard(part)
        fully_shard(module)
        return module
    if world.size == 1:
        return module
    from torch.nn.parallel import DistributedDataParallel

    given = [world.device] if world.device.type == "cuda" else None
    return DistributedDataParallel(module, device_ids=given, gradient_as_bucket_view=True, find_unused_parameters=idle)


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    """The children to share out by themselves, inner ones first, the module itself not among them."""
    for child in module.children():
        yield from _parts(child)
        own = sum(p.numel() for p in child.parameters() if not _is_share(p))
        if own >= SHARE and _called(child):
            yield child


def _called(module: nn.Module) -> bool:
    """Whether it is called at all, and not only held; FSDP gathers weights when a module is called."""
    return type(module).forward is not nn.Module.forward  # type: ignore[attr-defined, unused-ignore]


def _is_share(tensor: Tensor) -> bool:
    """Whether it is a DTensor, without importing what that is."""
    return hasattr(tensor, "full_tensor")


@contextmanager
def part_of(module: nn.Module, last: bool) -> Iterator[None]:
    """Around one part of an accumulated step: gradients are exchanged after the last one alone."""
    if hasattr(module, "set_requires_gradient_sync"):
        module.set_requires_gradient_sync(last)  # type: ignore[operator]  # FSDP's
        yield
        return
    with nullcontext() if last or not hasattr(module, "no_sync") else module.no_sync():  # type: ignore[operator]
        yield


def whole(state: Any) -> Any:
    """A state with its tensors whole, in memory of their own, and on the CPU; all processes of FSDP must call this."""
    if isinstance(state, Tensor):
        found: Tensor = state.full_tensor() if _is_share(state) else state  # type: ignore[attr-defined]  # a DTensor
        return found.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: whole(value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return type(state)(whole(value) for value in state)
    return state


def load(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Load whole weights, of which each process takes its share."""
    own = module.state_dict()
    module.load_state_dict({key: _share(value, own[key]) for key, value in state.items()}, strict=True)


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load an optimizer's whole state, of which each process takes its share."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    parts = {
        number: {
            name: _share(value, parameters[number]) if _like(value, parameters[number]) else value
            for name, value in entry.items()
        }
        for number, entry in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": parts})


def _like(value: object, parameter: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == parameter.shape and value.ndim > 0


def _share(value: Tensor, like: Tensor) -> Tensor:
    if not _is_share(like):
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)  # type: ignore[attr-defined]
