"""What the width of a CONV without one goes by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.graph import Apply, Share, Step, Value, regions
from archdsl.layers.base import Layer, Window
from archdsl.records import NamedTuple, new


class Memory(NamedTuple):
    """What the width of a CONV without one goes by: the last CONV's width, and whether a stride lies since.

    `fresh`: the CONV stands in the arm that is being elaborated, or in the file.
    """

    width: int | None = None
    strided: bool = False
    fresh: bool = False

    def behind(self, layer: Layer, inputs: Sequence[Value], output: Value) -> Memory:
        """What is remembered behind a layer."""
        if layer.spec == "CONV":
            return new(Memory, (output.type.shape[0], False, True))
        if self.strided:
            return self
        window = layer.window(*(value.type for value in inputs))
        strided = isinstance(window, Window) and any(s > 1 for s in window.stride)
        return self._replace(strided=True) if strided else self

    def again(self, step: Step, first: Memory) -> Memory:
        """What is remembered behind a submodule that is applied once more, after whose first use it was `first`."""
        inside = list(_layers(step))
        if any(apply.layer.spec == "CONV" for apply in inside):
            return first._replace(fresh=True)
        memory = self
        for apply in inside:
            memory = memory.behind(apply.layer, apply.inputs, apply.output)
        return memory


def _layers(step: Step) -> Iterator[Apply]:
    """All layers in a step."""
    waiting: list[Step] = [step]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Share):
            waiting.append(current.again)
        elif isinstance(current, Apply):
            yield current
        else:
            waiting += (inner for _, region in regions(current) for inner in region.steps)
