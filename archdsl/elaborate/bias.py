"""Which convolutions have a bias: none where, in the same block or file, the next step is a BN and nothing else reads.

It is decided when the whole graph is there, since a branch, a choice or a copy may be what comes next.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator

from archdsl.graph import Apply, Call, Network, Region, Repeat, Run, Share, Step, Value, regions, step_input


class Readers:
    """Who reads each value: `reads` are all steps at once, `flows` are alternatives, one for each copy of a region."""

    def __init__(self, network: Network) -> None:
        self.reads: defaultdict[Value, list[Apply | Value | None]] = defaultdict(list)  # None: anything else
        self.flows: defaultdict[Value, list[Value | None]] = defaultdict(list)
        self.undecided: list[Apply] = []
        for output in network.outputs:
            self.reads[output.value].append(None)
        self._region(network.module.region)

    def _region(self, region: Region) -> None:
        for step in region.steps:
            self._step(step)

    def _step(self, step: Step) -> None:
        if isinstance(step, Apply):
            for value in step.inputs:
                self.reads[value].append(step)
            if getattr(step.layer, "bias", False) is None:
                self.undecided.append(step)
        elif isinstance(step, Call):
            block = bool(step.module.title)
            self.reads[step.input].append(None if block else step.module.region.param)
            self.flows[step.module.region.result].append(None if block else step.output)
            self._region(step.module.region)
        elif isinstance(step, Repeat):
            self.reads[step.input].append(step.runs[0].region.param)
            for run, after in zip(step.runs, [*step.runs[1:], None]):
                if run.count > 1:
                    self.flows[run.region.result].append(run.region.param)
                self.flows[run.region.result].append(after.region.param if after else step.output)
                self._region(run.region)
        else:
            for value in step_input(step):
                self.reads[value].append(None)

    def only_a_norm(self, value: Value) -> bool:
        """Whether the value goes into one BN and nowhere else, whichever copy it is in."""
        waiting, seen = [value], {value}
        while waiting:
            current = waiting.pop()
            readers, flows = self.reads[current], self.flows[current]
            if len(readers) + bool(flows) != 1:
                return False
            if readers and isinstance(readers[0], Apply):
                if readers[0].layer.spec != "BN":
                    return False
                continue
            for target in (*(r for r in readers if not isinstance(r, Apply)), *flows):
                if target is None:
                    return False
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return True


def decide_biases(network: Network) -> None:
    """Give every layer whose bias is left to the rule one or none; then join runs that came out equal."""
    readers = Readers(network)
    for step in readers.undecided:
        bias = not readers.only_a_norm(step.output)
        step.layer = dataclasses.replace(step.layer, bias=bias)  # type: ignore[call-arg]  # it has the field: it was None
        if not bias:
            step.implied = (*step.implied, ("bias", False))
    _share(network.module.region)
    _merge(network.module.region)


def _share(region: Region) -> None:
    """What is applied once more has a bias where the first has."""
    for step in region.steps:
        if isinstance(step, Share):
            for first, again in zip(_layers(step.target), _layers(step.again)):
                if getattr(again.layer, "bias", False) is None and first.layer.spec == again.layer.spec:
                    bias = getattr(first.layer, "bias", None)
                    again.layer = dataclasses.replace(again.layer, bias=bias)  # type: ignore[call-arg]  # as above
                    again.implied = first.implied
        for _, inner in regions(step):
            _share(inner)


def _layers(step: Step) -> Iterator[Apply]:
    if isinstance(step, Apply):
        yield step
    for _, region in regions(step):
        for inner in region.steps:
            yield from _layers(inner)


def _merge(region: Region) -> None:
    for step in region.steps:
        if isinstance(step, Call):
            _merge(step.module.region)
        elif isinstance(step, Repeat):
            for run in step.runs:
                _merge(run.region)
            merged: list[Run] = []
            for run in step.runs:
                if merged and run.region.param.type == run.region.result.type and alike(merged[-1].region, run.region):
                    merged[-1] = Run(merged[-1].count + run.count, run.region)
                else:
                    merged.append(run)
            step.runs = merged


def alike(first: Region, second: Region) -> bool:
    """Whether two regions are copies of each other: the same layers over the same types, joined in the same way."""
    return _shape(first) == _shape(second)


def _shape(region: Region) -> object:
    numbers: dict[Value, object] = {}

    def key(value: Value) -> object:
        return numbers.get(value, value)

    def number(value: Value) -> None:
        numbers[value] = (len(numbers), value.type)

    def visit(inner: Region) -> object:
        number(inner.param)
        return tuple(visit_step(step) for step in inner.steps), key(inner.result)

    def visit_step(step: Step) -> object:
        if isinstance(step, Apply):
            fields = tuple((f.name, repr(getattr(step.layer, f.name))) for f in dataclasses.fields(step.layer))
            found: object = (step.layer.spec, fields, step.label, tuple(map(key, step.inputs)))
        elif isinstance(step, Call):
            found = (step.module.title, step.label, step.module.positional, key(step.input), visit(step.module.region))
        elif isinstance(step, Repeat):
            found = (key(step.input), tuple((run.count, visit(run.region)) for run in step.runs))
        else:
            found = (step.target, visit_step(step.again))
        number(step.output)
        return found

    return visit(region)
