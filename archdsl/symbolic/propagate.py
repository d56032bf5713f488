"""The shapes of a network's values for other input sizes, without elaborating it again."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.graph import Apply, Call, Network, Region, Repeat, Share, Step, Value
from archdsl.layers.arguments import Mismatch
from archdsl.layers.base import LayerError
from archdsl.tensor import Shape, TensorType


class Refused(Exception):
    """The network cannot take these sizes: `step` cannot; `code` is the error's."""

    def __init__(self, step: Apply, code: str, why: str) -> None:
        super().__init__(why)
        self.step = step
        self.code = code


class NeedsSize(Exception):
    """The weights of `step` depend on a size that is open."""

    def __init__(self, step: Apply) -> None:
        super().__init__("weights depend on the size")
        self.step = step


class Types(dict[Value, TensorType]):
    """Types of values; `differ` are the values, with an axis each, whose sizes are not the same in all copies."""

    def __init__(self) -> None:
        super().__init__()
        self.differ: set[tuple[Value, int]] = set()

    def __setitem__(self, value: Value, type: TensorType) -> None:
        before = self.get(value, type)
        if before != type:
            self.differ |= {(value, i) for i, (m, n) in enumerate(zip(before.shape, type.shape)) if m != n}
        super().__setitem__(value, type)


def propagate(network: Network, shapes: Mapping[str, Shape]) -> Types:
    """The type of every value where the inputs have these shapes, inside repetitions that of the last copy.

    The layers and their weights are those of the network. Raises Refused where a layer cannot take what arrives,
    NeedsSize where the shape of a weight would change.
    """
    types = Types()
    for given in network.inputs:
        types[given.value] = given.value.type._replace(shape=shapes[given.name])
    _region(network.module.region, types)
    return types


def _region(region: Region, types: dict[Value, TensorType]) -> TensorType:
    for step in region.steps:
        types[step.output] = _step(step, types)
    return types[region.result]


def _step(step: Step, types: dict[Value, TensorType]) -> TensorType:
    if isinstance(step, Share):
        return _step(step.again, types)
    if isinstance(step, Apply):
        return _apply(step, types)
    arriving = types[step.input]
    if isinstance(step, Call):
        types[step.module.region.param] = arriving
        return _region(step.module.region, types)
    return _repeat(step, arriving, types)


def _apply(step: Apply, types: dict[Value, TensorType]) -> TensorType:
    x = tuple(types[value] for value in step.inputs)
    if x == step.types:
        return step.output.type
    try:
        y = step.layer.shape(*x)
    except (LayerError, Mismatch) as error:
        raise Refused(step, getattr(error, "code", "E122"), str(error)) from None
    if step.layer.weights(*x) != step.layer.weights(*step.types) or step.layer.buffers(*x) != step.layer.buffers(
        *step.types
    ):
        raise NeedsSize(step)
    return y._replace(batched=any(t.batched for t in x)) if x else y


def _repeat(step: Repeat, arriving: TensorType, types: dict[Value, TensorType]) -> TensorType:
    for run in step.runs:
        for _ in range(run.count):
            types[run.region.param] = arriving
            result = _region(run.region, types)
            if result == arriving:  # so will all further copies be
                break
            arriving = result
    return arriving
