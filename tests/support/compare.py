"""A random spec held against torch and onnxruntime: all that the checker, the emitter and ONNX say must be so."""

from __future__ import annotations

import copy
import io
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from safetensors.torch import save as save_safetensors

from archdsl.analyses import all as analyses
from archdsl.backends import onnx as onnx_backend
from archdsl.backends.pytorch import emit
from archdsl.diagnostics import Findings, render
from archdsl.graph import Network as Graph
from archdsl.graph import Share as SharedStep
from archdsl.live import instance
from archdsl.naming import leaves
from archdsl.pipeline import build
from archdsl.syntax.source import Source
from tests.support.cases import table
from tests.support.generate import inputs
from tests.support.reference import Network, Rejected
from tests.support.structure import SEPARATORS, Spec, text

BATCHES = (1, 3)
NEAR = 1e-5  # of the largest number
LARGEST = 1e18  # whose square a float holds
LARGEST_IN_LRN = 1e4  # onnxruntime slides its sum of squares: behind larger ones what is left of it may lie below 0


def built(spec: Spec, form: int | None = None, seed: int = 0) -> tuple[Graph | None, Findings, str]:
    """The network of a spec where it has no errors, what was found, and the text."""
    source = text(spec, form, seed)
    network, findings = build(Source(source), constants=spec.choices, inputs={}, fit=spec.fit, repairs=False)
    return network, findings, source


def hold(spec: Spec, seed: int = 0, *, onnx: bool = True, forms: bool = True, copies: bool = True) -> str:
    """Hold a spec against the reference; "accepted" or "rejected" by both. Raises AssertionError with the text."""
    graph, findings, source = built(spec, None, seed)
    errors = "\n".join(render(d) for d in findings.errors)
    reference = Network(spec)
    refused = ""
    with torch.no_grad():
        try:
            torch.manual_seed(seed)
            reference.run(inputs(spec, 1))
        except Rejected as error:
            refused = str(error) or "refused"
    shown = f"fit={spec.fit} {spec.choices}\n{source}"
    assert (graph is None) == bool(refused), f"torch says {refused or 'yes'!r}, archdsl {errors or 'yes'!r}:\n{shown}"
    if graph is None:
        return "rejected"
    try:
        _hold(spec, graph, reference, seed, onnx, copies)
        if forms:
            for form in range(len(SEPARATORS)):
                other, found, _ = built(spec, form, seed)
                assert other is not None, found.found
                assert table(other) == table(graph), f"form {form} gives another network"
    except AssertionError as error:
        raise AssertionError(f"{error}\n{shown}") from error
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{shown}\n{emit(graph, 'net.arch')}") from error
    return "accepted"


def _hold(spec: Spec, graph: Graph, reference: Network, seed: int, onnx: bool, copies: bool) -> None:
    found = [(step, step.again if isinstance(step, SharedStep) else step) for _, step, _ in leaves(graph)]
    shapes = [(a.layer.spec, a.output.type.shape) for _, a in found if a.layer.spec != "CONST"]  # type: ignore[union-attr]
    wanted = [({"MAXPOOL": "POOL"}.get(kind, kind), shape) for kind, shape in reference.shapes if kind != "CONST"]
    assert shapes == wanted, f"shapes {shapes}, torch's {wanted}"
    assert analyses.parameters(graph) == reference.parameters(), (analyses.parameters(graph), reference.parameters())
    source = emit(graph, "net.arch")
    assert emit(graph, "net.arch") == source, "two texts for one network"
    module = instance(source, graph.name)
    filled(module, seed)
    state = module.state_dict()
    own = {key: tuple(entry.weight.shape) for key, entry in analyses.state_shapes(graph).items()}
    assert {key: tuple(value.shape) for key, value in state.items()} == own, f"{own}\n{source}"
    assert sorted(own) == sorted(reference.state()), f"names {sorted(own)}, by the rules {sorted(reference.state())}"
    reference.load(state)
    reference.double()
    wide = copy.deepcopy(module).double()
    _run(spec, graph, wide, reference, seed, source)
    if reference.whole:  # what nothing uses is not run, and the reference runs it
        _train(spec, graph, wide, reference, seed, source)
    if onnx:
        hold_onnx(spec, graph, module, seed)
    if copies:
        hold_copies(spec, module, seed)


def filled(module: torch.nn.Module, seed: int) -> None:
    """Give all weights random values: ones and zeros would hide a mistake."""
    made = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in module.state_dict().items():
            if key.endswith("running_var"):
                value.copy_(torch.rand(value.shape, generator=made) + 0.5)
            elif value.is_floating_point():
                spread = 0.4 if value.dim() < 2 else (value[0].numel() or 1) ** -0.5
                value.copy_(torch.randn(value.shape, generator=made) * spread)


def doubles(given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floats as doubles."""
    return {name: value.double() if value.is_floating_point() else value for name, value in given.items()}


def outputs(module: torch.nn.Module, given: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """What a module gives, as a list."""
    result = module(*given.values())
    return list(result) if isinstance(result, tuple) else [result]


def tensors(graph: Graph, batch: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random tensors for a network's inputs; whole numbers are 0 or 1."""
    made = torch.Generator().manual_seed(seed)
    result = {}
    for given in graph.inputs:
        shape = (batch, *given.value.type.shape)
        whole = given.value.type.dtype != "float"
        result[given.name] = torch.randint(0, 2, shape, generator=made) if whole else torch.randn(shape, generator=made)
    return result


def save(module: torch.nn.Module, path: Path) -> None:
    """Write a module's weights for `to_onnx`."""
    path.write_bytes(save_safetensors({key: value.contiguous() for key, value in module.state_dict().items()}))


def near(y: torch.Tensor, wanted: torch.Tensor, slack: float = 0.0) -> bool:
    """Whether two tensors agree, relative to the largest number."""
    if y.shape != wanted.shape:
        return False
    good = torch.isfinite(wanted)
    if not torch.equal(good, torch.isfinite(y)):
        return False
    if not bool(good.any()):
        return True
    error = float((y.double() - wanted.double())[good].abs().max())
    return error <= NEAR * max(1e-30, float(wanted[good].abs().max())) + slack


def _run(spec: Spec, graph: Graph, module: torch.nn.Module, reference: Network, seed: int, source: str) -> None:
    plain = [o.value.type.shape for o in graph.outputs if not o.training]
    module.eval()
    for batch in BATCHES:
        given = doubles(inputs(spec, batch, seed))
        with torch.no_grad():
            made, wanted = outputs(module, given), reference.run(given)
        assert [tuple(y.shape) for y in made] == [(batch, *shape) for shape in plain], (
            f"shapes at batch {batch}\n{source}"
        )
        for y, w in zip(made, wanted):
            assert near(y, w), f"other numbers at batch {batch}: {y.flatten()[:5]} and {w.flatten()[:5]}\n{source}"


def _train(spec: Spec, graph: Graph, module: torch.nn.Module, reference: Network, seed: int, source: str) -> None:
    """A step in training: the same numbers from one seed of dropout, and the same running statistics."""
    module.train()
    given = doubles(inputs(spec, 3, seed))
    refused = ""
    with torch.no_grad():
        torch.manual_seed(seed)
        try:
            wanted = reference.run(given, training=True)
        except Rejected as error:  # torch's own: one value for each channel
            refused = str(error)
        torch.manual_seed(seed)
        if refused:
            return
        made = outputs(module, given)
    assert len(made) == len(wanted) == len(graph.outputs), f"outputs in training\n{source}"
    for y, w in zip(made, wanted):
        assert near(y, w), f"other numbers in training\n{source}"
    for key, value in reference.state().items():
        assert near(module.state_dict()[key].float(), value.detach().float()), (
            f"{key} differs behind a step of training\n{source}"
        )
    module.eval()


def hold_onnx(spec: Spec, graph: Graph, module: torch.nn.Module, seed: int) -> None:
    """The same numbers from onnxruntime, as near as torch's own floats are to doubles where these are not near."""
    stream = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        save(module, path)
        onnx_backend.write(graph, stream, weights=str(path))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(stream.getvalue(), options, providers=["CPUExecutionProvider"])
    module.eval()
    for batch in BATCHES:
        given = inputs(spec, batch, seed)
        with torch.no_grad():
            wanted = outputs(module, given)
        lrn = any(isinstance(layer, torch.nn.LocalResponseNorm) for layer in module.modules())
        if not largest(module, given) < (LARGEST_IN_LRN if lrn else LARGEST):
            continue  # past what floats hold, where the two differ in what they give
        expected = {i.name for i in session.get_inputs()}
        made = session.run(None, {name: value.numpy() for name, value in given.items() if name in expected})
        for y, w in zip(made, wanted):
            assert near(torch.from_numpy(np.asarray(y)), w, 0.0) or near(
                torch.from_numpy(np.asarray(y)), w, 20 * rounding(module, given)
            ), f"onnxruntime gives other numbers at batch {batch}: {y.shape} {y.flatten()[:5]} and {w.flatten()[:5]}"


def largest(module: torch.nn.Module, given: dict[str, torch.Tensor]) -> float:
    """The largest number that any layer takes or gives, nan where one is none."""
    found = [0.0]

    def look(layer: torch.nn.Module, *tensors: Any) -> None:
        for part in tensors:
            for value in part if isinstance(part, tuple) else (part,):
                if isinstance(value, torch.Tensor) and value.numel():
                    found.append(float(value.detach().abs().max()))

    hooks = [inner.register_forward_hook(look) for inner in module.modules()]
    with torch.no_grad():
        module(*given.values())
    for hook in hooks:
        hook.remove()
    return float(torch.tensor(found).max())


def rounding(module: torch.nn.Module, given: dict[str, torch.Tensor]) -> float:
    """How far torch's own results are from those in doubles, and these from those where each layer gives a bit else."""
    wide = copy.deepcopy(module).double()
    exact = doubles(given)
    with torch.no_grad():
        wanted = outputs(wide, exact)
        for inner in wide.modules():
            inner.register_forward_hook(_moved)
        found = [*zip(outputs(module, given), wanted), *zip(outputs(wide, exact), wanted)]
        return max(float((a.double() - b).abs().nan_to_num().max()) for a, b in found)


def _moved(module: torch.nn.Module, args: Any, y: Any) -> Any:
    """What a layer gives, each number a few roundings off."""
    if isinstance(y, tuple):
        return tuple(_moved(module, args, part) for part in y)
    if not isinstance(y, torch.Tensor):
        return y
    steps = torch.arange(y.numel(), dtype=y.dtype).reshape(y.shape)
    return y * (1 + 3e-7 * torch.cos(steps))


def hold_copies(spec: Spec, module: torch.nn.Module, seed: int) -> None:
    """Copies of all kinds are the same network."""
    module.eval()
    given = inputs(spec, 2, seed)
    stream = io.BytesIO()
    torch.save(module.state_dict(), stream)
    stream.seek(0)
    fresh: Any = type(module)().eval()
    fresh.load_state_dict(torch.load(stream), strict=True)
    with torch.no_grad():
        wanted = outputs(module, given)
        for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), fresh):
            for y, w in zip(outputs(other, given), wanted):
                assert torch.equal(y, w) or near(y, w), "a copy gives other numbers"
