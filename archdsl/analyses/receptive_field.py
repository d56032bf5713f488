"""How much of the input one position of a tensor sees."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, inf

from archdsl.analyses import paths
from archdsl.analyses.frames import Frames, Loop, frames
from archdsl.analyses.once import once
from archdsl.analyses.paths import START, Paths, Reach
from archdsl.graph import Apply, Network, Value
from archdsl.layers.base import EARLIER, EVERYTHING, WHOLE
from archdsl.records import NamedTuple
from archdsl.tensor import Shape, TensorType


class Field(NamedTuple):
    """Positions of the input by axis: how many one position sees, how far neighbours' centres lie apart, and where
    the field of the first one starts: below 0 where it reaches into the padding.

    Position i sees those from start + i*stride on. `everything`: each number sees the whole input and has no place in
    it, and the rest is empty. `whole`: each position sees all of them or, where `behind` is a number, all up to so many
    behind its own.
    """

    size: tuple[int, ...]
    stride: tuple[Fraction, ...]
    start: tuple[Fraction, ...]
    everything: bool = False
    whole: bool = False
    behind: int | None = None

    @property
    def centre(self) -> tuple[Fraction, ...]:
        """The middle of the first position's field."""
        return tuple(start + Fraction(size - 1, 2) for start, size in zip(self.start, self.size))

    def __str__(self) -> str:
        return "everything" if self.everything else "x".join(map(str, self.size))


@once
def fields(network: Network) -> dict[Value, Field]:
    """The receptive field of every value that an input reaches, inside repetitions that of the last copy.

    r_out = r_in + (extent - 1)*jump, start_out = start_in - padding*jump, jump_out = jump*stride, from r = jump = 1
    and start = 0 at the input (Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
    Distill 2019); joins see all that an arm sees, several inputs likewise. A layer whose outputs stand nowhere and see
    all, a change of the number of axes between two windows, and all that follows see everything. What mixes all
    positions, such as attention or an LSTM, sees the whole input, or what is before where it is causal. What padding
    adds counts as input: the field may exceed it. Behind upsampling, where jumps are fractions, it is an upper bound.
    """
    found, reached = frames(network), reaches(network)
    whole = positions(network, found) if network.inputs else ()
    result = {given.value: _field({given.value: paths.ITSELF}, given.value.type, whole) for given in network.inputs}
    for frame in found.all:
        for value in (*(step.output for step in frame.steps), *((frame.param,) if frame.param else ())):
            field = _field(reached.reach(value), value.type, whole)
            if field is not None:
                result[value] = field
    seen = {value: field for value, field in result.items() if field is not None}
    for value in found.alias:
        target = found.resolve(value)
        if target in seen:
            seen[value] = seen[target]
    return seen


def positions(network: Network, found: Frames) -> Shape:
    """The sizes of the first input without its channels or features, which are no positions.

    Features are the last axis where a layer takes the input for a sequence before one takes it for a map.
    """
    given = network.inputs[0].value
    reached = {given}
    for frame in reversed(found.all):
        for step in frame.steps:
            if isinstance(step, Loop):
                if step.input in reached and step.body.param is not None:
                    reached |= {step.body.param, step.output}
            elif not reached.isdisjoint(step.inputs):
                taken = step.apply.layer.taken()
                if taken in ("map", "sequence"):
                    return (given.type.shape[:-1] if taken == "sequence" else given.type.shape[1:]) or given.type.shape
                if not taken:
                    reached.add(step.output)
    return given.type.shape[1:] or given.type.shape


def receptive_fields(network: Network) -> dict[Value, Shape]:
    """The sizes alone, by axis of a map; everything is the size of the first input's axes, see `positions`."""
    if not network.inputs:
        return {}
    whole = positions(network, frames(network))
    return {value: whole if field.everything else field.size for value, field in fields(network).items()}


@once
def receptive_field(network: Network) -> Field | None:
    """What one position of the last map sees: that of the first output, or where it sees everything that of what mixes
    all positions before it, or else the largest field that some tensor has; None where no input reaches the output."""
    every = fields(network)
    field = every.get(network.outputs[0].value)
    if field is not None and field.everything:
        return max((f for f in every.values() if not f.everything), key=lambda f: (f.whole, f.size), default=field)
    return field


@once
def reaches(network: Network) -> Paths:
    """How far the paths to each value reach, layer by layer."""
    return Paths(frames(network), effect)


_ALL = {EVERYTHING: paths.EVERYTHING, WHOLE: paths.WHOLE, EARLIER: paths.EARLIER}


def effect(apply: Apply) -> Reach:
    """What a layer does to the field of what it reads."""
    window = apply.layer.window(*apply.types)
    if window is None:
        return paths.ITSELF
    if isinstance(window, str):
        return _ALL[window]
    before = window.before or tuple(Fraction(extent - 1, 2) for extent in window.extent)
    axes = zip(window.extent, window.stride, before)
    return Reach(tuple((b, extent - 1 - b, stride) for extent, stride, b in axes))


def _field(form: paths.Form, type: TensorType, whole: Shape) -> Field | None:
    reach: Reach | None = None
    for source, found in form.items():
        if source is not START:
            reach = found if reach is None else paths.join(reach, found)
    if reach is None:
        return None
    if reach.everything:
        return Field((), (), (), True)
    if any(before == inf for before, _, _ in reach.axes):
        behind = max(after for _, after, _ in reach.axes)
        return Field(whole, (), (), whole=True, behind=None if behind == inf else ceil(behind))
    sizes = tuple(ceil(before + after) + 1 for before, after, _ in reach.axes)
    strides = tuple(Fraction(jump) for *_, jump in reach.axes)
    starts = tuple(-Fraction(before) for before, _, _ in reach.axes)
    times = max(1, type.rank - 1) if reach.any_rank else 1  # a thousand axes that are alike cost no more than one
    return Field(sizes * times, strides * times, starts * times)
