"""Random layers and networks whose ONNX files, at several opsets, must give torch's numbers in onnxruntime."""

from __future__ import annotations

import io
import os
import random
import tempfile
from typing import Any

import numpy as np
import onnxruntime
import torch
from safetensors.torch import save as save_safetensors

from archdsl.analyses import state_shapes
from archdsl.backends import onnx as onnx_backend
from tests.support.compare import BATCHES, built, near
from tests.support.generate import Scope, _Generator, generate, inputs
from tests.support.reference import PLAIN, Network
from tests.support.structure import Chain, Input, Spec

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
    exact = PLAIN["SIGMOID"]
    PLAIN["SIGMOID"] = rough
    try:
        for _ in range(3):
            reference.load(moved(state))
            for y, w in zip(reference.run(moved(given)), wanted):
                greatest = max(greatest, float((y - w).abs().nan_to_num(nan=torch.inf, posinf=torch.inf).max()))
    finally:
        PLAIN["SIGMOID"] = exact
        reference.load(state)
    return greatest


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
    handle, path = tempfile.mkstemp(suffix=".safetensors")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(save_safetensors(state))
        for opset in opsets:
            where = f"at opset {opset}, {options or 'no options'}:\n{source}"
            stream = io.BytesIO()
            onnx_backend.write(graph, stream, weights=path, opset=opset, **(options or {}))
            try:
                session = onnxruntime.InferenceSession(stream.getvalue(), settings, providers=["CPUExecutionProvider"])
            except Exception as error:  # onnxruntime has a class for each fault
                raise AssertionError(f"onnxruntime refuses the file, {error}, {where}") from error
            for batch in BATCHES:
                given = inputs(spec, batch, seed)
                with torch.no_grad():
                    wanted = reference.run(given)
                    slack: float | None = None
                feeds = {i.name: given[i.name].numpy() for i in session.get_inputs()}
                for y, w in zip(session.run(None, feeds), wanted):
                    y = torch.from_numpy(np.asarray(y))
                    good = near(y, w)
                    if not good:
                        slack = sensitivity(reference, state, given) if slack is None else slack
                        if slack == torch.inf:
                            raise Untestable("rounding alone makes its numbers infinite")
                        good = near(y, w, 5 * slack)
                    assert good, f"batch {batch}: {y.flatten()[:5]}, torch {w.flatten()[:5]} {where}"
    finally:
        os.unlink(path)
    return len(opsets)
