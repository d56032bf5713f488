"""What a network wants of data: its inputs, and what its end says of the targets."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.graph import Apply, Call, Network, Repeat, Step, Value
from archdsl.layers.embedding import Embedding
from archdsl.syntax.source import Span
from archdsl.tensor import Shape


class WantedInput(NamedTuple):
    """An input of the spec; `axis` is the one of its channels, `span` where it is declared.

    `known` is how many ids an EMBEDDING that reads it knows, None where there is none.
    """

    name: str
    shape: Shape
    ids: bool
    axis: int
    span: Span | None
    known: int | None = None

    @property
    def open(self) -> bool:
        """Whether a size is left open: it is a number of another class then, which knows its symbol."""
        return any(type(size) is not int for size in self.shape)


class Wanted(NamedTuple):
    """`end` is "SOFTMAX" or "SIGMOID" where that ends the network, else "".

    `output` is the shape of the first output, `axis` the one over which its scores lie, if they are scores of classes;
    `scorer` is the layer that gives them.
    """

    inputs: tuple[WantedInput, ...]
    output: Shape
    axis: int
    end: str
    scorer: Apply | None

    @property
    def scores(self) -> int:
        """How many scores there are for a sample, or for a position of it."""
        return self.output[self.axis] if self.output else 1

    @property
    def span(self) -> Span | None:
        """The place in the spec that decides how many scores there are."""
        return None if self.scorer is None else self.scorer.span

    @property
    def positions(self) -> Shape:
        """The shape of the target where it is a class for each position; () where a sample has one class."""
        return self.output[: self.axis] + self.output[self.axis + 1 :]


def wanted(network: Network) -> Wanted:
    """What this network wants."""
    inputs = tuple(
        WantedInput(
            i.name, i.value.type.shape, i.value.type.dtype != "float", _axis(i.value), i.span, _ids(i.value, network)
        )
        for i in network.inputs
    )
    output = next(o.value for o in network.outputs if not o.training)
    makers = _makers(output, network.module.region.steps)
    final = makers[0] if makers else None
    end = final.layer.spec if final is not None and final.layer.spec in ("SOFTMAX", "SIGMOID") else ""
    scorer = next((m for m in makers if m.layer.spec in _SCORERS), None)
    return Wanted(inputs, output.type.shape, _axis(output), end, scorer)


def _ids(value: Value, network: Network) -> int | None:
    steps = network.module.region.steps
    tables = [s.layer for s in steps if isinstance(s, Apply) and s.layer.spec == "EMBEDDING" and s.inputs == (value,)]
    return min((table.count for table in tables if isinstance(table, Embedding)), default=None)


_SCORERS = ("FC", "LINEAR", "CONV", "UPCONV")


def _axis(value: Value) -> int:
    """The axis of the channels: the last one of a sequence, else the first."""
    return value.type.rank - 1 if value.layout == "sequence" and value.type.rank else 0


def _makers(value: Value, steps: list[Step]) -> list[Apply]:
    """The layers that a value came through, the last one first, as far as each reads one tensor alone."""
    found: list[Apply] = []
    made = {step.output: step for step in steps}
    while value in made:
        step = made[value]
        if isinstance(step, Apply):
            found.append(step)
            if len(step.inputs) != 1:
                break
            value = step.inputs[0]
        elif isinstance(step, (Call, Repeat)):
            region = step.module.region if isinstance(step, Call) else step.runs[-1].region
            found += _makers(region.result, region.steps)
            value = step.input
        else:
            break
    return found
