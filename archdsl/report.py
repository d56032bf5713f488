"""What is known of a checked network, as plain data: the model of `check --json`, and what `show` draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from archdsl.analyses.macs import macs
from archdsl.analyses.parameters import parameters
from archdsl.analyses.receptive_field import receptive_fields
from archdsl.analyses.uses import Walk
from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic
from archdsl.graph import Network
from archdsl.implied import defaults, implied
from archdsl.layers.arguments import show
from archdsl.records import NamedTuple, fields
from archdsl.tensor import Dim, Shape, product


class Tensor(NamedTuple):
    """An input or output by name; shapes never count the batch."""

    name: str
    shape: Shape

    def to_dict(self) -> dict[str, Any]:
        """As the JSON has it."""
        return {"name": self.name, "shape": _sizes(self.shape)}


class LayerRow(NamedTuple):
    """A layer of the network, standing for `repeats` equal copies; `path` is the first one's.

    `parameters` and `macs` are those of one copy, for one item of the batch; a layer that shares its weights with
    an earlier one has 0 parameters. `receptive_field` is how far one output sees, by axis of the first input, or
    None where that has no meaning. `given` are the arguments as written, `implied` those that a default rule gave.
    """

    path: str
    layer: str
    arguments: dict[str, Any]
    inputs: tuple[Shape, ...]
    output: Shape
    parameters: int
    macs: int
    receptive_field: tuple[Dim, ...] | None
    line: int
    column: int
    repeats: int
    given: str
    implied: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As the JSON has it."""
        return {
            "path": self.path,
            "layer": self.layer,
            "arguments": self.arguments,
            "inputs": [_sizes(shape) for shape in self.inputs],
            "output": _sizes(self.output),
            "parameters": self.parameters,
            "macs": self.macs,
            "receptive_field": None if self.receptive_field is None else list(self.receptive_field),
            "line": self.line,
            "column": self.column,
            "repeats": self.repeats,
        }


@dataclass(frozen=True)
class Model:
    """A checked network: its inputs and outputs, its totals, its layers in order."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parameters: int
    macs: int
    layers: tuple[LayerRow, ...]
    valid: dict[str, str] = field(default_factory=dict)  # the open sizes of the inputs, and which are valid, in words
    at: dict[str, int] = field(default_factory=dict)  # the values of the open ones that all numbers are those of

    def to_dict(self) -> dict[str, Any]:
        """As the JSON has it."""
        return {
            "name": self.name,
            "inputs": [tensor.to_dict() for tensor in self.inputs],
            "outputs": [tensor.to_dict() for tensor in self.outputs],
            "parameters": self.parameters,
            "macs": self.macs,
            "layers": [row.to_dict() for row in self.layers],
            **({"valid": self.valid, "at": self.at} if self.valid else {}),
        }


@dataclass(frozen=True)
class Report:
    """What `check` found in one spec; `network` is None where the spec is wrong."""

    file: str
    diagnostics: tuple[Diagnostic, ...]
    network: Network | None

    @cached_property
    def model(self) -> Model | None:
        """The network as plain data, worked out when it is first asked for; None where the spec is wrong."""
        return None if self.network is None else describe(self.network)

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings are none."""
        return all(d.severity != "error" for d in self.diagnostics)

    def to_dict(self) -> dict[str, Any]:
        """As the JSON has it."""
        return {
            "file": self.file,
            "ok": self.ok,
            "diagnostics": [d.to_dict() for d in self.diagnostics],
            "model": None if self.model is None else self.model.to_dict(),
        }


def _sizes(shape: Shape) -> list[int | str]:
    """A shape as JSON has it: an open size is its expression's text."""
    return [int(size) if str(size).isdecimal() else str(size) for size in shape]


def describe(network: Network) -> Model:
    """The network as plain data."""
    seen = receptive_fields(network)
    rows = []
    for use in Walk(network, unroll=False):
        apply = use.apply
        line, column = apply.span.source.position(apply.span.start)
        held = () if use.shared else apply.layer.weights(*apply.types).values()
        rows.append(
            LayerRow(
                path=use.path,
                layer=apply.layer.spec,
                arguments={f.name: _plain(getattr(apply.layer, f.name)) for f in fields(apply.layer)},
                inputs=tuple(t.shape for t in apply.types),
                output=apply.output.type.shape,
                parameters=sum(product(weight.shape) for weight in held),
                macs=apply.layer.macs(*apply.types),
                receptive_field=seen.get(apply.output),
                line=line,
                column=column,
                repeats=use.times,
                given=apply.given,
                implied=(*implied(apply), *defaults(apply)),
            )
        )
    return Model(
        name=network.name,
        inputs=tuple(Tensor(i.name, i.value.type.shape) for i in network.inputs),
        outputs=tuple(Tensor(o.name, o.value.type.shape) for o in network.outputs),
        parameters=parameters(network),
        macs=macs(network),
        layers=tuple(rows),
        valid={symbol: str(sizes) for symbol, sizes in network.open.valid.items()} if network.open else {},
        at=dict(network.open.point) if network.open else {},
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return show(value)
