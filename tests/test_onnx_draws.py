"""Random numbers: the bits are SplitMix64's, what is made of them is distributed as it should be, and both stay."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from math import erf, exp, sqrt

import numpy as np
import pytest

from archdsl.backends.onnx.draws import MOST, Stream
from archdsl.backends.onnx.initialize import initial
from archdsl.backends.onnx.tensors import joined
from archdsl.layers.base import Init, Weight

COUNT = 40 * MOST


def drawn(make: Callable[[Stream, int], np.ndarray]) -> np.ndarray:
    """COUNT numbers in order of size."""
    stream = Stream("w", 0)
    return np.sort(np.concatenate([make(stream, MOST).copy() for _ in range(COUNT // MOST)]).astype(np.float64))


def test_words_are_splitmix64() -> None:
    """The first numbers after 1234567, as published; and the same in other portions."""
    stream = Stream("", 0)
    stream._state = 1234567
    words = [*stream.words(4).tolist(), *stream.words(6).tolist()]
    assert np.array(words, np.int32).view("<u8").tolist() == [
        6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "below"),
    [
        (lambda s, n: s.uniform(n, -1, 3), lambda x: (x + 1) / 4),
        (lambda s, n: s.normal(n), lambda x: (1 + erf(x / sqrt(2))) / 2),
        (lambda s, n: s.exponential(n), lambda x: 1 - exp(-x)),
        (
            lambda s, n: np.frombuffer(
                joined(initial(str(s.words(1)), Weight((n,), Init("trunc_normal", 0, 3)), 0)), np.float32
            ),
            lambda x: (erf(x / 3 / sqrt(2)) / erf(2 / 3 / sqrt(2)) + 1) / 2,
        ),
    ],
)
def test_distributions(make: Callable[[Stream, int], np.ndarray], below: Callable[[float], float]) -> None:
    """No share of numbers below a bound is further off than chance has it once in 3,000 times (Kolmogorov)."""
    found = drawn(make)
    at = np.arange(0, COUNT, 101)
    wanted = np.array([below(x) for x in found[at]])
    assert np.abs(wanted - (at + 0.5) / COUNT).max() * sqrt(COUNT) < 2.1


def test_normal_numbers_are_independent() -> None:
    """Those of a pair, which share a length and an angle, and neighbours, and their squares."""
    stream = Stream("w", 0)
    pairs = np.concatenate([stream.normal(MOST).reshape(2, -1).copy() for _ in range(40)], axis=1).astype(np.float64)
    for x, y in ((pairs[0], pairs[1]), (pairs[0, 1:], pairs[0, :-1])):
        for a, b in ((x, y), (x * x, y * y), (x * x, y), (np.abs(x), y)):
            assert abs(np.corrcoef(a, b)[0, 1]) * sqrt(len(a)) < 4
    assert 4.5 < np.abs(pairs).max() < 6.7


@pytest.mark.parametrize(
    ("init", "digest"),
    [
        (Init("uniform", -0.25, 0.25), "4f60a898cd00acef"),
        (Init("uniform", 0, 3), "9841419678d6caad"),
        (Init("normal", 1, 0.5), "3f1e9b6ae9b7cd47"),
        (Init("trunc_normal", 0, 0.9), "fce2e465928c6a14"),
        (Init("trunc_normal", 0, 5), "6fdf76f6f802ef83"),
    ],
)
def test_numbers_stay(init: Init, digest: str) -> None:
    """Each bit of them, over several portions: a file of an earlier version can be made again, on any machine."""
    data = joined(initial("w", Weight((2 * MOST + 5,), init), 7))
    assert sha256(data).hexdigest()[:16] == digest
