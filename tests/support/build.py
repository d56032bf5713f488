"""Networks by hand, for tests of what comes behind the elaborator.

`network([Conv(...), Relu()], x=(3, 8, 8))` is a chain. Its items are layers and the tuples below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Union

from archdsl.graph import Apply, Call, Input, Module, Network, Output, Region, Repeat, Run, Share, Value
from archdsl.layers.base import Layer
from archdsl.layers.registry import layer_class
from archdsl.syntax.source import Source, Span
from archdsl.tensor import Shape, TensorType

HERE = Span(Source("built by hand"), 0, 5)


class Label(NamedTuple):
    """`name: item`."""

    name: str
    item: Any


class Block(NamedTuple):
    """A module of these items; without a title a group."""

    title: str
    items: Sequence[Any]


class Times(NamedTuple):
    """Copies of these items, as one run or as several."""

    counts: Union[int, tuple[int, ...]]
    items: Sequence[Any]


class Join(NamedTuple):
    """A layer over the results of arms; an empty arm is the identity."""

    layer: Layer
    arms: Sequence[Sequence[Any]]


class At(NamedTuple):
    """`@name`."""

    name: str


class Again(NamedTuple):
    """`share name`."""

    name: str


def layers(*names: str) -> list[Callable[..., Layer]]:
    """The classes of layers by their names in specs."""
    return [layer_class(name) for name in names]


class _Builder:
    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.steps: dict[str, Any] = {}
        self.sources: dict[str, tuple[str, Sequence[Any]]] = {}

    def region(self, items: Sequence[Any], param: Value) -> Region:
        region = Region(param)
        region.result = self.chain(items, param, region)
        return region

    def chain(self, items: Sequence[Any], value: Value, region: Region) -> Value:
        for item in items:
            value = self.step(item, value, region)
        return value

    def step(self, item: Any, value: Value, region: Region, label: str = "") -> Value:
        if isinstance(item, Label):
            result = self.step(item.item, value, region, item.name)
            self.values[item.name] = result
            return result
        if isinstance(item, At):
            return self.values[item.name]
        if isinstance(item, Times):
            counts = (item.counts,) if isinstance(item.counts, int) else item.counts
            runs, current = [], value
            for count in counts:
                body = self.region(item.items, Value(current.type))
                runs.append(Run(count, body))
                current = body.result
            repeat = Repeat(runs, value, Value(current.type), HERE)
            region.steps.append(repeat)
            return repeat.output
        if isinstance(item, Again):
            target = self.steps[item.name]
            share = Share(target, self.made(self.sources[item.name], value, region), HERE, label)
            region.steps.append(share)
            return share.output
        made = self.made(item, value, region, label)
        region.steps.append(made)
        if label:
            self.steps[label], self.sources[label] = made, item
        return made.output

    def made(self, item: Any, value: Value, region: Region, label: str = "") -> Apply | Call:
        if isinstance(item, Block):
            inside = self.region(item.items, Value(value.type))
            named = any(isinstance(i, (Label, Join, At, Again)) for i in item.items)
            module = Module(item.title, inside, not named)
            return Call(module, value, Value(inside.result.type), HERE, label)
        layer: Layer = item
        inputs: tuple[Value, ...] = (value,)
        if isinstance(item, Join):
            layer, inputs = item.layer, tuple(self.chain(arm, value, region) for arm in item.arms)
        if layer.arity[1] == 0:
            inputs = ()
        return Apply(layer, inputs, Value(layer.shape(*(v.type for v in inputs)), HERE), HERE, label)


def network(
    items: Sequence[Any],
    *,
    outputs: Sequence[str] = (),
    training: Sequence[str] = (),
    dtype: str = "float",
    **inputs: Shape,
) -> Network:
    """A network over these inputs; `outputs` and `training` are labels, without any the last value is `output`."""
    built = _Builder()
    given = [Input(name, Value(TensorType(shape, dtype)), None) for name, shape in (inputs or {"x": (3, 8, 8)}).items()]
    built.values.update((i.name, i.value) for i in given)
    region = built.region(items, given[0].value)
    results = [Output(name, built.values[name], name in training) for name in (*outputs, *training)]
    named = any(isinstance(item, (Label, Join, At, Again)) for item in items)
    module = Module("Built", region, not named)
    return Network("Built", module, given, results or [Output("output", region.result)], None, "built by hand")
