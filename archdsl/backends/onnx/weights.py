"""Where the numbers of a file come from: drawn at random, or a weights' file (see `loading`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archdsl.analyses.parameters import Entry
from archdsl.backends.onnx.draws import space
from archdsl.backends.onnx.initialize import initial
from archdsl.backends.onnx.tensors import Data
from archdsl.layers.base import Weight

Numbers = Callable[[str, Weight], Iterator[Data]]
"""A tensor's data in chunks, by its state_dict key; each of them holds until the next one is asked for."""


def drawn(seed: int) -> Numbers:
    """Initial values from a seed."""
    within = space()
    return lambda key, weight: initial(key, weight, seed, within)


def chosen(path: str | None, seed: int, state: Mapping[str, Entry]) -> Numbers:
    """Those of the file at `path`, whose names and shapes must be those of `state`, or else drawn from the seed."""
    if path is None:
        return drawn(seed)
    from archdsl.backends.onnx.loading import loaded  # what reads files takes as long to import as a file to write

    return loaded(path, state)
