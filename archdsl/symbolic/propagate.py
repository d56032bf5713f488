"""The shapes of a network's values for other input sizes, without elaborating it again."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.graph import Apply, Call, Network, Region, Repeat, Share, Step, Value
from archdsl.layers.arguments import Mismatch
from archdsl.layers.base import Layer, LayerError
from archdsl.tensor import Shape, TensorType

Arriving = tuple[TensorType, ...]
MANY_AXES = 16  # a tensor of so many costs as much again
DEARER = 13  # so many known steps take the time of one that is new


class Refused(Exception):
    """The network cannot take these sizes: `step` cannot; `code` is the error's."""

    def __init__(self, step: Apply, code: str, why: str) -> None:
        super().__init__(why)
        self.step = step
        self.code = code


class NeedsSize(Exception):
    """The weights of `step` depend on a size that is open: on those of `symbols`, where these are known."""

    def __init__(self, step: Apply, symbols: tuple[str, ...] = ()) -> None:
        super().__init__("weights depend on the size")
        self.step = step
        self.symbols = symbols


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


class TooMuch(Exception):
    """Trying all the sizes that an answer hangs on takes too long."""


class Propagation:
    """A network through which sizes are sent; what a layer gives is worked out once for each input."""

    def __init__(self, network: Network, most: int) -> None:
        self.network = network
        self._left = most  # steps that may still be gone through
        self._fresh = most // DEARER  # among them those over types that their layers have not had
        self._given: dict[tuple[Layer, Arriving], TensorType] = {}
        self._held: dict[tuple[Layer, Arriving], object] = {}
        self._types = Types()

    def types(self, shapes: Mapping[str, Shape]) -> Types:
        """The type of every value where the inputs have these shapes, inside repetitions that of the last copy.

        The layers and their weights are those of the network. Raises Refused where a layer cannot take what arrives,
        NeedsSize where the shape of a weight would change, TooMuch past the limit.
        """
        self._types = Types()
        for given in self.network.inputs:
            self._types[given.value] = given.value.type._replace(shape=shapes[given.name])
        self._region(self.network.module.region)
        return self._types

    def _region(self, region: Region) -> TensorType:
        types, put = self._types, dict.__setitem__
        self._left -= len(region.steps) + 1
        if self._left < 0:
            raise TooMuch
        for step in region.steps:
            if isinstance(step, Apply):
                self._left -= len(step.inputs) - 1  # of joins with many arms
                x = tuple([types[value] for value in step.inputs])
                y = self._given.get((step.layer, x))
                y = self._apply(step, x) if y is None else y
                if step.output in types:  # in a copy behind the first
                    types[step.output] = y
                else:
                    put(types, step.output, y)
            else:
                types[step.output] = self._step(step)
        return types[region.result]

    def _step(self, step: Step) -> TensorType:
        types = self._types
        if isinstance(step, Share):
            return self._step(step.again)
        if isinstance(step, Apply):
            return self._apply(step, tuple([types[value] for value in step.inputs]))
        arriving = types[step.input]
        if isinstance(step, Call):
            types[step.module.region.param] = arriving
            return self._region(step.module.region)
        return self._repeat(step, arriving)

    def _apply(self, step: Apply, x: Arriving) -> TensorType:
        layer = step.layer
        if x == step.types:
            y = step.output.type
        else:
            self._fresh -= 1 + step.output.type.rank // MANY_AXES
            if self._fresh < 0:
                raise TooMuch
            try:
                y = layer.shape(*x)
            except (LayerError, Mismatch) as error:
                raise Refused(step, getattr(error, "code", "E122"), str(error)) from None
            if self._holds(layer, x) != self._holds(layer, step.types):
                raise NeedsSize(step)
            y = y._replace(batched=any(t.batched for t in x)) if x else y
        self._given[layer, x] = y
        return y

    def _holds(self, layer: Layer, x: Arriving) -> object:
        """The weights and buffers of a layer over these inputs."""
        if (layer, x) not in self._held:
            self._held[layer, x] = layer.weights(*x), layer.buffers(*x)
        return self._held[layer, x]

    def _repeat(self, step: Repeat, arriving: TensorType) -> TensorType:
        for run in step.runs:
            for _ in range(run.count):
                self._types[run.region.param] = arriving
                result = self._region(run.region)
                if result == arriving:  # so will all further copies be
                    break
                arriving = result
        return arriving
