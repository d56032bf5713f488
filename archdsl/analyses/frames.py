"""A network with its calls written out and its names resolved: what the analyses of paths and time walk over.

    Frame           steps that run in order, each value made once
      Op            a layer over values
      Loop          another Frame, two times or more, each over what the one before gave

Modules leave no trace here, and a single copy is just its steps. The only frames inside frames are those of
repetitions; what a frame reads from around it is in `free`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archdsl.analyses.once import once
from archdsl.annotations import Union
from archdsl.graph import Apply, Network, Region, Repeat, Share, Value
from archdsl.records import NamedTuple, dataclass, field


class Renamed(NamedTuple):
    """A layer that reads values by other names, such as what arrives in a block; `inputs` are those that steps make."""

    apply: Apply
    inputs: tuple[Value, ...]
    output: Value


Op = Apply | Renamed
"""A layer, and the values it reads and makes. Most read just what they are written over, and stand for themselves."""


@dataclass(eq=False)
class Frame:
    """Steps over `param`, the value that arrives, if any; `result` leaves; `free` are values from around it.

    `chained`: the result needs what arrives. Where it does not, the last copy of a loop makes the others idle.
    """

    param: Value | None = None
    steps: list[Union[Op, Loop]] = field(default_factory=list)
    result: Value | None = None
    free: dict[Value, None] = field(default_factory=dict)
    chained: bool = True


class Loop(NamedTuple):
    """So many copies of a frame in sequence, two or more."""

    copies: int
    body: Frame
    input: Value
    output: Value

    @property
    def reads(self) -> tuple[Value, ...]:
        """What it needs: the value that arrives, and what its copies read from around."""
        return (self.input, *self.body.free) if self.body.chained else tuple(self.body.free)


Step = Union[Op, Loop]


def reads(step: Step) -> tuple[Value, ...]:
    """All values that a step needs."""
    return step.reads if isinstance(step, Loop) else step.inputs


class Frames(NamedTuple):
    """The frames of a network, inner ones before those around them, the network's own last.

    `alias` leads from a value that is just another name to the one that a step makes; `times` says how often
    each frame runs.
    """

    all: list[Frame]
    alias: dict[Value, Value]
    times: dict[int, int]  # by id of the frame

    @property
    def outermost(self) -> Frame:
        """The network's own frame."""
        return self.all[-1]

    def resolve(self, value: Value) -> Value:
        """The value that a step, an input or a loop makes."""
        return self.alias.get(value, value)


Visit = Iterator["Visit"]


@once
def frames(network: Network) -> Frames:
    """A network's frames; the time goes by the text, not its copies."""
    found = Frames([], {}, {})
    outermost = Frame()
    param = network.module.region.param
    if network.inputs and all(param is not given.value for given in network.inputs):
        found.alias[param] = network.inputs[0].value
    stack = [_visit(network.module.region, outermost, found)]
    while stack:  # the depth of the text is no depth of Python's stack
        inner = next(stack[-1], None)
        if inner is None:
            stack.pop()
        else:
            stack.append(inner)
    outermost.result = found.resolve(network.module.region.result)
    found.all.append(outermost)
    found.times[id(outermost)] = 1
    for frame in reversed(found.all):
        for step in frame.steps:
            if isinstance(step, Loop):
                found.times[id(step.body)] = found.times[id(frame)] * step.copies
    return found


def _visit(region: Region, frame: Frame, found: Frames) -> Visit:
    known = found.alias.keys()
    for step in region.steps:
        inner = step.again if isinstance(step, Share) else step
        if isinstance(inner, Apply):
            if not known or known.isdisjoint(inner.inputs):
                frame.steps.append(inner)
            else:
                frame.steps.append(Renamed(inner, tuple(map(found.resolve, inner.inputs)), inner.output))
        elif isinstance(inner, Repeat):
            current = found.resolve(inner.input)
            for count, body in inner.runs:
                if count == 1:
                    found.alias[body.param] = current
                    yield _visit(body, frame, found)
                    current = found.resolve(body.result)
                elif count > 1:
                    copy = Frame(body.param)
                    yield _visit(body, copy, found)
                    copy.result = found.resolve(body.result)
                    copy.free = _free(copy)
                    copy.chained = copy.param in live(copy, [copy.result])[1]
                    found.all.append(copy)
                    output = Value(body.result.type, step.span)
                    frame.steps.append(Loop(count, copy, current, output))
                    current = output
            found.alias[inner.output] = current
        else:
            found.alias[inner.module.region.param] = found.resolve(inner.input)
            yield _visit(inner.module.region, frame, found)
            found.alias[inner.output] = found.resolve(inner.module.region.result)


def _free(frame: Frame) -> dict[Value, None]:
    made = {frame.param, *(step.output for step in frame.steps)}
    needed = [value for step in frame.steps for value in reads(step)]
    if frame.result is not None:
        needed.append(frame.result)
    return {value: None for value in needed if value not in made}


def live(frame: Frame, results: Iterable[Value]) -> tuple[list[Step], set[Value]]:
    """The steps of a frame that its results need, in order, and all values that those read or make."""
    wanted = set(results)
    kept: list[Step] = []
    for step in reversed(frame.steps):
        if step.output in wanted:
            kept.append(step)
            wanted.update(step.inputs if isinstance(step, Op) else step.reads)
    return kept[::-1], wanted
