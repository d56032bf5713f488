"""Means and rates of a run, as the reporters show them."""

from __future__ import annotations

import time
from collections.abc import Callable

RECENT = 0.3
"""How much the last stretch counts in the rate; the rest are those before it."""


class Meter:
    """Means of loss and accuracy over an epoch, by images, and the images a second of late.

    `loss` and `accuracy` are None before the first step of an epoch; `rate` is 0 until it is known.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self.rate = 0.0
        self._images = 0
        self._loss = 0.0
        self._right: float | None = 0.0

    def step(self, loss: float, accuracy: float | None, images: int) -> None:
        """Count `images` whose mean loss and accuracy these are."""
        now = self._clock()
        if now > self._since and images:
            rate = images / (now - self._since)
            self.rate = rate if not self.rate else RECENT * rate + (1 - RECENT) * self.rate
        self._since = now
        self._images += images
        self._loss += loss * images
        self._right = None if accuracy is None or self._right is None else self._right + accuracy * images

    def pause(self) -> None:
        """Go on counting time from now: what lay between was no training."""
        self._since = self._clock()

    def restart(self) -> None:
        """Begin an epoch: means anew, the rate stays."""
        self.pause()
        self._images, self._loss, self._right = 0, 0.0, 0.0

    @property
    def loss(self) -> float | None:
        """The mean loss of the epoch so far."""
        return self._loss / self._images if self._images else None

    @property
    def accuracy(self) -> float | None:
        """The part of the epoch's images so far that was right, None where there are no classes."""
        return self._right / self._images if self._images and self._right is not None else None
