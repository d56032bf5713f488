"""Random numbers: the bits are SplitMix64's, what is made of them is distributed as it should be, and both stay."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from math import erf, erfc, exp, pi, sqrt

import numpy as np
import pytest

from archdsl.backends.onnx.draws import MOST, Stream
from archdsl.backends.onnx.initialize import initial
from archdsl.backends.onnx.tensors import joined
from archdsl.layers.base import Init, Weight

COUNT = 20 * MOST
PART, MANY = 25_000, 10_000_000


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
        (lambda s, n: s.squares(n), lambda x: 1 - exp(-x / 2)),
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


def test_normal_numbers_are_as_in_double_precision() -> None:
    """What float32 and short polynomials leave of a length and an angle."""
    words = Stream("w", 0).words(MOST).astype(np.int64).reshape(2, -1)
    share = (words[0] % 2**32 | 1).astype(np.float32).astype(np.float64) / 2**32
    length = np.sqrt(-2 * np.log(share))
    angle = words[1] * (pi / 2**32) + np.where(words[0] % 2, pi, 0)
    found = Stream("w", 0).normal(MOST).reshape(2, -1)
    assert np.abs(np.abs(found[0]) - length * np.abs(np.sin(angle))).max() < 1e-6
    assert np.abs(found[1] - length * np.cos(angle)).max() < 1e-6


def expected(bounds: np.ndarray) -> np.ndarray:
    """How many of ten million normal numbers lie between two bounds."""
    below = [erfc(-x / sqrt(2)) / 2 if x < 0 else 1 - erfc(x / sqrt(2)) / 2 for x in bounds]
    return np.diff(below) * MANY


def fits(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether counts are as far from what is expected as chance has it (chi-square), but for once in 30,000 times."""
    total = float(np.sum((found - wanted) ** 2 / wanted))
    return abs(total - len(found)) < 4 * sqrt(2 * len(found))


def test_the_density_of_normal_numbers() -> None:
    """Ten million of them: moments, tails, and no gap nor heap in thousandths, or 100,000ths where they are dense."""
    stream = Stream("w", 0)
    numbers = np.concatenate([stream.normal(PART).copy() for _ in range(MANY // PART)]).astype(np.float64)
    power = np.ones(MANY)
    for mean, variance in ((0, 1), (1, 2), (0, 15), (3, 96), (0, 945), (15, 10170)):
        power *= numbers
        assert abs(np.mean(power) - mean) < 4 * sqrt(variance / MANY)
    for reach, width in ((4, 1e-3), (0.01, 1e-5)):
        inside = numbers[np.abs(numbers) < reach]
        cells = round(2 * reach / width)
        found = np.bincount(((inside + reach) / width).astype(np.int64), minlength=cells)
        assert fits(found[:cells], expected(np.arange(cells + 1) * width - reach))
    for bound in (3.5, 4, 4.5, 5):
        wanted = MANY * erfc(bound / sqrt(2)) / 2
        for tail in (numbers > bound, numbers < -bound):
            assert abs(tail.sum() - wanted) < 4 * sqrt(wanted)
    assert 5 < np.abs(numbers).max() < 6.7


def independent(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether numbers, their squares and their sizes are as uncorrelated as chance has it."""
    return all(
        abs(np.corrcoef(a, b)[0, 1]) * sqrt(len(a)) < 4
        for a, b in ((x, y), (x * x, y * y), (x * x, y), (np.abs(x), y), (x, y * y))
    )


@pytest.mark.parametrize("make", [lambda s: s.normal(MOST), lambda s: s.uniform(MOST, -1, 1)])
def test_numbers_are_independent(make: Callable[[Stream], np.ndarray]) -> None:
    """Those of a pair, which share a word or a length and an angle, neighbours, and those of streams of other names
    and seeds."""
    streams = [Stream(name, seed) for name, seed in (("w", 0), ("x", 0), ("w", 1))]
    x, *others = (np.concatenate([make(s).astype(np.float64) for _ in range(20)]) for s in streams)
    pairs = x.reshape(20, 2, -1)
    assert independent(pairs[:, 0].ravel(), pairs[:, 1].ravel())
    for far in (1, 2, 3, MOST // 2, MOST):
        assert independent(x[far:], x[:-far])
    for y in others:
        assert independent(x, y)


@pytest.mark.parametrize(
    ("init", "digest"),
    [
        (Init("uniform", -0.25, 0.25), "b3d31cb54509cdec"),
        (Init("uniform", 0, 3), "b7e8a2f28eea72c2"),
        (Init("normal", 1, 0.5), "08ddba3158306f55"),
        (Init("trunc_normal", 0, 0.9), "df50804466956c92"),
        (Init("trunc_normal", 0, 5), "c39f8b80efae19fc"),
    ],
)
def test_numbers_stay(init: Init, digest: str) -> None:
    """Each bit of them, over several portions: a file of an earlier version can be made again, on any machine."""
    data = joined(initial("w", Weight((2 * MOST + 5,), init), 7))
    assert sha256(data).hexdigest()[:16] == digest
