"""Random numbers that are the same everywhere: of a processor, a system and a version of numpy nothing is left in them.

The bits are SplitMix64's (Steele, Lea and Flood: Fast splittable pseudorandom number generators, 2014): number n is a
hash of where the stream starts plus n times an odd constant, so that many are made at once. What is made of the bits
takes operations alone that IEEE 754 rounds exactly. numpy's own generators, logarithm and sine do not promise as much,
and `numpy.random` takes as long to import as ten million of these numbers.
"""

from __future__ import annotations

import numpy as np

from archdsl.hashes import blake2b

MOST = 1 << 16
"""The most words that are drawn at once: 256 KiB, which stay in the cache."""

ROWS = 5
"""What a space is made of, each as long as MOST numbers: the first two are for words."""

GAMMA = 0x9E3779B97F4A7C15
STEPS = np.arange(1, MOST // 2 + 1, dtype=np.uint64) * np.uint64(GAMMA)
MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
LAST = np.uint64(31)

LOG = np.array([-4.0, -1.33333632, -0.799495795, -0.598515815], np.float32)
"""-2*log((1 + s)/(1 - s)), over s, in s**2: to 7e-10 of it for the numbers from sqrt(1/2) to sqrt(2)."""

SIN = np.array([1.11072073, -0.114191286, 0.00352139322, -5.08416171e-05], np.float32)
"""sqrt(2)*sin(pi/4*t), over t, in t**2: to 4e-9 of it for t from -1 to 1."""

ROOT, POWER, TWO32 = 0x3F3504F3, np.float32(-1.38629436), np.float32(2**32)
"""The bits of sqrt(1/2) as float32; what -2*log has for each power of 2; and the words' range."""


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
        """Float32 numbers of mean 0 and deviation 1, in pairs by Box and Muller (1958): a length and an angle.

        Half the angle has the sine S/sqrt(2), the whole one the sine S*sqrt(2 - S**2) and the cosine 1 - S**2.
        """
        half = (count + 1) // 2
        words = self.words(2 * half)
        a, b = self._space[1:3, : 2 * half].reshape(2, 2, half)
        length = np.sqrt(_squares(words[:half], *a, *b), out=b[1])
        t = words[half:].view(np.float32)
        np.copyto(t, words[half:], casting="unsafe")
        t *= np.float32(2.0**-31)
        square, s = a
        np.multiply(t, t, out=square)
        _polynomial(square, SIN, s)
        s *= t
        np.multiply(s, s, out=square)
        np.subtract(np.float32(2), square, out=b[0])
        np.sqrt(b[0], out=b[0])
        b[0] *= s
        b[0] *= length
        np.subtract(np.float32(1), square, out=square)
        words[:half] <<= 31
        square.view(np.int32)[:] ^= words[:half]  # the left side, by the bit that the length leaves
        length *= square
        return self._space[2, :count]

    def squares(self, count: int) -> np.ndarray:
        """Float32 numbers of mean 2, exponential: the squares of the lengths of pairs of normal numbers."""
        return _squares(self.words(count), *self._space[1:, :count])


def _squares(words: np.ndarray, u: np.ndarray, power: np.ndarray, scratch: np.ndarray, made: np.ndarray) -> np.ndarray:
    """-2*log of numbers above 0 and up to 1, by all bits of the words but the last; all are as long as the words."""
    bits, exponent, moved = u.view(np.int32), power.view(np.int32), scratch.view(np.int32)
    np.bitwise_or(words, np.int32(1), out=bits)
    np.copyto(u, bits.view(np.uint32), casting="unsafe")  # of the number it is 2**32 times
    np.subtract(bits, np.int32(ROOT + (32 << 23)), out=exponent)
    exponent >>= 23  # the number is 2**exponent * m, m from sqrt(1/2) to sqrt(2)
    np.left_shift(exponent, 23, out=moved)
    bits -= moved
    np.add(u, TWO32, out=scratch)
    u -= TWO32
    u /= scratch  # s = (m - 1)/(m + 1)
    np.multiply(u, u, out=scratch)
    _polynomial(scratch, LOG, made)
    made *= u
    np.copyto(power, exponent, casting="unsafe")
    power *= POWER
    made += power
    return made


def _polynomial(x: np.ndarray, coefficients: np.ndarray, made: np.ndarray) -> None:
    """The polynomial with these coefficients, that of x**0 first."""
    np.multiply(x, coefficients[-1], out=made)
    for c in coefficients[-2:0:-1]:
        made += c
        made *= x
    made += coefficients[0]
