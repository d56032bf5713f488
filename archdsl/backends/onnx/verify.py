"""`--verify`: a written file, held against onnx's checker, onnxruntime and the same network in torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from itertools import product

import numpy as np

from archdsl.analyses.parameters import Entry, state_shapes
from archdsl.annotations import Any
from archdsl.backends.onnx.emit import IR_VERSIONS, Options
from archdsl.backends.onnx.recorder import STORED
from archdsl.backends.onnx.tensors import joined
from archdsl.backends.onnx.weights import Numbers, chosen
from archdsl.graph import Network
from archdsl.records import NamedTuple, replace
from archdsl.symbolic.solve import at, witnesses

NEAR = 1e-4
"""The greatest difference, of the greatest number, at which two results are the same; HALF with weights in halves."""

HALF = {"float16": 1e-2, "bfloat16": 1e-1}
BATCHES = (1, 3)


class Finding(NamedTuple):
    """What one of the three said, and whether that is as it should be."""

    what: str
    says: str
    sound: bool = True


class Ran(NamedTuple):
    """A run of the file: the open sizes, if any, what went in by name, and what came out."""

    point: dict[str, int]
    inputs: dict[str, Any]
    results: list[np.ndarray]


def verify(network: Network, path: str, options: Mapping[str, Any]) -> Iterator[Finding]:
    """What onnx, onnxruntime and torch say of the file at `path`, which was written with these options.

    Where sizes are open it is run at two of the smallest valid ones.
    A package that is not installed is said to be missing, and is no fault.
    """
    yield _checked(path)
    missing = [name for name in ("onnxruntime", "torch") if find_spec(name) is None]
    if "onnxruntime" in missing:
        yield Finding("onnxruntime", "not installed: pip install onnxruntime")
        return
    given = Options(**options)
    made: list[Ran] = []
    try:
        made = list(_run(network, path, given))
    except Exception as error:  # whatever it raises is the finding: it has no tree of errors of its own
        yield Finding("onnxruntime", _too_old(str(error)) or _line(error), False)
        return
    sound = all(np.isfinite(y).all() for ran in made for y in ran.results)
    batches = " and ".join(dict.fromkeys(str(len(next(iter(ran.inputs.values())))) for ran in made if ran.inputs))
    sizes = " and ".join(dict.fromkeys(", ".join(f"{s} = {n}" for s, n in ran.point.items()) for ran in made))
    says = "runs" + (f", batch {batches}" if batches else "") + (f", at {sizes}" if sizes else "")
    yield Finding("onnxruntime", says if sound else f"{says}, and gives numbers that are not finite", True)
    if "torch" in missing:
        yield Finding("torch", "not installed: pip install torch, to compare")
    else:
        yield _compared(network, made, given)


def _checked(path: str) -> Finding:
    if find_spec("onnx") is None:
        return Finding("onnx.checker", "not installed: pip install onnx")
    import onnx

    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:  # the checker, shape inference and the parser each have their own
        return Finding("onnx.checker", _line(error), False)
    return Finding("onnx.checker", "no fault")


def _points(network: Network) -> list[dict[str, int]]:
    """The open sizes to run at: one of none where no size is open."""
    found = witnesses(network)
    return [found[0], found[-1]] if found else [{}]


def _there(network: Network, point: Mapping[str, int]) -> AbstractContextManager[None]:
    """The network as it is at these sizes."""
    return at(network, point) if point else nullcontext()


def _run(network: Network, path: str, options: Options) -> Iterator[Ran]:
    import onnxruntime  # type: ignore[import-untyped,unused-ignore]

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.Generator(np.random.PCG64(0))
    batches = BATCHES if options.batch is None else (options.batch,)
    for point, batch in product(_points(network), batches):
        inputs: dict[str, Any] = {}
        with _there(network, point):
            types = {given.name: given.value.type for given in network.inputs}
        for name, type in types.items():
            shape = (batch, *type.shape)
            if type.dtype == "float":
                inputs[name] = random.standard_normal(shape, dtype=np.float32)
            else:
                inputs[name] = random.integers(0, 2, shape).astype(STORED[type.dtype])
        yield Ran(point, inputs, session.run(None, inputs))


def _compared(network: Network, made: list[Ran], options: Options) -> Finding:
    import torch

    from archdsl.backends.pytorch import emit
    from archdsl.live import instance

    state = state_shapes(network)
    numbers = chosen(options.weights, options.seed, state)
    weights = {key: torch.from_numpy(_array(key, entry, numbers)) for key, entry in state.items()}
    greatest = 0.0
    for ran in made:
        with _there(network, ran.point):
            module = instance(emit(replace(network, open=None), "spec"), network.name).eval()
        module.load_state_dict(weights)
        with torch.no_grad():
            run = module.logits if options.logits else module
            wanted = run(*(torch.from_numpy(value) for value in ran.inputs.values()))
        for mine, theirs in zip(ran.results, _flat(wanted)):
            expected = theirs.detach().numpy()  # a PARAM as a result wants a gradient even here
            if expected.shape != mine.shape:
                return Finding("torch", f"gives {expected.shape}, and the file {mine.shape}", False)
            difference = np.abs(mine.astype(np.float64) - expected.astype(np.float64))
            scale = max(1e-30, float(np.abs(expected.astype(np.float64)).max(initial=0)))
            greatest = max(greatest, float(np.nan_to_num(difference, nan=0.0).max(initial=0)) / scale)
            if not np.array_equal(np.isnan(mine), np.isnan(expected)):
                return Finding("torch", "has other places where there is no number", False)
    near = NEAR if options.half is None else HALF[options.half]
    says = f"the greatest difference is {greatest:.1e} of the greatest number"
    return Finding("torch", says if greatest <= near else f"{says}, above {near:g}", greatest <= near)


def _array(key: str, entry: Entry, numbers: Numbers) -> np.ndarray:
    data = bytearray(joined(numbers(key, entry.weight)))
    return np.frombuffer(data, dtype=STORED[entry.weight.dtype]).reshape(entry.weight.shape)


def _flat(value: Any) -> list[Any]:
    """The tensors of a result: one, or those of a tuple or a dictionary in order."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _too_old(refusal: str) -> str | None:
    """In words that the onnxruntime installed is older than the file's format; None where it says something else."""
    found = re.search(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)", refusal)
    if found is None:
        return None
    opsets = [opset for opset, version in IR_VERSIONS.items() if version <= int(found[2])]
    return (
        f"the one that is installed reads files of IR version {found[2]} at most, and this has {found[1]}: "
        f"install a newer one, or compile with --opset {max(opsets)}"
    )


def _line(error: Exception) -> str:
    """The first line of what it says."""
    return (str(error).strip() or type(error).__name__).split("\n")[0][:300]
