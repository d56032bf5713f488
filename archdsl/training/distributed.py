"""The processes of a run: which one this is, what they tell each other, and that they stop together.

Started by torchrun, or by `--nproc`, which does the same: the environment says who is who. Gradients go over nccl
between GPUs and gloo between CPUs; everything else, small, over gloo.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch import distributed as dist

from archdsl.diagnostics import ArchError, Diagnostic

T = TypeVar("T")

PATIENCE = timedelta(minutes=30)
"""How long one process waits for the others: the first may be computing what the data's normalisation is."""


def started_as() -> tuple[int, int, int]:
    """Rank, number of processes, and rank on this machine, as torchrun has put them into the environment."""
    rank, size, local = (int(os.environ.get(name, default)) for name, default in
                         (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0")))  # fmt: skip
    return rank, size, local


class World:
    """All processes of a run, seen from one; a context. `device` is this one's own."""

    def __init__(self, asked: str | None = None) -> None:
        """Raises ArchError E742 where the device that is asked for is not there."""
        self.rank, self.size, local = started_as()
        self.device = find_device(asked, local if self.size > 1 else None)
        self._control: Any = None
        self._wish = torch.zeros(1, dtype=torch.int64)
        self._told: Any = None
        self._stop: Callable[[], int] = int

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def __enter__(self) -> World:
        if self.size > 1:
            if self.device.type == "cuda":
                torch.cuda.set_device(self.device)
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo", timeout=PATIENCE)
            self._control = dist.new_group(backend="gloo", timeout=PATIENCE)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        # Where something went wrong the others may be waiting still, and a polite end would wait for them.
        if self.size > 1 and kind is None:
            dist.destroy_process_group()

    def sum(self, values: list[float]) -> list[float]:
        """The sums over all processes, in double precision."""
        if self.size == 1:
            return values
        total = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(total, group=self._control)
        found: list[float] = total.tolist()
        return found

    def gather(self, value: T) -> list[T]:
        """What each process has, in the order of the ranks, on all of them."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value, group=self._control)
        return found

    def spread(self, data: bytes | None) -> bytes | None:
        """The first process's bytes, on all of them."""
        if self.size == 1:
            return data
        [size] = self.sum([0.0 if data is None or not self.first else len(data) + 1.0])
        if not size:
            return None
        buffer = torch.zeros(int(size) - 1, dtype=torch.uint8)
        if self.first and data is not None:
            buffer = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        dist.broadcast(buffer, 0, group=self._control)
        return buffer.numpy().tobytes()

    def together(self, work: Callable[[], T]) -> T:
        """Do it in every process. Where it fails in one, by an ArchError or OSError, the others raise Elsewhere; so do
        all but the first where it fails there, too."""
        result: Any = None
        error: Exception | None = None
        try:
            result = work()
        except (ArchError, OSError) as found:
            error = found
        failed = self.gather(error is not None)
        if error is not None and (self.first or not failed[0]):
            raise error
        if any(failed):
            raise Elsewhere(f"process {failed.index(True)} has failed")
        return result  # type: ignore[no-any-return]

    def alone(self, work: Callable[[], None]) -> None:
        """Do it in the first process while the others wait; raises as `together` does."""
        self.together(work if self.first else lambda: None)

    def same(self, what: str, value: str) -> None:
        """Raise ArchError E744 in all processes where the value is not the same in each."""
        found = self.gather(value)
        if len(set(found)) > 1:
            other = next(rank for rank, one in enumerate(found) if one != found[0])
            message = f"process {other} has another value of {what} than process 0: {found[other]!r}, not {found[0]!r}"
            raise self.failure(Diagnostic("E744", message))

    def failure(self, *found: Diagnostic) -> Exception:
        """The exception for what all processes have found: one of them tells it."""
        return ArchError(found) if self.first else Elsewhere("the first process has failed, too")

    def ask(self, stop: Callable[[], int]) -> None:
        """Begin to find out, while the next step runs, whether a process is to stop; its number is no 0 then."""
        self._stop = stop
        if self.size > 1:
            self._wish[0] = stop()
            self._told = dist.all_reduce(self._wish, dist.ReduceOp.MAX, group=self._control, async_op=True)

    def asked(self) -> int:
        """The largest number of all processes, which all get at the same step."""
        if self.size == 1:
            return self._stop()
        self._told.wait()
        return int(self._wish[0])

    def level(self, tensors: list[Tensor]) -> None:
        """Give all processes the first one's tensors."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)


class Elsewhere(Exception):
    """Something went wrong in another process, which says what."""


def lost_others(error: RuntimeError) -> bool:
    """Whether torch raised it because another process has ended; gloo has no type of its own for that."""
    return isinstance(error, dist.DistError) or "/gloo/" in str(error)


def find_device(asked: str | None, local: int | None) -> torch.device:
    """The device to train on; `local` is this process's number on its machine, if there are several.

    Raises ArchError E742 where it is not there.
    """
    if asked is None:
        asked = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise ArchError([_no_device(f"there is no device {asked}", "--device cpu, or cuda")]) from None
    if device.type not in ("cpu", "cuda"):
        raise ArchError([_no_device(f"{device.type} devices are not supported", "--device cpu, or cuda")])
    if device.type == "cpu":
        return device
    count = torch.cuda.device_count()
    number = device.index if device.index is not None else local or 0
    if local is not None and device.index is not None:
        message = f"--device {asked} names one GPU, and there are several processes"
        raise ArchError([_no_device(message, "--device cuda, of which each process takes its own")])
    if number >= count:
        message = f"there is no device cuda:{number}: torch sees {count} GPUs"
        raise ArchError([_no_device(message, "--device cpu" if not count else f"--nproc {count}")])
    return torch.device("cuda", number)


def _no_device(message: str, help: str) -> Diagnostic:
    return Diagnostic("E742", message, help=(help,))
