"""Batches of an epoch in an order that is a function of (seed, epoch), from any batch on, for one rank of several."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Union

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.training.data.dataset import Batch, Split
from archdsl.training.data.hashing import permutation

Job = tuple[Union[int, None], Tensor]
"""The epoch to augment by, if at all, and the indices of a batch."""


class Loader:
    """A split's batches, for training or for judging.

    For training the samples are in the order of `permutation(seed, epoch)`; each step takes the next `world * batch`
    of them, a `batch` for each rank, and what is left over at the end is not used in this epoch (but where that would
    be all of it, the one step shares out what there is). For judging (`train` false) every sample comes once, in its
    order, rank r having batches r, r + world, ...; so ranks may have numbers of batches that differ by one.

    With `workers` processes make the batches ahead of time, which are the same ones bit by bit. Nothing is drawn from
    torch's global generator. `pin` puts batches into memory that a GPU copies from while it computes. Raises ArchError
    where a sample cannot be read.
    """

    def __init__(
        self,
        split: Split,
        batch: int,
        *,
        train: bool,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
        pin: bool = False,
    ) -> None:
        self._split, self._pin = split, pin
        self._plan = _Plan(len(split), batch, train, seed, rank, world)
        self._processes: DataLoader[object] | None = None
        if workers:
            self._processes = DataLoader(
                _Jobs(split),
                batch_size=None,
                sampler=self._plan,
                num_workers=workers,
                persistent_workers=True,
                pin_memory=pin,
                worker_init_fn=_leave_signals,
                generator=torch.Generator(),  # else the workers' seeds would be drawn from the global one
            )

    @property
    def dropped(self) -> int:
        """The samples that an epoch does not use, on all ranks together."""
        return self._plan.dropped

    def __len__(self) -> int:
        """The batches of an epoch on this rank."""
        return self._plan.steps

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from number `start` on, counted from 0; one epoch at a time."""
        self._plan.epoch, self._plan.start = epoch, start
        if self._processes is None:
            for augmented, indices in self._plan:
                batch = self._split.batch(indices, augmented)
                yield _pinned(batch) if self._pin else batch
            return
        for made in self._processes:
            if isinstance(made, _Failure):
                raise ArchError(made.diagnostics)
            yield made


def _leave_signals(worker: int) -> None:
    """Ctrl-C and the end that a system asks of all processes are for the training, which ends its workers itself."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _pinned(batch: Batch) -> Batch:
    return Batch(tuple(x.pin_memory() for x in batch.inputs), batch.target.pin_memory())


class _Plan:
    """Which samples each batch of an epoch has."""

    def __init__(self, count: int, batch: int, train: bool, seed: int, rank: int, world: int) -> None:
        self.epoch = self.start = 0
        self._count, self._train, self._seed = count, train, seed
        self._rank, self._world = rank, world
        self._batch = min(batch, count // world) if train else batch

    @property
    def dropped(self) -> int:
        return self._count - self.steps * self._batch * self._world if self._train else 0

    @property
    def steps(self) -> int:
        if self._train:
            return self._count // (self._batch * self._world) if self._batch else 0
        batches = -(-self._count // self._batch)
        return len(range(self._rank, batches, self._world))

    def __len__(self) -> int:
        return self.steps - self.start

    def __iter__(self) -> Iterator[Job]:
        order = permutation(self._count, self._seed, 2, self.epoch) if self._train else torch.arange(self._count)
        for step in range(self.start, self.steps):
            first = (step * self._world + self._rank) * self._batch
            yield self.epoch if self._train else None, order[first : first + self._batch]


class _Failure:
    """An ArchError on its way out of a worker: torch would make it anew from its text."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics


class _Jobs(Dataset[object]):
    """The split as torch's loader takes it: an item is a whole batch."""

    def __init__(self, split: Split) -> None:
        self._split = split

    def __getitem__(self, job: Job) -> object:
        epoch, indices = job
        try:
            return self._split.batch(indices, epoch)
        except ArchError as error:
            return _Failure(error.diagnostics)
