"""The memory that tensors take while a network runs on one item of the batch; its weights are not counted."""

from __future__ import annotations

from archdsl.analyses.frames import Frame, Op, frames, live, reads
from archdsl.analyses.once import once
from archdsl.graph import Network, Value
from archdsl.records import NamedTuple

BYTES = {"float": 4, "int": 8, "bool": 1}
"""The bytes of one element: float32, int64, bool."""


class Memory(NamedTuple):
    """Bytes: `peak` at inference, `kept` until the backward pass of training."""

    peak: int
    kept: int


@once
def memory(network: Network) -> Memory:
    """The peak of an inference that drops each tensor after its last use, and the sum that training keeps.

    peak: layers run in the order of the text; a layer's inputs and its output are there at the same time, and
    a tensor goes after the last layer that reads it, outputs never. What a repetition reads from outside stays
    until its last copy. Layers that no output needs outside of training do not run. kept: the inputs and the
    outputs of all layers (CS231n, "Convolutional Networks", counts memory in this way). Each layer's
    output is a tensor of its own: no view, nothing in place, no workspace.
    """
    found = frames(network)
    inputs = sum(size(given.value) for given in network.inputs)
    kept = inputs
    for frame in found.all:
        each = sum(size(step.output) for step in frame.steps if isinstance(step, Op))
        kept += each * found.times[id(frame)]
    peaks: dict[int, int] = {}
    for frame in found.all[:-1]:
        assert frame.param is not None and frame.result is not None  # the frame of a loop
        peaks[id(frame)] = _peak(frame, [frame.result], [frame.param] if frame.chained else [], peaks)
    results = [found.resolve(output.value) for output in network.outputs if not output.training]
    starts = [given.value for given in network.inputs]
    return Memory(_peak(found.outermost, results, starts, peaks), kept)


def size(value: Value) -> int:
    """The bytes of a tensor for one item of the batch."""
    return value.type.size * BYTES[value.type.dtype]


def _peak(frame: Frame, results: list[Value], starts: list[Value], peaks: dict[int, int]) -> int:
    """The largest sum of living tensors in one run of the frame; what it reads from around is not its own."""
    steps, _ = live(frame, results)
    last: dict[Value, int] = {}
    for index, step in enumerate(steps):
        last.update((value, index) for value in reads(step))
    last.update((value, len(steps)) for value in results)
    own = {*starts, *(step.output for step in steps)}
    dying: dict[int, list[Value]] = {}
    for value, index in last.items():
        if value in own:
            dying.setdefault(index, []).append(value)
    peak = alive = sum(map(size, starts))
    alive -= sum(size(value) for value in starts if value not in last)
    for index, step in enumerate(steps):
        if isinstance(step, Op):
            peak = max(peak, alive + size(step.output))
        else:
            moves = step.input in own and last.get(step.input) == index and step.input not in step.body.free
            peak = max(peak, alive + peaks[id(step.body)] - (size(step.input) if moves else 0))
        alive += size(step.output) - sum(map(size, dying.get(index, ())))
    return peak
