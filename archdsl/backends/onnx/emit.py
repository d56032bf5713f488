"""From a network to the bytes of an ONNX file: the structure is made first, then its tensors stream by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from archdsl import __version__
from archdsl.analyses.parameters import Entry, held
from archdsl.analyses.uses import Walk
from archdsl.backends.onnx import wire
from archdsl.backends.onnx.recorder import GraphRecorder
from archdsl.backends.onnx.weights import Numbers, drawn, loaded
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network
from archdsl.tensor import TensorType, product

IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 10, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13}
"""By opset the version of the file format: the one of the first onnx release with that opset, for 20 one more,
since metadata of nodes needs 10."""

MOST_LAYERS = 100_000
"""Layers that are written out; a repetition is as many as its copies."""

LARGEST = 2**31 - 1
"""Bytes: no reader of protobuf takes a larger file."""


class Initializer(NamedTuple):
    """A tensor on its way into the file: what stands before its data, how long that is, and the data's chunks."""

    head: bytes
    size: int
    chunks: Iterator[bytes]


def write(network: Network, stream: BinaryIO, *, weights: str | None = None, seed: int = 0, opset: int = 20) -> None:
    """Write what `emit` gives; nothing is written where it raises."""
    for chunk in emit(network, weights=weights, seed=seed, opset=opset):
        stream.write(chunk)


def emit(network: Network, *, weights: str | None = None, seed: int = 0, opset: int = 20) -> Iterator[bytes]:
    """The ONNX file of a network in chunks, for inference, equal for equal arguments.

    The batch is the symbol N. Weights are those in the safetensors file `weights`, else random from `seed`,
    under their state_dict keys. Outputs in training alone are left out, with all that only they need. The spec is
    in the metadata as `archdsl.spec`. Raises ArchError before the first chunk: E601 and E602 for the weights'
    file, E603 for more than 2 GiB, E604 for more than 100,000 layers, E605 for an opset other than 17 to 26,
    E606 for an output that has an input's name and is another tensor.
    """
    _check(network, opset)
    recorder = GraphRecorder(opset)
    state, names = _record(network, recorder)
    persistent = {key: entry for key, entry in state.items() if entry.weight.persistent}
    numbers = drawn(seed) if weights is None else loaded(weights, persistent)
    outputs = [output for output in network.outputs if not output.training]
    nodes, needed = recorder.live([output.name for output in outputs])

    head = wire.graph_head(
        (wire.node(n.operator, n.name, n.inputs, n.outputs, n.attributes) for n in nodes), network.name
    )
    tail = wire.graph_tail(
        (_value_info(given.name, given.value.type) for given in network.inputs),
        (_value_info(output.name, output.value.type) for output in outputs),
    )
    tensors = [_tensor(names[key], key, entry, numbers) for key, entry in state.items() if names[key] in needed]
    for name, (dtype, shape, data) in recorder.constants.items():
        if name in needed:
            tensors.append(Initializer(wire.tensor_head(name, dtype, shape, len(data)), len(data), iter([data])))
    return _stream(network, opset, head, tensors, tail)


def _check(network: Network, opset: int) -> None:
    if network.open is not None:
        letters = " and ".join(network.open.point)
        message = f"{letters} stay open, which archdsl cannot write into an ONNX file yet"
        raise ArchError([Diagnostic("E607", message, help=(f"give a value: -D {next(iter(network.open.point))}=224",))])
    if opset not in IR_VERSIONS:
        raise ArchError([Diagnostic("E605", f"opset {opset} cannot be written: 17 to 26 can, 20 is the default")])
    layers = sum(use.times for use in Walk(network, unroll=False))
    if layers > MOST_LAYERS:
        message = f"too many layers to write out: {layers:,}, and {MOST_LAYERS:,} is the limit"
        raise ArchError([Diagnostic("E604", message)])


def _record(network: Network, recorder: GraphRecorder) -> tuple[dict[str, Entry], dict[str, str]]:
    """Let all layers record themselves; what they hold and the tensors' names, by state_dict key."""
    state: dict[str, Entry] = {}
    names: dict[str, str] = {}
    walk = Walk(network)
    outputs = [output for output in network.outputs if not output.training]
    tensors = {number: recorder.reserve(given.name) for number, given in enumerate(network.inputs)}
    for output in outputs:
        recorder.reserve(output.name)
    for use in walk:
        local = {}
        for key, entry in held(use).items():
            if key not in state:
                state[key] = entry
                names[key] = recorder.reserve(key)
            local[key.removeprefix(use.owner).removeprefix(".")] = names[key]
        recorder.scope = use.path
        given = [tensors[number] for number in use.inputs]
        tensors[use.output] = use.apply.layer.onnx(recorder, given, local, *use.apply.types)
    results = [(tensors[walk.tensors[output.value]], output.name) for output in outputs]
    inputs = {given.name for given in network.inputs}
    for tensor, name in results:
        if name in inputs and tensor != name:
            message = f"the output {name} has the name of an input, and an ONNX file tells tensors apart by name"
            raise ArchError([Diagnostic("E606", message, help=("give one of them another name",))])
    recorder.give(results)
    return state, names


def _value_info(name: str, type: TensorType) -> bytes:
    return wire.value_info(name, type.dtype, ("N" if type.batched else 1, *type.shape))


def _tensor(name: str, key: str, entry: Entry, numbers: Numbers) -> Initializer:
    weight = entry.weight
    size = product(weight.shape) * wire.WIDTHS[weight.dtype]
    return Initializer(wire.tensor_head(name, weight.dtype, weight.shape, size), size, numbers(key, weight))


def _stream(network: Network, opset: int, head: bytes, tensors: list[Initializer], tail: bytes) -> Iterator[bytes]:
    """All lengths are known before the first number is made, so the graph is one message that streams by.

    (Graphs in several pieces, which protobuf would merge, are not merged by every reader of ONNX files.)
    """
    wrapped = [
        wire.key(wire.INITIALIZER, wire.LENGTH) + wire.varint(len(tensor.head) + tensor.size) + tensor.head
        for tensor in tensors
    ]
    length = len(head) + sum(map(len, wrapped)) + sum(tensor.size for tensor in tensors) + len(tail)
    start = wire.model_head(IR_VERSIONS[opset], "archdsl", __version__)
    start += wire.key(wire.GRAPH, wire.LENGTH) + wire.varint(length)
    metadata = [("archdsl.version", __version__)] + ([("archdsl.spec", network.text)] if network.text else [])
    end = wire.model_tail(opset, metadata)
    total = len(start) + length + len(end)
    if total > LARGEST:
        message = f"the file would have {total:,} bytes, and an ONNX file cannot exceed 2 GiB"
        raise ArchError([Diagnostic("E603", message, notes=("weights in files of their own are not written yet",))])

    def chunks() -> Iterator[bytes]:
        yield start + head
        for before, tensor in zip(wrapped, tensors):
            yield before
            yield from tensor.chunks
        yield tail + end

    return chunks()
