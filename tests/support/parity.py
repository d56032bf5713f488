"""Random layers and networks whose ONNX files, at several opsets, must give torch's numbers in onnxruntime."""

from __future__ import annotations

import io
import os
import random
import re
import tempfile
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import torch
from safetensors.torch import save as save_safetensors

from archdsl.analyses.parameters import state_shapes
from archdsl.backends import onnx as onnx_backend
from archdsl.graph import Network as Graph
from archdsl.pipeline import build
from archdsl.symbolic.sizes import Sizes
from archdsl.syntax.source import Source
from tests.support.compare import BATCHES, built, near
from tests.support.generate import Scope, _Generator, generate, inputs
from tests.support.reference import PLAIN, Network
from tests.support.structure import Chain, Input, Spec, text
from tests.support.torch_layers import Rejected

OPSETS = (17, 20, 22)


class Untestable(Exception):
    """A spec that the generator or the reference network fails on: nothing is said about archdsl."""


OPTIONS: tuple[dict[str, Any], ...] = ({}, {"fold_bn": True}, {"functions": True}, {"fold_bn": True, "functions": True})


def single(seed: int) -> Spec:
    """A spec of one random layer, with what it needs before it (a RELU before a root)."""
    made = _Generator(random.Random(seed), 0.0)
    while True:
        shape = made.input_shape()
        made.made = Spec([Input("input", shape)], Chain([]), fit=made.rng.choice(("floor", "cover", "exact")))
        step = made.join if made.chance(0.15) else made.plain
        found = step(shape, Scope({}, {"input": shape}, {}, depth=3))
        if found is not None:
            made.made.body = Chain(found[0])
            return made.made


def network(seed: int) -> Spec:
    """A random network."""
    try:
        return generate(seed, 0.0)
    except (RuntimeError, TypeError) as error:
        raise Untestable(str(error)) from error


def random_state(reference: Network, seed: int) -> dict[str, torch.Tensor]:
    """Random weights for a reference, which takes them: ones and zeros would hide a mistake."""
    made = torch.Generator().manual_seed(seed)
    state = {}
    for key, value in reference.state().items():
        if key.endswith("running_var"):
            state[key] = torch.rand(value.shape, generator=made) + 0.5
        elif value.is_floating_point():
            state[key] = torch.randn(value.shape, generator=made) * 0.4
        else:
            state[key] = value.clone()
    reference.load(state)
    return state


def sensitivity(reference: Network, state: dict[str, torch.Tensor], given: dict[str, torch.Tensor]) -> float:
    """How far the results move where all numbers change by one part in a million: no exporter can be nearer."""
    made = torch.Generator().manual_seed(0)

    def moved(values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {
            key: value * (1 + 1e-6 * torch.randn(value.shape, generator=made)) if value.is_floating_point() else value
            for key, value in values.items()
        }

    def rough(x: torch.Tensor) -> torch.Tensor:
        """What onnxruntime's Sigmoid is: right to some 1e-7, so with no digit right far below 0."""
        return (exact(x) + 1e-7 * torch.randn(x.shape, generator=made)).clamp(min=0)

    wanted = reference.run(given)
    greatest = 0.0
    exact, product = PLAIN["SIGMOID"], PLAIN["SILU"]
    PLAIN["SIGMOID"], PLAIN["SILU"] = rough, lambda x: x * rough(x)
    try:
        for _ in range(3):
            reference.load(moved(state))
            for y, w in zip(reference.run(moved(given)), wanted):
                greatest = max(greatest, float((y - w).abs().nan_to_num(nan=torch.inf, posinf=torch.inf).max()))
    finally:
        PLAIN["SIGMOID"], PLAIN["SILU"] = exact, product
        reference.load(state)
    return greatest


LETTERS = {1: "L", 2: "HW", 3: "DHW"}
"""By the number of a map's axes, the symbols that stand for their sizes."""


def opened(spec: Spec, source: str) -> str:
    """The text with letters for the sizes of all inputs but their first axis."""
    for given in spec.inputs:
        shape = "x".join(map(str, given.shape))
        letters = "x".join((str(given.shape[0]), *LETTERS.get(len(given.shape) - 1, ())))
        source = re.sub(rf"^(input .*?)\b{shape}\b", rf"\g<1>{letters}", source, flags=re.MULTILINE)
    return source


def sizes_of(graph: Graph, spec: Spec, most: int = 40) -> list[dict[str, int]]:
    """Some sizes of the open symbols: the smallest ones, and those next to the spec's own."""
    assert graph.open is not None
    own = {letter: n for given in spec.inputs for letter, n in zip(LETTERS[len(given.shape) - 1], given.shape[1:])}
    columns = {}
    for symbol, sizes in graph.open.valid.items():
        assert isinstance(sizes, Sizes)
        found = {n for n in (*sizes.members(2), *sizes.nearest(own[symbol]), *sizes.nearest(23)) if n <= most}
        columns[symbol] = sorted(found)
    longest = max(map(len, columns.values()), default=0)
    if not all(columns.values()):
        return []
    return [
        {symbol: column[(i * (k + 1)) % len(column)] for k, (symbol, column) in enumerate(columns.items())}
        for i in range(longest)
    ]


def at_sizes(spec: Spec, point: dict[str, int]) -> Spec:
    """The spec with these sizes."""
    made = [
        given._replace(shape=(given.shape[0], *(point[letter] for letter in LETTERS[len(given.shape) - 1])))
        for given in spec.inputs
    ]
    return replace(spec, inputs=made)


def hold_open(spec: Spec, seed: int, opsets: tuple[int, ...] = OPSETS) -> int:
    """Hold a spec's files with open sizes, at some of these and two batches, against torch; the number of runs.

    0 where its sizes cannot stay open.
    """
    if not all(len(given.shape) - 1 in LETTERS for given in spec.inputs):
        return 0
    source = opened(spec, text(spec, None, seed))
    graph, _ = build(Source(source), constants=spec.choices, inputs={}, fit=spec.fit)
    if graph is None or graph.open is None:
        return 0
    state: dict[str, torch.Tensor] = {}
    sessions: dict[int, Any] = {}
    runs = 0
    for point in sizes_of(graph, spec):
        there = at_sizes(spec, point)
        reference = Network(there)
        with torch.no_grad():
            torch.manual_seed(seed)
            try:
                reference.run(inputs(there, 1))
            except Rejected:
                continue  # each symbol's sizes are valid with the others at the point where it was solved
            except MemoryError:
                continue  # a BN without averages has one position here, so that it takes a batch above 1
            except TypeError as error:
                raise Untestable(str(error)) from error
        state = state or random_state(reference, seed)
        reference.load(state)
        for opset in opsets:
            sessions[opset] = sessions.get(opset) or session(graph, source, state, opset, {})
            compare(sessions[opset], there, reference, state, seed, f"at {point}, opset {opset}:\n{source}")
            runs += 1
    return runs


def hold_opsets(spec: Spec, seed: int, opsets: tuple[int, ...] = OPSETS, options: dict[str, Any] | None = None) -> int:
    """Hold a spec's files at these opsets, at two batches, against torch; the number of files, 0 for a refused spec.

    Raises AssertionError with the text where the numbers differ, or onnxruntime refuses the file.
    """
    graph, _, source = built(spec, None, seed)
    if graph is None:
        return 0
    reference = Network(spec)
    with torch.no_grad():
        torch.manual_seed(seed)
        try:
            reference.run(inputs(spec, 1))  # its layers are made on the way
        except TypeError as error:
            raise Untestable(str(error)) from error
    own = {key: entry.weight.shape for key, entry in state_shapes(graph).items()}
    if own != {key: tuple(value.shape) for key, value in reference.state().items()}:
        raise Untestable("the reference has other weights: a question of the language, for benchmarks/random_specs.py")
    state = random_state(reference, seed)
    for opset in opsets:
        where = f"at opset {opset}, {options or 'no options'}:\n{source}"
        compare(session(graph, source, state, opset, options or {}), spec, reference, state, seed, where)
    return len(opsets)


def session(
    graph: Graph, source: str, state: dict[str, torch.Tensor], opset: int, options: dict[str, Any]
) -> onnxruntime.InferenceSession:
    """The file of a graph with these weights in onnxruntime; raises AssertionError where it refuses the file."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    handle, path = tempfile.mkstemp(suffix=".safetensors")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(save_safetensors(state))
        stream = io.BytesIO()
        onnx_backend.write(graph, stream, weights=path, opset=opset, **options)
    finally:
        os.unlink(path)
    try:
        return onnxruntime.InferenceSession(stream.getvalue(), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each fault
        raise AssertionError(f"onnxruntime refuses the file, {error}, at opset {opset}:\n{source}") from error


def compare(
    made: onnxruntime.InferenceSession,
    spec: Spec,
    reference: Network,
    state: dict[str, torch.Tensor],
    seed: int,
    where: str,
) -> None:
    """Hold what a session gives against the reference, at two batches; raises AssertionError where they differ."""
    for batch in BATCHES:
        given = inputs(spec, batch, seed)
        slack: float | None = None
        with torch.no_grad():
            wanted = reference.run(given)
        for y, w in zip(made.run(None, {i.name: given[i.name].numpy() for i in made.get_inputs()}), wanted):
            y = torch.from_numpy(np.asarray(y))
            good = near(y, w)
            if not good:
                with torch.no_grad():
                    slack = sensitivity(reference, state, given) if slack is None else slack
                if slack == torch.inf:
                    raise Untestable("rounding alone makes its numbers infinite")
                good = near(y, w, 5 * slack)
            assert good, f"batch {batch}: {y.flatten()[:5]}, torch {w.flatten()[:5]} {where}"
