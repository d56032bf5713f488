"""Tensors as pictures: maps as small grey images side by side, vectors as cells, tables as heat maps.

In the picture of a tensor black is its least number and white its greatest, so that its channels can be compared.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from PIL import Image

MOST_TILES = 64
"""Channels of a tensor that are shown."""
MOST_CELLS = 1024
"""Numbers of a vector that are shown."""
LARGEST = 64
"""Pixels: the sides of a larger map are reduced to it."""
ENLARGED = 56
"""Pixels that the sides of a smaller map should about have."""
WIDEST = 880
"""Pixels of a row of tiles."""
TABLE = (128, 440)
"""Rows and columns of a table that are shown."""
GAP = 2

Array = np.ndarray[Any, Any]


class Picture(NamedTuple):
    """A tensor as an image on a transparent ground, the numbers that black and white stand for, what is not shown."""

    image: Image.Image
    low: float
    high: float
    notes: tuple[str, ...]


def picture(value: Array) -> Picture:
    """The picture of one tensor without the batch, of any shape."""
    numbers = np.asarray(value, dtype=np.float32)
    finite = np.isfinite(numbers)
    notes = [] if finite.all() else [f"{int((~finite).sum()):,} numbers are not finite, shown black"]
    low, high = (float(numbers[finite].min()), float(numbers[finite].max())) if finite.any() else (0.0, 0.0)
    grey = _grey(np.where(finite, numbers, low), low, high)
    while grey.ndim > 3:
        axis = grey.shape[1]
        notes.append(f"of an axis of {axis} its middle, {axis // 2}")
        grey = grey[:, axis // 2]
    if grey.ndim == 3:
        drawn = _tiles([*grey[:MOST_TILES]])
        if len(grey) > MOST_TILES:
            notes.append(f"the first {MOST_TILES} of {len(grey):,} channels")
    elif grey.ndim == 2:
        drawn = _table(grey[: TABLE[0], : TABLE[1]])
        if grey.shape[0] > TABLE[0] or grey.shape[1] > TABLE[1]:
            notes.append(f"the first {min(grey.shape[0], TABLE[0])}x{min(grey.shape[1], TABLE[1])} numbers")
    else:
        cells = grey.reshape(-1)
        drawn = _tiles([cell.reshape(1, 1) for cell in cells[:MOST_CELLS]], 12)
        if len(cells) > MOST_CELLS:
            notes.append(f"the first {MOST_CELLS:,} of {len(cells):,} numbers")
    return Picture(drawn, low, high, tuple(notes))


def filters(weight: Array) -> Picture:
    """The filters of a CONV on images, FxCxHxW: in colours where C is 3, else a grey image for each of the FxC."""
    low, high = float(weight.min()), float(weight.max())
    grey = _grey(weight, low, high)
    if weight.ndim == 4 and weight.shape[1] == 3:
        tiles, count = [*grey[:MOST_TILES].transpose(0, 2, 3, 1)], len(grey)
    else:
        middle = grey if grey.ndim <= 4 else grey[:, :, grey.shape[2] // 2]
        rows = middle if middle.ndim == 4 else middle[:, :, None]
        tiles, count = [*rows.reshape(-1, *rows.shape[2:])[:MOST_TILES]], rows.shape[0] * rows.shape[1]
    notes = (f"the first {MOST_TILES} of {count:,}",) if count > MOST_TILES else ()
    return Picture(_tiles(tiles), low, high, notes)


def colours(value: Array) -> Picture:
    """An input: an image, 3xHxW or 1xHxW, large and the former in colours, anything else as any tensor."""
    if value.ndim != 3 or len(value) not in (1, 3):
        return picture(value)
    low, high = float(value.min()), float(value.max())
    grey = _grey(value, low, high)
    return Picture(_tiles([grey.transpose(1, 2, 0) if len(value) == 3 else grey[0]], 224, 224), low, high, ())


def _grey(numbers: Array, low: float, high: float) -> Array:
    if high <= low:
        return np.full(numbers.shape, 128, np.uint8)
    return np.round((numbers.astype(np.float64) - low) / (high - low) * 255).astype(np.uint8)


def _tiles(tiles: list[Array], enlarged: int = ENLARGED, largest: int = LARGEST) -> Image.Image:
    """Equally large images, grey (HxW) or coloured (HxWx3), in rows."""
    sized = [_resized(tile, enlarged, largest) for tile in tiles]
    height, width = sized[0].shape[:2]
    across = max(1, min(len(sized), (WIDEST + GAP) // (width + GAP)))
    down = -(-len(sized) // across)
    bands = 2 if sized[0].ndim == 2 else 4  # the last of them is how opaque it is
    canvas = np.zeros((down * (height + GAP) - GAP, across * (width + GAP) - GAP, bands), np.uint8)
    for i, tile in enumerate(sized):
        y, x = i // across * (height + GAP), i % across * (width + GAP)
        canvas[y : y + height, x : x + width, :-1] = tile.reshape(height, width, bands - 1)
        canvas[y : y + height, x : x + width, -1] = 255
    return Image.fromarray(canvas)


def _table(grey: Array) -> Image.Image:
    """A heat map: the first axis goes down, the last across."""
    factor = max(1, min(12, WIDEST // grey.shape[1], 256 // grey.shape[0]))
    return Image.fromarray(grey.repeat(factor, 0).repeat(factor, 1)).convert("LA")


def _resized(tile: Array, enlarged: int, largest: int) -> Array:
    height, width = tile.shape[:2]
    side = max(height, width)
    if side > largest:
        size = (max(1, round(width * largest / side)), max(1, round(height * largest / side)))
        return np.asarray(Image.fromarray(tile).resize(size, Image.Resampling.BOX))
    factor = max(1, enlarged // side)
    return tile.repeat(factor, 0).repeat(factor, 1)
