"""Random values for weights: each tensor by a stream of its own, so that no order matters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from archdsl.backends.onnx import wire
from archdsl.backends.onnx.draws import MOST, Stream
from archdsl.backends.onnx.recorder import STORED
from archdsl.backends.onnx.tensors import Data
from archdsl.layers.base import Weight
from archdsl.layers.initialization import CUT
from archdsl.tensor import product

CHUNK = MOST  # elements made at a time


def initial(key: str, weight: Weight, seed: int, within: np.ndarray | None = None) -> Iterator[Data]:
    """The tensor's data in chunks, little-endian: float32, int64 or bool by `weight.dtype`.

    The values depend on the seed and the state_dict key alone. They are made in the space `within`, which others may
    use meanwhile no more than one of them. Raises ValueError for a kind of
    initialisation that is none of Init's.
    """
    zero, position = weight.init.zero, 0
    row = product(weight.shape[1:]) * wire.WIDTHS[weight.dtype]
    for part in _values(key, weight, seed, within):
        if zero is not None:
            part = _cleared(part, zero * row - position, row)
        position += len(part)
        yield part


def _cleared(part: Data, start: int, length: int) -> Data:
    """The part with the bytes from `start` on set to 0, as far as they lie in it."""
    begin, end = max(0, start), min(len(part), start + length)
    return b"".join((part[:begin], bytes(end - begin), part[end:])) if begin < end else part


def _values(key: str, weight: Weight, seed: int, within: np.ndarray | None) -> Iterator[Data]:
    """What `initial` gives, but for the row that is 0."""
    count = product(weight.shape)
    kind, a, b, values, _ = weight.init
    if kind == "values":
        yield np.asarray(values, dtype=STORED[weight.dtype]).reshape(weight.shape).tobytes()
    elif kind == "constant":
        part = np.full(min(count, CHUNK), a, dtype=STORED[weight.dtype]).tobytes()
        for size in _parts(count):
            yield part if size == CHUNK else part[: size * wire.WIDTHS[weight.dtype]]
    elif kind in ("uniform", "normal", "trunc_normal"):
        stream = Stream(key, seed, within)
        for size in _parts(count):
            if kind == "uniform":
                made = stream.uniform(size, a, b)
            elif kind == "normal":
                made = stream.normal(size)
                made *= np.float32(b)
                made += np.float32(a)
            else:
                made = _trunc_normal(stream, size, b)
            yield made.astype("<f4", copy=False).view(np.uint8).data
    else:
        raise ValueError(f"{key}: unknown initialisation {kind!r}")


def _parts(count: int) -> Iterator[int]:
    for start in range(0, count, CHUNK):
        yield min(CHUNK, count - start)


def _trunc_normal(stream: Stream, count: int, deviation: float) -> np.ndarray:
    """Normal around 0, where what lies beyond CUT is drawn again; a wide one is drawn as a uniform that is thinned."""
    made = np.empty(0, np.float32)
    while len(made) < count:
        size = count - len(made)
        if deviation <= CUT:
            more = stream.normal(size) * np.float32(deviation)
            kept = np.abs(more) <= CUT
        else:
            more = stream.uniform(size, -CUT, CUT).copy()
            kept = np.square(more / np.float32(deviation)) <= stream.squares(size)
        made = np.concatenate([made, more[kept]])
    return made
