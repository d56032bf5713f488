"""The network in training: its module, losses and optimizer, on this process's device, as one thing that steps."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import backward

from archdsl.backends.pytorch import emit
from archdsl.graph import Network
from archdsl.live import instance
from archdsl.training.data.dataset import Batch
from archdsl.training.data.hashing import mix
from archdsl.training.distributed import World
from archdsl.training.losses import Head, Scores, answers, correct, loss
from archdsl.training.optimizers import make
from archdsl.training.parallel import load, load_optimizer, part_of, spread, whole
from archdsl.training.settings import Settings

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Outcome(NamedTuple):
    """What batches came to, still on the device: the mean loss, right answers (None: there are none) and answers."""

    loss: Tensor
    right: Tensor | None
    answers: Tensor


class Model:
    """A network in training. The seed decides its first weights, the same on all ranks, and each rank's dropout."""

    def __init__(self, network: Network, source_name: str, heads: Sequence[Head], settings: Settings, world: World):
        self._settings, self._world, self._heads = settings, world, heads
        torch.manual_seed(settings.seed)
        self.net = instance(emit(network, source_name), network.name).to(world.device)
        if settings.channels_last:
            self.net.to(memory_format=torch.channels_last)
        self._scores = Scores(self.net, network, heads)
        idle = world.size > 1 and not settings.fsdp and bool(without_gradient(network, heads))
        self._called = spread(self._scores, world, fsdp=settings.fsdp, idle=idle)
        if settings.compile:
            self._called.compile()
        self._optimizer = make(settings, self.net.parameters())
        self._scaler = torch.amp.GradScaler(world.device.type, enabled=settings.amp == "fp16")
        torch.manual_seed(mix(settings.seed, 4, world.rank) >> 1)

    def step(self, parts: Sequence[Batch], rate: float) -> Outcome:
        """Learn from the parts of a batch, which are equally large, with this learning rate."""
        if not self._scores.training:
            self._called.train()
        self._optimizer.zero_grad(set_to_none=True)
        outcomes = [self._part(part, len(parts), last=part is parts[-1]) for part in parts]
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if len(outcomes) == 1:
            return outcomes[0]
        right = [one.right for one in outcomes if one.right is not None]
        total = torch.stack(right).sum() if right else None
        return Outcome(
            torch.stack([o.loss for o in outcomes]).mean(), total, torch.stack([o.answers for o in outcomes]).sum()
        )

    def _part(self, part: Batch, parts: int, *, last: bool) -> Outcome:
        inputs, target = self._moved(part)
        with part_of(self._called, last):
            with self._autocast():
                scores = self._called(*inputs)
            found = loss(self._heads, scores, target)
            backward(self._scaler.scale(found / parts if parts > 1 else found))
        return self._outcome(found, scores, target)

    def judge(self, batch: Batch) -> Outcome:
        """The outcome of a batch, the main output's alone, with nothing learned."""
        called = self._called if self._settings.fsdp else self._scores  # DDP's forward would wait for the other ranks
        called.eval()
        inputs, target = self._moved(batch)
        with torch.no_grad(), self._autocast():
            scores = called(*inputs)
        return self._outcome(loss(self._heads[:1], scores[:1], target), scores, target)

    def _outcome(self, found: Tensor, scores: Sequence[Tensor], target: Tensor) -> Outcome:
        main, given = self._heads[0], scores[0].detach()
        return Outcome(found.detach(), correct(main, given, target), answers(main, target))

    def _moved(self, batch: Batch) -> tuple[tuple[Tensor, ...], Tensor]:
        device = self._world.device
        inputs = tuple(x.to(device, non_blocking=True) for x in batch.inputs)
        if self._settings.channels_last:
            inputs = tuple(x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x for x in inputs)
        return inputs, batch.target.to(device, non_blocking=True)

    def _autocast(self) -> AbstractContextManager[Any]:
        if self._settings.amp is None:
            return nullcontext()
        return torch.autocast(self._world.device.type, dtype=HALVES[self._settings.amp])

    def level(self) -> None:
        """Give all ranks the first one's buffers: BN's running means, which each has of its own batches."""
        self._world.level(list(self.net.buffers()))

    def weights(self) -> dict[str, Tensor]:
        """The module's state_dict, whole, on the CPU, contiguous; all ranks must ask for it."""
        return {key: value.contiguous() for key, value in whole(self.net.state_dict()).items()}

    def state(self) -> dict[str, Any]:
        """All that goes on changing, whole, with each rank's random state; all ranks must ask for it."""
        device = self._world.device
        random = [torch.get_rng_state()]
        if device.type == "cuda":
            random.append(torch.cuda.get_rng_state(device))
        return {
            "model": self.weights(),
            "optimizer": whole(self._optimizer.state_dict()),
            "scaler": self._scaler.state_dict(),
            "random": self._world.gather(random),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        load(self.net, state["model"])
        load_optimizer(self._optimizer, state["optimizer"])
        if state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])
        random = state["random"][self._world.rank]
        torch.set_rng_state(random[0])
        if self._world.device.type == "cuda":
            torch.cuda.set_rng_state(random[1], self._world.device)


def without_gradient(network: Network, heads: Sequence[Head]) -> list[str]:
    """The weights that no loss reaches, by a step on tensors that have shapes alone."""
    with torch.device("meta"):
        net = instance(emit(network), network.name).train()
        scores = Scores(net, network, heads)
        kinds = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}
        inputs = [torch.zeros(2, *i.value.type.shape, dtype=kinds[i.value.type.dtype]) for i in network.inputs]
        backward(torch.stack([one.sum() for one in scores(*inputs)]).sum())
    return [key for key, parameter in net.named_parameters() if parameter.grad is None]
