"""Blocks as functions of the file: each call of a block is one node, and equal bodies are one FunctionProto."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from archdsl.backends.onnx import wire
from archdsl.backends.onnx.record import read_by
from archdsl.backends.onnx.recorder import GraphRecorder, Node
from archdsl.graph import Call, Module, Network, Share
from archdsl.naming import children

DOMAIN = "archdsl"
"""The operator domain of the functions, version 1."""


def gather(
    network: Network, recorder: GraphRecorder, nodes: Sequence[Node], outputs: Sequence[str]
) -> tuple[list[Node], list[bytes]]:
    """The nodes with one for each call of a block, and the functions; blocks inside blocks are part of these.

    Constants stand in the functions' bodies, weights are among a call's inputs.
    """
    titles = dict(_blocks(network.module, ""))
    readers = read_by(list(nodes))
    result: list[Node] = []
    functions: dict[tuple[str, bytes], tuple[str, bytes]] = {}
    counts: dict[str, int] = {}
    for path, run in groupby(nodes, lambda node: _block(node.scope, titles)):
        body = list(run)
        if not path:
            result += body
            continue
        inside = set(map(id, body))
        given = [
            name
            for name in dict.fromkeys(name for node in body for name in node.inputs if name)
            if name not in recorder.constants and all(name not in node.outputs for node in body)
        ]
        made = [
            name
            for node in body
            for name in node.outputs
            if name in outputs or any(id(reader) not in inside for reader in readers.get(name, ()))
        ]
        local = _names(path, body, given, recorder)
        inner = [*_constants(recorder, body, local), *(_renamed(node, path, local) for node in body)]
        written = [local[name] for name in given], [local[name] for name in made], inner
        title = titles[path]
        key = title, wire.function("", *written, recorder.opset, DOMAIN)
        if key not in functions:
            counts[title] = counts.get(title, 0) + 1
            name = title if counts[title] == 1 else f"{title}_{counts[title]}"
            functions[key] = name, wire.function(name, *written, recorder.opset, DOMAIN)
        result.append(Node(functions[key][0], path, given, made, {}, path, DOMAIN))
    return result, [data for _, data in functions.values()]


def _blocks(module: Module, prefix: str) -> Iterator[tuple[str, str]]:
    """Path and title of each call of a block that lies in no other."""
    for name, step, _ in children(module):
        inner = step.again if isinstance(step, Share) else step
        if isinstance(inner, Call) and inner.module.title:
            yield prefix + name, inner.module.title
        elif isinstance(inner, Call):
            yield from _blocks(inner.module, f"{prefix}{name}.")


def _block(scope: str, titles: dict[str, str]) -> str:
    """The path of the block that a layer lies in, "" for none."""
    parts = scope.split(".")
    return next((path for i in range(1, len(parts)) if (path := ".".join(parts[:i])) in titles), "")


def _names(path: str, body: Sequence[Node], given: Sequence[str], recorder: GraphRecorder) -> dict[str, str]:
    """The tensors' names inside: weights and nodes without the block's path, what else arrives by number."""
    result: dict[str, str] = {}
    taken: set[str] = set()

    def name(tensor: str, wanted: str) -> None:
        while wanted in taken:
            wanted += "_"
        taken.add(wanted)
        result[tensor] = wanted

    for number, tensor in enumerate(given):
        name(tensor, tensor.removeprefix(f"{path}.") if tensor.startswith(f"{path}.") else f"input:{number}")
    for node in body:
        for number, tensor in enumerate(node.outputs):
            name(tensor, node.name.removeprefix(f"{path}.") + (f":{number}" if number else ""))
    used = dict.fromkeys(tensor for node in body for tensor in node.inputs if tensor in recorder.constants)
    for number, tensor in enumerate(used):
        name(tensor, f"constant:{number}")
    return {**result, "": ""}


def _constants(recorder: GraphRecorder, body: Sequence[Node], local: dict[str, str]) -> Iterator[bytes]:
    for tensor in dict.fromkeys(name for node in body for name in node.inputs if name in recorder.constants):
        dtype, shape, data = recorder.constants[tensor]
        value = wire.tensor_head("", dtype, shape, len(data)) + data
        yield wire.node("Constant", local[tensor], [], [local[tensor]], {"value": value})


def _renamed(node: Node, path: str, local: dict[str, str]) -> bytes:
    inputs, outputs = ([local[name] for name in names] for names in (node.inputs, node.outputs))
    return wire.node(node.operator, node.name.removeprefix(f"{path}."), inputs, outputs, node.attributes)
