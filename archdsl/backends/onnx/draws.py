"""Random numbers that are the same everywhere: of a processor, a system and a version of numpy nothing is left in them.

The bits are SplitMix64's (Steele, Lea and Flood: Fast splittable pseudorandom number generators, 2014): number n is a
hash of where the stream starts plus n times an odd constant, so that many are made at once. What is made of the bits
takes operations alone that IEEE 754 rounds exactly. numpy's own generators, logarithm and sine do not promise as much,
and `numpy.random` takes as long to import as ten million of these numbers.
"""

from __future__ import annotations

from math import factorial, log, pi

import numpy as np

from archdsl.hashes import blake2b

MOST = 1 << 15
"""The most words that are drawn at once: 128 KiB, which stay in the cache."""

ROWS = 2
"""What words take of a space, each as long as MOST numbers."""

GAMMA = 0x9E3779B97F4A7C15
STEPS = np.arange(1, MOST // 2 + 1, dtype=np.uint64) * np.uint64(GAMMA)
MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
LAST = np.uint64(31)

SIN = [(-1) ** k / factorial(2 * k + 1) for k in range(6)]  # of x, over x, in x**2: exact to 1e-9 up to pi/4
COS = [(-1) ** k / factorial(2 * k) for k in range(6)]
LOG = [2 / (2 * k + 1) for k in range(5)]  # log((1 + s)/(1 - s)), over s, in s**2: exact to 1e-8 for half an octave


def space() -> np.ndarray:
    """Memory to draw in, which streams may share that are not drawn from at the same time: asked for once, it is
    mapped once."""
    return np.empty((ROWS, MOST), np.float32)


class Stream:
    """Random words of 32 bits, by a name and a seed.

    What it gives lies in its space and holds until it is asked again.
    """

    def __init__(self, name: str, seed: int, within: np.ndarray | None = None) -> None:
        digest = blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
        self._state = int.from_bytes(digest, "little")
        self._space = space() if within is None else within

    def words(self, count: int) -> np.ndarray:
        """The next words, MOST at most, as int32; of an odd number of them the next one is lost."""
        pairs = (count + 1) // 2
        z, shifted = self._space[:2].view(np.uint64)[:, :pairs]
        np.add(STEPS[:pairs], np.uint64(self._state), out=z)
        self._state = (self._state + GAMMA * pairs) % 2**64
        for shift, factor in MIX:
            np.right_shift(z, shift, out=shifted)
            z ^= shifted
            z *= factor
        np.right_shift(z, LAST, out=shifted)
        z ^= shifted
        words: np.ndarray = z.view(np.int32)[:count]
        return words

    def uniform(self, count: int, a: float, b: float) -> np.ndarray:
        """Float32 numbers from a to b, both included."""
        words = self.words(count)
        made = words.view(np.float32)
        np.copyto(made, words, casting="unsafe")  # each number in the place of its word
        made *= np.float32((b - a) / 2**32)
        if a != -b:
            made += np.float32((a + b) / 2)
        return made

    def normal(self, count: int) -> np.ndarray:
        """Float32 numbers of mean 0 and deviation 1, in pairs by Box and Muller (1958): a length and an angle."""
        half = (count + 1) // 2
        words = self.words(2 * half)
        length = _minus_log(words[:half])
        length *= np.float32(2)
        np.sqrt(length, out=length)
        x = words[half:].astype(np.float32)
        x *= np.float32(pi / 4 / 2**31)  # half the angle, which lies on the right side
        square = x * x
        sin, cos = _polynomial(square, SIN), _polynomial(square, COS)
        sin *= x
        made = np.empty((2, half), np.float32)
        np.multiply(sin, cos, out=made[0])
        made[0] += made[0]
        cos *= cos
        sin *= sin
        np.subtract(cos, sin, out=made[1])
        made *= length
        made[1].view(np.int32)[:] ^= words[:half] << 31  # the left side, by the bit that the length leaves
        return made.reshape(-1)[:count]

    def exponential(self, count: int) -> np.ndarray:
        """Float32 numbers of mean 1."""
        return _minus_log(self.words(count))


def _minus_log(words: np.ndarray) -> np.ndarray:
    """-log of numbers above 0 and up to 1, by all bits of the words but the last."""
    u = (words.view(np.uint32) | np.uint32(1)).astype(np.float32)
    u *= np.float32(2.0**-32)
    bits = u.view(np.int32)
    power = (bits - np.int32(0x3F3504F3)) >> np.int32(23)  # u is 2**power * m, m from sqrt(1/2) to sqrt(2)
    bits -= power << np.int32(23)
    s = (u - np.float32(1)) / (u + np.float32(1))
    made = _polynomial(s * s, LOG)
    made *= -s
    made -= power.astype(np.float32) * np.float32(log(2))
    return made


def _polynomial(x: np.ndarray, coefficients: list[float]) -> np.ndarray:
    """The polynomial with these coefficients, that of x**0 first."""
    made: np.ndarray = x * np.float32(coefficients[-1])
    for c in coefficients[-2:0:-1]:
        made += np.float32(c)
        made *= x
    made += np.float32(coefficients[0])
    return made
