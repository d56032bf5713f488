"""From a network to the bytes of an ONNX file: the structure is made first, then its tensors stream by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archdsl import __version__
from archdsl.annotations import Any, BinaryIO
from archdsl.backends.limits import check_size
from archdsl.backends.onnx import wire
from archdsl.backends.onnx.external import Companion, spill
from archdsl.backends.onnx.record import initializers, record
from archdsl.backends.onnx.recorder import GraphRecorder
from archdsl.backends.onnx.runtime import guard
from archdsl.backends.onnx.tensors import Data, Tensor, halve
from archdsl.backends.onnx.weights import chosen
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network
from archdsl.hashes import sha256
from archdsl.metadata import made
from archdsl.records import NamedTuple, dataclass
from archdsl.tensor import TensorType
from archdsl.writing import OutputFile

IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 10, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13}
"""By opset the version of the file format: the one of the first onnx release with that opset, for 20 one more,
since metadata of nodes needs 10."""

"""Layers that are written out; a repetition is as many as its copies."""

LARGEST = 2**31 - 1
"""Bytes: no reader of protobuf takes a larger file."""


@dataclass(frozen=True)
class Options:
    """How a network is written.

    Weights are those in the file `weights` (safetensors, or torch's .pt and .pth), else drawn from `seed`. `batch`
    fixes the batch, which is else the symbol N. `half`, "float16" or "bfloat16", is what weights are stored in.
    `fold_bn` folds normalisations into convolutions and FC, `logits` leaves a last SOFTMAX out, `functions` writes
    blocks as functions. With `external_data` weights go to a second file, as they do where 2 GiB are not enough.
    `classes` and `normalisation` are what is known of a trained network, for the metadata: see `archdsl.metadata.Made`.
    """

    weights: str | None = None
    seed: int = 0
    opset: int = 20
    batch: int | None = None
    half: str | None = None
    fold_bn: bool = False
    logits: bool = False
    functions: bool = False
    external_data: bool = False
    classes: Sequence[str] = ()
    normalisation: Mapping[str, object] | None = None


class Model(NamedTuple):
    """A file in parts: what stands before the graph, the graph before and behind its tensors, and what follows.

    `heads` are the tensors without their data.
    """

    start: bytes
    head: bytes
    tensors: list[Tensor]
    heads: list[bytes]
    tail: bytes
    end: bytes

    @property
    def size(self) -> int:
        """The bytes of the file with all tensors in it, or a few more."""
        tensors = sum(len(head) + 11 + tensor.size for head, tensor in zip(self.heads, self.tensors))
        return 11 + tensors + sum(map(len, (self.start, self.head, self.tail, self.end)))


def write(network: Network, stream: BinaryIO, *, beside: Companion | None = None, **options: Any) -> None:
    """Write the ONNX file of a network, and a second one by `beside` where its weights go there; see `emit`.

    Nothing is written to `stream` where it raises before the weights are read. Raises what `emit` does; E603 is
    for more than 2 GiB, or `external_data`, where there is no `beside`.
    """
    given = Options(**options)
    model = _model(network, given)
    if beside is not None and (given.external_data or model.size > LARGEST):
        identity = ""
        if given.weights is None:
            known = f"{given.seed} {given.fold_bn} {given.half} {__version__}".encode()
            identity = sha256(b"".join((known, model.head, *model.heads, model.tail))).hexdigest()
        _write(model, stream, beside, identity)
        return
    chunks = _inline(model, given)
    if isinstance(stream, OutputFile):
        stream.reserve(model.size)
    for chunk in chunks:
        stream.write(chunk)


def emit(network: Network, **options: Any) -> Iterator[bytes]:
    """The ONNX file of a network in chunks, for inference, equal for equal arguments, which are those of Options.

    The batch is the symbol N, or `batch` where the spec has an N of its own; open sizes of the inputs are named
    dimensions too. Weights have their state_dict keys as names. Outputs in training alone are left out, with all
    that only they need. The spec, its sha256, and what completed it are in the metadata. Raises ArchError before the
    first chunk: E601 and E602 for the weights' file, E603 for more than 2 GiB, E604 for more than 100,000 layers,
    E605 for an opset other than 17 to 26, E606 for an output that has an input's name and is another tensor, E607
    for a layer that cannot be written without an open size, E609 for `logits` where no SOFTMAX ends the network; and
    E608, when the data is made, for a number that float16 cannot hold.
    """
    given = Options(**options)
    return map(bytes, _inline(_model(network, given), given))


def _model(network: Network, options: Options) -> Model:
    _check(network, options.opset)
    recorder = GraphRecorder(options.opset)
    recorded = record(network, recorder, logits=options.logits)
    numbers = chosen(options.weights, options.seed, recorded.persistent)
    outputs = [output.name for output in recorded.outputs]
    nodes, needed = recorder.live(outputs)
    guard(recorder, nodes)
    tensors = initializers(recorded, recorder, needed, numbers)
    if options.fold_bn:
        from archdsl.backends.onnx.fold import fold

        tensors = fold(recorder, nodes, tensors, outputs)
    if options.half is not None:
        tensors = halve(recorder, nodes, tensors, options.half)
    functions: list[bytes] = []
    opsets = [("", options.opset)]
    if options.functions:
        from archdsl.backends.onnx.functions import DOMAIN, gather

        nodes, functions = gather(network, recorder, nodes, outputs)
        read = {name for node in nodes for name in node.inputs} | set(outputs)
        tensors = [tensor for tensor in tensors if tensor.name in read]
        opsets += [(DOMAIN, 1)] if functions else []

    symbol = "batch" if network.open is not None and "N" in network.open.point else "N"

    def info(name: str, type: TensorType) -> bytes:
        batch = 1 if not type.batched else symbol if options.batch is None else options.batch
        return wire.value_info(name, type.dtype, (batch, *(_dimension(name, *n) for n in enumerate(type.shape, 1))))

    files, known = dict(network.used), (options.classes, options.normalisation)
    metadata = made(network.text, __version__, network.arguments, files, *known)
    return Model(
        wire.model_head(IR_VERSIONS[options.opset], "archdsl", __version__),
        wire.graph_head((node.bytes() for node in nodes), network.name),
        tensors,
        [wire.tensor_head(tensor.name, tensor.dtype, tensor.shape, tensor.size) for tensor in tensors],
        wire.graph_tail(
            (info(given.name, given.value.type) for given in network.inputs),
            (info(output.name, output.value.type) for output in recorded.outputs),
        ),
        wire.model_tail(opsets, metadata, functions),
    )


def _check(network: Network, opset: int) -> None:
    if opset not in IR_VERSIONS:
        raise ArchError([Diagnostic("E605", f"opset {opset} cannot be written: 17 to 26 can, 20 is the default")])
    check_size(network)


def _dimension(tensor: str, axis: int, size: int) -> int | str:
    """A size as the file has it: where it is open its expression, or a name of its own where that is not known."""
    if type(size) is int:
        return size
    from archdsl.symbolic.expression import Size

    assert isinstance(size, Size)
    return str(size) if size.exact else f"{tensor}:{axis}"


def _wrapped(head: bytes, size: int) -> bytes:
    """The start of the graph's field that holds a tensor of this head, whose data follows."""
    return wire.key(wire.INITIALIZER, wire.LENGTH) + wire.varint(len(head) + size) + head


def _inline(model: Model, options: Options) -> Iterator[Data]:
    """The file in one piece, in chunks that hold until the next one is asked for.

    All lengths are known before the first number is made, so the graph is one message that streams by. (Graphs in
    several pieces, which protobuf would merge, are not merged by every reader of ONNX files.)
    """
    total = model.size
    if total > LARGEST or options.external_data:
        large = f"the file would have {total:,} bytes, and an ONNX file cannot exceed 2 GiB"
        asked = "external data lies beside the file, and this output is a stream"
        help = ("name a file to write to, and the weights go to a second one beside it",)
        raise ArchError([Diagnostic("E603", large if total > LARGEST else asked, help=help)])
    wrapped = [_wrapped(head, tensor.size) for head, tensor in zip(model.heads, model.tensors)]
    length = sum(map(len, wrapped)) + sum(tensor.size for tensor in model.tensors)

    def chunks() -> Iterator[Data]:
        yield _opening(model, length)
        for before, tensor in zip(wrapped, model.tensors):
            yield before
            yield from tensor.chunks()
        yield model.tail + model.end

    return chunks()


def _opening(model: Model, tensors: int) -> bytes:
    length = len(model.head) + tensors + len(model.tail)
    return model.start + wire.key(wire.GRAPH, wire.LENGTH) + wire.varint(length) + model.head


def _write(model: Model, stream: BinaryIO, beside: Companion, identity: str) -> None:
    """The file with its larger tensors beside it."""
    parts = [_wrapped(head + data, 0) for head, data in spill(model.tensors, beside, identity)]
    stream.write(_opening(model, sum(map(len, parts))))
    for part in parts:
        stream.write(part)
    stream.write(model.tail + model.end)
