"""The Recorder that layers write themselves to: nodes by name, constants once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archdsl.annotations import Any
from archdsl.backends.onnx import wire
from archdsl.records import NamedTuple, dataclass, field
from archdsl.shapes.late import Late, SizeNeeded, Term

STORED = {"float": "<f4", "int": "<i8", "bool": "|b1"}
"""numpy's names of our element types as ONNX stores them: little-endian, whatever the machine."""


@dataclass
class Node:
    """A node as it was recorded, by the layer at `scope`; its outputs may still be renamed."""

    operator: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, wire.Attribute]
    scope: str = ""
    domain: str = ""

    def bytes(self) -> bytes:
        """The NodeProto."""
        return wire.node(self.operator, self.name, self.inputs, self.outputs, self.attributes, self.domain)


class Constant(NamedTuple):
    """A small tensor whose values the graph knows: element type, shape and data."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass
class GraphRecorder:
    """Collects what layers record; `scope` is the path of the layer that is recording.

    A node is called `path/Operator`, and so is the tensor that it makes (`path/Operator:1` the second of
    several); numbers tell apart what would be equal. Constants are initializers, each value once. Sizes that a run
    alone knows are computed by nodes of the layer that asks for them.
    """

    opset: int
    scope: str = ""
    recorded: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names: dict[Constant, str] = {}
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}
        self._sizes: dict[tuple[str, Term], str] = {}

    def reserve(self, name: str) -> str:
        """The name, or where a tensor has it already the name with a number; no other tensor will get it."""
        found = name
        while found in self._taken:
            self._counts[name] = self._counts.get(name, 1) + 1
            found = f"{name}_{self._counts[name]}"
        self._taken.add(found)
        return found

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output; the output's name."""
        return self.nodes(operator, inputs, 1, **attributes)[0]

    def nodes(self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs; their names."""
        name = self.reserve(f"{self.scope}/{operator}" if self.scope else operator)
        names = [name, *(self.reserve(f"{name}:{i}") for i in range(1, outputs))]
        given = {key: value for key, value in attributes.items() if value is not None}
        for value in given.values():
            if isinstance(value, Late) or (isinstance(value, list) and any(isinstance(n, Late) for n in value)):
                raise SizeNeeded
        self.recorded.append(Node(operator, name, list(inputs), names, given, self.scope))
        return list(names)

    def constant(self, values: Any, dtype: str = "float") -> str:
        """The name of a tensor with these values: a number or nested lists, or a list of sizes, known or not."""
        if isinstance(values, list) and any(isinstance(value, Late) for value in values):
            parts = [self._size(v.term) if isinstance(v, Late) else self.constant([v], "int") for v in values]
            return self.node("Concat", parts, axis=0) if len(parts) > 1 else parts[0]
        array = np.asarray(values, dtype=STORED[dtype])
        made = Constant(dtype, array.shape, array.tobytes())
        if made not in self._names:
            self._names[made] = self.reserve(f"constant:{len(self._names)}")
            self.constants[self._names[made]] = made
        return self._names[made]

    def _size(self, term: Term) -> str:
        """The name of a tensor of one number that is computed in the run."""
        if isinstance(term, int):
            return self.constant([term], "int")
        key = self.scope, term
        if key not in self._sizes:
            operator, *given = term
            if operator == "Shape":
                tensor, axis = given
                self._sizes[key] = self.node("Shape", [tensor], start=axis, end=axis + 1)
            else:
                left, right = map(self._size, given)
                if operator == "Div":  # ONNX's rounds towards 0
                    left = self.node("Sub", [left, self.node("Mod", [left, right])])
                self._sizes[key] = self.node(operator, [left, right])
        return self._sizes[key]

    def give(self, tensors: Sequence[tuple[str, str]]) -> None:
        """Let each tensor be an output under its name, reserved before: (tensor, name), in order.

        The node's own output is renamed where it can be; what no node makes (an input, a weight), and a
        tensor under its second name, goes through an Identity. An input that is an output under its own
        name stays as it is.
        """
        makers = {output for node in self.recorded for output in node.outputs}
        renamed: dict[str, str] = {}
        copies = []
        for tensor, name in tensors:
            if tensor in makers and tensor not in renamed:
                renamed[tensor] = name
            elif tensor != name:
                copies.append(Node("Identity", self.reserve(f"{name}/Identity"), [tensor], [name], {}))
        self.recorded += copies
        for node in self.recorded:
            node.inputs = [renamed.get(name, name) for name in node.inputs]
            node.outputs = [renamed.get(name, name) for name in node.outputs]

    def live(self, outputs: Sequence[str]) -> tuple[list[Node], set[str]]:
        """The nodes that an output needs, in order, and all tensors that those read or make."""
        needed = set(outputs)
        kept = []
        for node in reversed(self.recorded):
            if not needed.isdisjoint(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        return kept[::-1], needed
