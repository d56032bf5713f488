"""Weights from a file that has just the right names and shapes."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping

from archdsl.analyses.parameters import Entry
from archdsl.backends.onnx.files import KINDS, Held, WeightsFile
from archdsl.backends.onnx.initialize import initial
from archdsl.backends.onnx.safetensors import SafeTensors
from archdsl.backends.onnx.statedict import StateDict
from archdsl.backends.onnx.tensors import Data
from archdsl.backends.onnx.weights import Numbers
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.layers.base import Weight
from archdsl.tensor import show_shape

MOST_NOTES = 1000
"""Differences that are listed."""


def loaded(path: str, state: Mapping[str, Entry]) -> Numbers:
    """The numbers in the file at `path`, whose names and shapes must be those of `state`.

    It is torch's own state_dict where the name ends so (.pt, .pth, .bin, .ckpt), else safetensors. Counters such as
    num_batches_tracked may be missing. Raises ArchError: E601 with all that is missing, left over or of another
    shape, E602 where the file cannot be read.
    """
    file = opened(path)
    notes, help = _differences(state, file.tensors)
    if notes:
        count = f"{len(notes)} differences" if len(notes) > 1 else "1 difference"
        message = f"the weights in the file are not those of the network: {count}"
        if len(notes) > MOST_NOTES:
            notes = (*notes[:MOST_NOTES], f"and {len(notes) - MOST_NOTES:,} more")
        raise ArchError([Diagnostic("E601", message, notes=notes, help=help, file=path)])

    def numbers(key: str, weight: Weight) -> Iterator[Data]:
        if key in file.tensors:
            return file.chunks(key, weight.dtype)
        return initial(key, weight, 0)  # a counter, or a buffer that no state_dict holds

    return numbers


def opened(path: str) -> WeightsFile:
    """The file of weights at `path`, of the kind that its name says."""
    return StateDict(path) if path.lower().endswith((".pt", ".pth", ".bin", ".ckpt")) else SafeTensors(path)


def _differences(state: Mapping[str, Entry], held: Mapping[str, Held]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A line for each difference, and what may be the cause."""
    notes = []
    missing = [key for key, entry in state.items() if key not in held and not _counter(entry)]
    extra = [key for key in held if key not in state]
    for key, (weight, _) in state.items():
        if key in held and held[key].shape != weight.shape:
            notes.append(
                f"{key} is {show_shape(weight.shape)} in the network and {show_shape(held[key].shape)} in the file"
            )
        elif key in held and held[key].dtype not in KINDS[weight.dtype]:
            notes.append(f"{key} is of {weight.dtype} in the network and {held[key].dtype} in the file")
    prefix = _prefix(missing, extra)
    near = {}
    for key in () if prefix else missing:
        near[key] = _near(key, [name for name in extra if held[name].shape == state[key].weight.shape])
    offered = Counter(near.values())
    for key in missing:
        hint = f"; did you mean {near[key]}?" if near.get(key) and offered[near[key]] == 1 else ""
        notes.append(f"{key} ({show_shape(state[key].weight.shape)}) is missing in the file{hint}")
    notes += [f"{key} ({show_shape(held[key].shape)}) is not in the network" for key in extra]
    return tuple(notes), (f"the file's names all begin with {prefix!r}: save them without it",) if prefix else ()


def _counter(entry: Entry) -> bool:
    return entry.is_buffer and entry.weight.dtype == "int" and entry.weight.shape == ()


def _near(key: str, names: list[str]) -> str:
    """The nearest name; none where nothing is near, or where looking would take long."""
    found = difflib.get_close_matches(key, names, n=1, cutoff=0.8) if len(names) <= 100 else []
    return found[0] if found else ""


def _prefix(missing: list[str], extra: list[str]) -> str:
    """What all names of the file have before the network's, such as `module.` of a wrapper."""
    if not missing:
        return ""
    names = set(extra)
    prefixes = (name.removesuffix(missing[0]) for name in extra if name.endswith(missing[0]))
    return next((prefix for prefix in prefixes if all(prefix + key in names for key in missing)), "")
