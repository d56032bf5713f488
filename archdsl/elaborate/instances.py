"""A block that is called once more with the same arguments on a tensor of the same type: its graph is copied.

What a call gives hangs on the block's arguments, the type that arrives, what is remembered of the widths before it,
what follows it, and the blocks around it. All else that it reads, the file's names and defaults, holds until the next
statement of the file, which lets all that is kept go. Nothing has to be told of a copy: each finding would be that of
the first call once more.
"""

from __future__ import annotations

from archdsl.annotations import Any
from archdsl.diagnostics import Related
from archdsl.elaborate.labels import Entry, Level
from archdsl.elaborate.memory import Memory
from archdsl.elaborate.place import MOST_STEPS, Place, Tail
from archdsl.elaborate.values import BlockValue, Tensor, same
from archdsl.elaborate.work import MOST_WORK
from archdsl.graph import Apply, Call, Module, Region, Repeat, Run, Share, Step, Value
from archdsl.records import NamedTuple
from archdsl.syntax.source import Span


class Cost(NamedTuple):
    """What a run has spent on limits, and the sizes that it has read."""

    steps: int
    work: int
    reads: int


class First(NamedTuple):
    """A block's first call, and all that is needed to have it again at another place."""

    call: Call
    arriving: Value
    level: Level
    way: Related
    memory: Memory
    before: Cost
    after: Cost
    arguments: object  # kept, and so what `same` says of them


def spent(place: Place) -> Cost:
    """What the run has spent so far."""
    run = place.run
    return Cost(run.steps, run.work.done, len(run.work.reads))


def key_of(place: Place, callee: BlockValue, tail: Tail) -> object:
    """What is equal for calls that give the same; None where nothing sure arrives."""
    value = place.value
    if value is None or value.doubt:
        return None
    given = tuple([(name, _same(argument, value)) for name, argument, _ in callee.arguments])
    return id(callee.node), given, value.type, value.layout, place.memory, tail, place.blocks


def _same(argument: Any, arriving: Value) -> object:
    return "in" if isinstance(argument, Tensor) and argument.value is arriving else same(argument)


def again(place: Place, first: First, span: Span, label: str) -> Call | None:
    """The call at this place, on what arrives here; None where that would be past a limit."""
    run, before, after = place.run, first.before, first.after
    steps, work = after.steps - before.steps, after.work - before.work
    if run.steps + steps > MOST_STEPS or run.work.done + work > MOST_WORK:
        return None
    run.steps += steps
    run.work.done += work
    assert place.value is not None  # there is a key
    copy = Copy(first, place.value, Related(span, first.way.text))
    made = copy.call(first.call, span, label)
    made.output.hint = ""  # which is the first call's label
    if run.symbols:
        reads = run.work.reads[before.reads : after.reads]
        run.work.reads += [(where, copy.moved.get(value, value), axes) for where, value, axes in reads]
    for name, entries in first.level.inside.items():
        for entry in entries:
            place.level.enter_inside(name, copy.entry(entry))
    place.region.steps.append(made)
    place.memory = first.memory
    place.advance(made.output)
    return made


class Copy:
    """The graph of a call with values of its own; `moved` leads from each value to the one in its place."""

    def __init__(self, first: First, arriving: Value, way: Related) -> None:
        self.moved: dict[Value | None, Value] = {first.arriving: arriving}
        self._made: dict[Step, Step] = {}  # the labelled ones
        self._ways = first.way, way

    def entry(self, entry: Entry) -> Entry:
        """What a label stands for."""
        step: Any = entry.step and self._made[entry.step]
        return entry._replace(value=self.moved.get(entry.value, entry.value), step=step)

    def call(self, call: Call, span: Span, label: str) -> Call:
        """A block or group."""
        module, arriving = call.module, self._at(call.input)
        region = self._region(module.region, arriving)
        arguments = tuple([(name, self._argument(value)) for name, value in module.arguments])
        copy = Module(module.title, region, module.positional, arguments)
        return Call(copy, arriving, self._result(call.output, module.region.result, region.result), span, label)

    def _at(self, value: Value) -> Value:
        return self.moved.get(value, value)

    def _argument(self, value: Any) -> Any:
        return Tensor(self.moved.get(value.value, value.value)) if isinstance(value, Tensor) else value

    def _value(self, value: Value) -> Value:
        """A value that a layer made, in words of the new place."""
        old, new = self._ways
        way = new if value.way is old else value.way
        copy = Value(value.type, value.span, value.origin, value.hint, value.layout, value.doubt, way)
        self.moved[value] = copy
        return copy

    def _result(self, value: Value, result: Value, copy: Value) -> Value:
        """What leaves a region, seen from outside: the same tensor, unless a `share` has its own words for it."""
        if value.span is not result.span or value.origin is not result.origin or value.way is not result.way:
            return self._value(value)
        self.moved[value] = seen = copy.again(value.hint)
        return seen

    def _region(self, region: Region, arriving: Value) -> Region:
        self.moved[region.param] = param = arriving.again(region.param.hint)
        steps = [self._step(step) for step in region.steps]
        return Region(param, steps, self._at(region.result))

    def _step(self, step: Step) -> Step:
        made: Step
        if isinstance(step, Apply):
            inputs = tuple([self._at(value) for value in step.inputs])
            output = self._value(step.output)
            made = Apply(step.layer, inputs, output, step.span, step.label, step.written, step.implied)
        elif isinstance(step, Call):
            made = self.call(step, step.span, step.label)
        elif isinstance(step, Repeat):
            return self._repeat(step)
        else:
            target, once_more = self._made.get(step.target, step.target), self._step(step.again)
            made = Share(target, once_more, step.span, step.label)  # type: ignore[arg-type]  # each is of its own kind
        if step.label:
            self._made[step] = made
        return made

    def _repeat(self, step: Repeat) -> Repeat:
        arriving = value = self._at(step.input)
        runs: list[Run] = []
        for run in step.runs:
            region = self._region(run.region, value)
            runs.append(Run(run.count, region))
            value = region.result.again()
        value.hint = step.output.hint
        self.moved[step.output] = value
        return Repeat(runs, arriving, value, step.span)
