"""The layers of a network in the order in which they run, with their paths, their weights' paths and their tensors."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.analyses.once import once
from archdsl.annotations import Union
from archdsl.graph import Apply, Call, Network, Region, Repeat, Share, Value
from archdsl.naming import Numbering
from archdsl.records import NamedTuple


class Use(NamedTuple):
    """A layer at one place: `path` is its own, `owner` that of its weights, another one where it is shared.

    `inputs` and `output` are tensors by number; `times` is the number of equal copies that it stands for.
    """

    path: str
    owner: str
    apply: Apply
    inputs: tuple[int, ...]
    output: int
    times: int = 1

    @property
    def shared(self) -> bool:
        """Whether its weights are those of another place."""
        return self.path != self.owner


Found = Union[Use, Iterator["Found"]]


@once
def uses(network: Network) -> list[Use]:
    """The layers of a network in order, the first of equal copies with their number."""
    return list(Walk(network, unroll=False))


class Walk:
    """One pass over a network's layers: iterate, then read `tensors`, the number behind each value.

    With `unroll` all copies of a repetition come; without it the first of each run of equal ones, with their
    number. The inputs are numbered first, in order. A value of a repeated region stands for its last copy.
    """

    def __init__(self, network: Network, *, unroll: bool = True) -> None:
        self.network = network
        self.tensors: dict[Value, int] = {}
        self._unroll = unroll
        self._count = 0
        self._paths: dict[Union[Apply, Call], str] = {}

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def __iter__(self) -> Iterator[Use]:
        for given in self.network.inputs:
            self.tensors[given.value] = self._new()
        module = self.network.module
        if module.region.param not in self.tensors and self.network.inputs:
            self.tensors[module.region.param] = self.tensors[self.network.inputs[0].value]
        stack = [self._visit(module.region, Numbering(module), "", "", 1)]
        while stack:  # regions inside regions on a stack of our own: their depth is the text's
            found = next(stack[-1], None)
            if found is None:
                stack.pop()
            elif isinstance(found, Use):
                yield found
            else:
                stack.append(found)

    def _visit(self, region: Region, numbering: Numbering, prefix: str, owner: str, times: int) -> Iterator[Found]:
        """The uses of a region, and for each region inside an iterator that must be run to its end first."""
        for step in region.steps:
            if isinstance(step, Repeat):
                current = self.tensors[step.input]
                for count, body in step.runs:
                    mark = numbering.mark()
                    for _ in range(count if self._unroll else min(count, 1)):
                        self.tensors[body.param] = current
                        inside = times if self._unroll else times * count
                        yield self._visit(body, numbering, prefix, owner, inside)
                        current = self.tensors[body.result]
                    if not self._unroll and count > 1:
                        numbering.skip(mark, count - 1)
                self.tensors[step.output] = current
                continue
            name = numbering.name(step)
            inner = step.again if isinstance(step, Share) else step
            source = self._paths[step.target] if isinstance(step, Share) else owner + name
            self._paths[inner] = source
            if isinstance(inner, Apply):
                inputs = tuple([self.tensors[value] for value in inner.inputs])
                self.tensors[inner.output] = output = self._new()
                yield Use(prefix + name, source, inner, inputs, output, times)
            else:
                module = inner.module
                self.tensors[module.region.param] = self.tensors[inner.input]
                yield self._visit(module.region, Numbering(module), f"{prefix}{name}.", f"{source}.", times)
                self.tensors[inner.output] = self.tensors[module.region.result]
