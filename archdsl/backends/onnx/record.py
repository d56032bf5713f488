"""From a network to recorded nodes and the tensors that they read: everything but bytes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from archdsl.analyses.parameters import Entry, held
from archdsl.analyses.uses import Use, Walk
from archdsl.backends.onnx.recorder import GraphRecorder, Node
from archdsl.backends.onnx.tensors import Tensor
from archdsl.backends.onnx.weights import Numbers
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Apply, Network, Output
from archdsl.layers.base import Layer
from archdsl.layers.nodes import TooMany
from archdsl.records import NamedTuple, replace
from archdsl.shapes.late import SizeNeeded, late
from archdsl.tensor import TensorType


class Recorded(NamedTuple):
    """A network as its layers recorded it: the state_dict's entries, the tensors' names by their keys, the outputs."""

    state: dict[str, Entry]
    names: dict[str, str]
    outputs: list[Output]

    @property
    def persistent(self) -> dict[str, Entry]:
        """The entries that a state_dict holds."""
        return {key: entry for key, entry in self.state.items() if entry.weight.persistent}


def record(network: Network, recorder: GraphRecorder, *, logits: bool = False) -> Recorded:
    """Let all layers record themselves; outputs in training alone are left out, and with `logits` the last SOFTMAX.

    Raises ArchError: E606 for an output that has an input's name and is another tensor, E607 for a layer that cannot
    be written without an open size, E609 for `logits` where no SOFTMAX ends the network.
    """
    state: dict[str, Entry] = {}
    names: dict[str, str] = {}
    walk = Walk(network)
    outputs = [output for output in network.outputs if not output.training]
    tensors = {number: recorder.reserve(given.name) for number, given in enumerate(network.inputs)}
    for output in outputs:
        recorder.reserve(output.name)
    uses: list[Use] = []
    layers: dict[str, Layer] = {}
    for use in walk:
        # what is shared keeps the arguments of its first place, those that were decided later (bias) among them
        layer = layers.setdefault(use.owner, use.apply.layer)
        if layer is not use.apply.layer:
            use = use._replace(apply=replace(use.apply, layer=layer))
        local = {}
        for key, entry in held(use).items():
            if key not in state:
                state[key] = entry
                names[key] = recorder.reserve(key)
            local[key.removeprefix(use.owner).removeprefix(".")] = names[key]
        recorder.scope = use.path
        given = [tensors[number] for number in use.inputs]
        types = use.apply.types if network.open is None else _without_sizes(given, use.apply.types)
        try:
            tensors[use.output] = use.apply.layer.onnx(recorder, given, local, *types)
        except SizeNeeded:
            raise _needs_size(use.apply) from None
        except TooMany as error:
            raise ArchError([Diagnostic("E604", str(error), use.apply.span)]) from None
        uses.append(use)
    numbers = {output.name: walk.tensors[output.value] for output in outputs}
    if logits:
        numbers = _without_softmax(network, walk, uses, numbers)
    results = [(tensors[numbers[output.name]], output.name) for output in outputs]
    inputs = {given.name for given in network.inputs}
    for tensor, name in results:
        if name in inputs and tensor != name:
            message = f"the output {name} has the name of an input, and an ONNX file tells tensors apart by name"
            raise ArchError([Diagnostic("E606", message, help=("give one of them another name",))])
    recorder.give(results)
    return Recorded(state, names, outputs)


def _without_sizes(tensors: Sequence[str], types: Sequence[TensorType]) -> list[TensorType]:
    """The types with what a run will tell in the place of each open size."""
    from archdsl.symbolic.expression import Size  # takes long to import, and most networks have no open size

    return [
        type._replace(
            shape=tuple(late(tensor, axis) if isinstance(n, Size) else n for axis, n in enumerate(type.shape, 1))
        )
        for tensor, type in zip(tensors, types)
    ]


def _needs_size(apply: Apply) -> ArchError:
    from archdsl.symbolic.expression import Size

    symbols = dict.fromkeys(n.symbol for type in apply.types for n in type.shape if isinstance(n, Size))
    written = " and ".join(symbols)
    stay = "stays" if len(symbols) == 1 else "stay"
    message = f"{apply.layer.spec} needs the size of what arrives to be written as ONNX, and {written} {stay} open"
    help = (f"give a value: -D {next(iter(symbols))}=224",)
    return ArchError([Diagnostic("E607", message, apply.span, help=help)])


def _without_softmax(network: Network, walk: Walk, uses: list[Use], outputs: dict[str, int]) -> dict[str, int]:
    """The outputs' tensors, the scores where the SOFTMAX over them was one."""
    made = {use.output: use for use in uses}
    result = dict(outputs)
    if network.scores is not None:
        scores = walk.tensors[network.scores]
        for name, number in outputs.items():
            if number in made and made[number].apply.layer.spec == "SOFTMAX" and made[number].inputs == (scores,):
                result[name] = scores
    if result == outputs:
        ends = [
            name for name, number in outputs.items() if number in made and made[number].apply.layer.spec == "SOFTMAX"
        ]
        message = "logits are the scores before a last SOFTMAX, and none ends this network"
        if ends and len(outputs) > 1:
            message = f"--logits is for a network of one output, and this one has {', '.join(outputs)}"
        raise ArchError([Diagnostic("E609", message)])
    return result


def initializers(recorded: Recorded, recorder: GraphRecorder, needed: set[str], numbers: Numbers) -> list[Tensor]:
    """The tensors that live nodes read: weights and buffers in the order of the layers, then constants."""
    tensors = []
    for key, entry in recorded.state.items():
        name, weight = recorded.names[key], entry.weight
        if name in needed:
            tensors.append(Tensor(name, weight.dtype, weight.shape, partial(numbers, key, weight)))
    for name, (dtype, shape, data) in recorder.constants.items():
        if name in needed:
            tensors.append(Tensor(name, dtype, shape, partial(iter, [data])))
    return tensors


def read_by(nodes: list[Node]) -> dict[str, list[Node]]:
    """The nodes that read each tensor, once for each time that they do."""
    result: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            result.setdefault(name, []).append(node)
    return result
