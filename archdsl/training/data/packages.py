"""Data that packages carry: `builtin:digits`."""

from __future__ import annotations

import torch

from archdsl.training.data.faults import fault
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.stores import TensorStore


def builtin(name: str) -> Found:
    """`builtin:digits`, scikit-learn's 1,797 digits of 8x8, whose 17 greys become 0 to 255; no download.

    Raises ArchError: another name (E701), no scikit-learn (E702).
    """
    if name != "digits":
        raise fault("E701", f"there is no builtin:{name}", file=f"builtin:{name}", help=("builtin:digits",))
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        message = "builtin:digits is scikit-learn's, which is not installed"
        raise fault("E702", message, file="builtin:digits", help=("pip install scikit-learn",)) from None
    digits = load_digits()
    pixels = (torch.from_numpy(digits.images) * (255 / 16)).round().to(torch.uint8)
    labels = torch.from_numpy(digits.target).to(torch.int64)
    part = Part({"": TensorStore(pixels)}, labels, "builtin:digits:{}".format)
    classes = tuple(map(str, range(10)))
    return Found({"train": part}, classes, of_parts({"train": part}, classes))
