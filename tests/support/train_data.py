"""Small data in files, and networks to hold it against."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.syntax.source import Source
from archdsl.training.data import Data, DataOptions, open_data

RGB = "input 3x8x8\nclasses = 2\nCONV(4) - RELU - POOL\nFC - SOFTMAX"
GREY = "input 1x8x8\nclasses = 2\nCONV(4) - RELU - POOL\nFC - SOFTMAX"
DIGITS = "input 1x8x8\nCONV(4) - RELU - POOL\nFC(10) - SOFTMAX"


def network(text: str, constants: Mapping[str, str] | None = None, input: str | None = None) -> Network:
    """The network of a spec."""
    inputs = {} if input is None else {"": input}
    made, findings = build(Source(text, "net.arch"), constants=constants or {}, inputs=inputs, fit=None)
    assert made is not None, findings.errors
    return made


def opened(where: object, text: str, **options: Any) -> Data:
    """The data at a place, held against the network of a spec."""
    return open_data(str(where), network(text), DataOptions(**options))


def refused(where: object, text: str, **options: Any) -> Diagnostic:
    """The one error that says why data is not taken."""
    with pytest.raises(ArchError) as caught:
        opened(where, text, **options)
    [found] = caught.value.diagnostics
    return found


def pixels(seed: int, *shape: int) -> Any:
    """Noise as uint8."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def image(path: Path, seed: int = 0, size: tuple[int, int] = (8, 8), mode: str = "RGB", **options: Any) -> Path:
    """An image file of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,), "CMYK": (4,)}[mode]
    Image.fromarray(pixels(seed, *size, *channels), mode).save(path, **options)
    return path


def folder(root: Path, classes: Sequence[str] = ("cat", "dog"), count: int = 5, **options: Any) -> Path:
    """Class folders with `count` images each."""
    for label, name in enumerate(classes):
        for number in range(count):
            image(root / name / f"{number}.png", 100 * label + number, **options)
    return root


def idx(path: Path, values: Any, compress: bool = False) -> Path:
    """An idx file of an array of uint8."""
    data = bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(data) if compress else data)
    return path


def npz(path: Path, **arrays: Any) -> Path:
    """An .npz file."""
    np.savez(path, **arrays)
    return path
