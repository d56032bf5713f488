"""The paths of submodules: names by label, by position or by kind and number, the same in every backend.

The rules are those of `docs/language.md`, "Labels and names"; the state_dict's keys are these paths with
the layers' own weights behind them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from archdsl.annotations import Union
from archdsl.graph import Apply, Call, Module, Network, Region, Repeat, Share
from archdsl.records import NamedTuple


class Child(NamedTuple):
    """A step of a module with its name; `repeats` is how many equal copies it stands for."""

    name: str
    step: Union[Apply, Call, Share]
    repeats: int = 1


class Numbering:
    """The names of one module's steps, given out in order; `skip` leaves room for copies that are not looked at."""

    def __init__(self, module: Module) -> None:
        self._positional = module.positional
        self._taken = set(_labels(module.region))
        self._counts: Counter[str] = Counter()
        self._position = 0

    def name(self, step: Union[Apply, Call, Share]) -> str:
        """The step's name in its module."""
        if step.label:
            return step.label
        if self._positional:
            self._position += 1
            return str(self._position - 1)
        kind = "share" if isinstance(step, Share) else step.kind  # it registers nothing, so takes no layer's number
        while True:
            self._counts[kind] += 1
            name = f"{kind}{self._counts[kind]}"
            if name not in self._taken:
                return name

    def mark(self) -> tuple[int, Counter[str]]:
        """The counters as they stand."""
        return self._position, Counter(self._counts)

    def skip(self, since: tuple[int, Counter[str]], times: int) -> None:
        """Count what has been named since the mark `times` more."""
        position, counts = since
        self._position += (self._position - position) * times
        for kind in self._counts:
            self._counts[kind] += (self._counts[kind] - counts[kind]) * times


def _labels(region: Region) -> Iterator[str]:
    for step in region.steps:
        if isinstance(step, Repeat):
            for run in step.runs:
                yield from _labels(run.region)
        elif step.label:
            yield step.label


def children(module: Module, *, unroll: bool = True) -> Iterator[Child]:
    """The named steps of a module in order.

    With `unroll` every copy is named; without it the first of each run of equal copies, with their number.
    """
    numbering = Numbering(module)

    def visit(region: Region, repeats: int) -> Iterator[Child]:
        for step in region.steps:
            if not isinstance(step, Repeat):
                yield Child(numbering.name(step), step, repeats)
                continue
            for run in step.runs:
                if unroll:
                    for _ in range(run.count):
                        yield from visit(run.region, 1)
                else:
                    mark = numbering.mark()
                    yield from visit(run.region, repeats * run.count)
                    numbering.skip(mark, run.count - 1)

    yield from visit(module.region, 1)


def leaves(network: Network, *, unroll: bool = True) -> Iterator[Child]:
    """All layers of a network with their whole paths (`layer1.0.conv1`), in order, shared ones at each use."""

    def visit(module: Module, prefix: str, repeats: int) -> Iterator[Child]:
        for name, step, times in children(module, unroll=unroll):
            inner = step.again if isinstance(step, Share) else step
            if isinstance(inner, Call):
                yield from visit(inner.module, f"{prefix}{name}.", repeats * times)
            else:
                yield Child(prefix + name, step, repeats * times)

    yield from visit(network.module, "", 1)
