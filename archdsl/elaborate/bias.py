"""Which convolutions have a bias: none where, in the same block or file, the next step is a BN and nothing else reads.

It is decided when the whole graph is there, since a branch, a choice or a copy may be what comes next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from archdsl.graph import Apply, Call, Network, Region, Repeat, Run, Share, Step, Value, regions, step_input
from archdsl.layers.base import Layer
from archdsl.records import fields, replace


class Readers:
    """Who reads each value: `reads` are all steps at once, `flows` are alternatives, one for each copy of a region.

    Where there is no BN, nobody asks for the layers among them, which are left out.
    """

    def __init__(self, network: Network) -> None:
        self.reads: defaultdict[Value, list[Apply | Value | None]] = defaultdict(list)  # None: anything else
        self.flows: defaultdict[Value, list[Value | None]] = defaultdict(list)
        self.layers: list[Apply] = []
        self.repeats: list[Repeat] = []  # each behind those inside
        self.shares: list[Share] = []
        for output in network.outputs:
            self.reads[output.value].append(None)
        self._region(network.module.region)
        self.norms = any(step.layer.spec == "BN" for step in self.layers)
        for step in self.layers if self.norms else ():
            for value in step.inputs:
                self.reads[value].append(step)

    def _region(self, region: Region) -> None:
        reads = self.reads
        for step in region.steps:
            if isinstance(step, Apply):
                self.layers.append(step)
            elif isinstance(step, Call):
                block = bool(step.module.title)
                reads[step.input].append(None if block else step.module.region.param)
                self.flows[step.module.region.result].append(None if block else step.output)
                self._region(step.module.region)
            elif isinstance(step, Repeat):
                self._repeat(step)
            else:
                self.shares.append(step)
                for value in step_input(step):
                    reads[value].append(None)

    def _repeat(self, step: Repeat) -> None:
        self.reads[step.input].append(step.runs[0].region.param)
        for run, after in zip(step.runs, [*step.runs[1:], None]):
            if run.count > 1:
                self.flows[run.region.result].append(run.region.param)
            self.flows[run.region.result].append(after.region.param if after else step.output)
            self._region(run.region)
        self.repeats.append(step)

    def only_a_norm(self, value: Value) -> bool:
        """Whether the value goes into one BN and nowhere else, whichever copy it is in."""
        if not self.norms:
            return False
        readers = self.reads.get(value, ())
        if len(readers) == 1 and isinstance(readers[0], Apply):  # as most are
            return value not in self.flows and readers[0].layer.spec == "BN"
        waiting, seen = [value], {value}
        while waiting:
            current = waiting.pop()
            readers, flows = self.reads.get(current, ()), self.flows.get(current, ())
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
    decided: dict[Layer, bool] = {}
    others: dict[Layer, Layer] = {}  # by a layer that is decided, the same one decided otherwise
    for step in [step for step in readers.layers if getattr(step.layer, "bias", False) is None]:
        bias = not readers.only_a_norm(step.output)
        layer = step.layer
        if decided.setdefault(layer, bias) is not bias:
            if layer not in others:
                others[layer] = replace(layer, bias=bias)  # type: ignore[call-arg]  # it has the field: it was None
            step.layer = others[layer]
        if not bias:
            step.implied = (*step.implied, ("bias", False))
    for layer, bias in decided.items():
        object.__setattr__(layer, "bias", bias)  # frozen, but no other's yet: a copy of each takes its time
    for share in readers.shares:
        _share(share, others)
    for repeat in readers.repeats:
        _merge(repeat)


def _share(step: Step, others: Mapping[Layer, Layer]) -> None:
    """What is applied once more has a bias where the first has."""
    if isinstance(step, Share):
        for first, again in zip(_layers(step.target), _layers(step.again)):
            if first.layer in (again.layer, others.get(again.layer)):
                again.layer, again.implied = first.layer, first.implied
    for _, inner in regions(step):
        for other in inner.steps:
            _share(other, others)


def _layers(step: Step) -> Iterator[Apply]:
    if isinstance(step, Apply):
        yield step
    for _, region in regions(step):
        for inner in region.steps:
            yield from _layers(inner)


def _merge(step: Repeat) -> None:
    merged: list[Run] = []
    for run in step.runs:
        if merged and run.region.param.type == run.region.result.type and alike(merged[-1].region, run.region):
            merged[-1] = Run(merged[-1].count + run.count, run.region)
        else:
            merged.append(run)
    step.runs = merged


def alike(first: Region, second: Region) -> bool:
    """Whether two regions are copies of each other: the same layers over the same types, joined in the same way."""
    return shape_of(first) == shape_of(second)


def shape_of(region: Region, known: Iterable[Value] = (), *, types: bool = True) -> object:
    """What a region is made of, equal for copies of it: layers, labels, how they are joined, and the types.

    Without `types` copies that differ in these alone are equal too, and so are runs of them. `known` are the
    values from around it, by their order.
    """
    numbers: dict[Value, object] = {}

    def key(value: Value) -> object:
        return numbers.get(value, value)

    def number(value: Value) -> None:
        numbers.setdefault(value, (len(numbers), value.type if types else None))

    def visit(inner: Region) -> object:
        number(inner.param)
        return tuple(visit_step(step) for step in inner.steps), key(inner.result)

    def visit_copy(inner: Region) -> object:
        outer = dict(numbers)
        found = visit(inner)
        if not types:  # copies are numbered alike
            numbers.clear()
            numbers.update(outer)
        return found

    def visit_step(step: Step) -> object:
        if isinstance(step, Apply):
            values = tuple((f.name, repr(getattr(step.layer, f.name))) for f in fields(step.layer))
            found: object = (step.layer.spec, values, step.label, tuple(map(key, step.inputs)))
        elif isinstance(step, Call):
            found = (step.module.title, step.label, step.module.positional, key(step.input), visit(step.module.region))
        elif isinstance(step, Repeat):
            runs: list[tuple[int, object]] = []
            for run in step.runs:
                copy = visit_copy(run.region)
                if not types and runs and runs[-1][1] == copy:
                    runs[-1] = runs[-1][0] + run.count, copy
                else:
                    runs.append((run.count, copy))
            found = (key(step.input), tuple(runs))
        else:
            found = (key(step.target.output), visit_step(step.again))
        number(step.output)
        return found

    for value in known:
        number(value)
    return visit(region)
