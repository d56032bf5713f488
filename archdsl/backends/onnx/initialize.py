"""Random values for weights: each tensor by a stream of its own, so that no order matters."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

from archdsl.backends.onnx import wire
from archdsl.backends.onnx.recorder import STORED
from archdsl.layers.base import Weight
from archdsl.layers.initialization import CUT
from archdsl.tensor import product

CHUNK = 1 << 14  # elements made at a time: 64 KiB of float32 stay in the cache, and malloc keeps them for the next


def initial(key: str, weight: Weight, seed: int) -> Iterator[bytes]:
    """The tensor's data in chunks, little-endian: float32, int64 or bool by `weight.dtype`.

    The values depend on the seed and the state_dict key alone. Raises ValueError for a kind of
    initialisation that is none of Init's.
    """
    zero, position = weight.init.zero, 0
    row = product(weight.shape[1:]) * wire.WIDTHS[weight.dtype]
    for part in _values(key, weight, seed):
        if zero is not None:
            part = _cleared(part, zero * row - position, row)
        position += len(part)
        yield part


def _cleared(part: bytes, start: int, length: int) -> bytes:
    """The part with the bytes from `start` on set to 0, as far as they lie in it."""
    begin, end = max(0, start), min(len(part), start + length)
    return part[:begin] + bytes(end - begin) + part[end:] if begin < end else part


def _values(key: str, weight: Weight, seed: int) -> Iterator[bytes]:
    """What `initial` gives, but for the row that is 0."""
    count = product(weight.shape)
    kind, a, b, values, _ = weight.init
    if kind == "values":
        yield np.asarray(values, dtype=STORED[weight.dtype]).reshape(weight.shape).tobytes()
    elif kind == "constant":
        part = np.full(min(count, CHUNK), a, dtype=STORED[weight.dtype]).tobytes()
        for size in _parts(count):
            yield part if size == CHUNK else part[: size * wire.WIDTHS[weight.dtype]]
    elif kind == "uniform":
        yield from _uniform(_stream(key, seed), count, a, b)
    elif kind == "normal":
        yield from _normal(_stream(key, seed), count, a, b)
    elif kind == "trunc_normal":
        yield from _trunc_normal(_stream(key, seed), count, b)
    else:
        raise ValueError(f"{key}: unknown initialisation {kind!r}")


def _parts(count: int) -> Iterator[int]:
    for start in range(0, count, CHUNK):
        yield min(CHUNK, count - start)


def _stream(key: str, seed: int) -> np.random.SFC64:
    """The quickest of numpy's generators, keyed by a hash."""
    digest = blake2b(f"{seed}:{key}".encode(), digest_size=16).digest()
    return np.random.SFC64(int.from_bytes(digest, "little"))


def _uniform(stream: np.random.SFC64, count: int, a: float, b: float) -> Iterator[bytes]:
    """Between a and b, 32 random bits each: raw bits scaled, which is quicker than `Generator.random` and the
    same in every version of numpy."""
    scale, middle = np.float32((b - a) / 2**32), np.float32((a + b) / 2)
    for size in _parts(count):
        bits = np.asarray(stream.random_raw((size + 1) // 2), dtype=np.uint64)
        made = bits.view(np.int32)[:size].astype(np.float32)
        made *= scale
        if middle:
            made += middle
        yield made.astype("<f4", copy=False).tobytes()


def _normal(stream: np.random.SFC64, count: int, mean: float, deviation: float) -> Iterator[bytes]:
    generator = np.random.Generator(stream)
    for size in _parts(count):
        made = generator.standard_normal(size, dtype=np.float32)
        made *= np.float32(deviation)
        made += np.float32(mean)
        yield made.astype("<f4", copy=False).tobytes()


def _trunc_normal(stream: np.random.SFC64, count: int, deviation: float) -> Iterator[bytes]:
    """Normal around 0, where what lies beyond CUT is drawn again; a wide one is drawn as a uniform that is thinned."""
    generator = np.random.Generator(stream)

    def draw(size: int) -> np.ndarray:
        if deviation <= CUT:
            made = generator.standard_normal(size, dtype=np.float32) * np.float32(deviation)
            kept = np.abs(made) <= CUT
        else:
            made = generator.uniform(-CUT, CUT, size).astype(np.float32)
            kept = generator.random(size) < np.exp(-((made / deviation) ** 2) / 2)
        return np.asarray(made[kept])

    for size in _parts(count):
        part = draw(size)
        while len(part) < size:
            part = np.concatenate([part, draw(size - len(part))])
        yield part.astype("<f4", copy=False).tobytes()
