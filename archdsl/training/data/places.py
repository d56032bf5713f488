"""What the parts of data are called, as folders and as files."""

from __future__ import annotations

import os

PARTS = {
    "train": ("train", "training"),
    "valid": ("valid", "val", "validation", "dev"),
    "test": ("test", "testing"),
}
"""The parts, and the names that they go by."""


def part_of(name: str) -> str | None:
    """ "valid" for "val": the part that goes by this name, in any case of letters."""
    return next((part for part, names in PARTS.items() if name.lower() in names), None)


def files_of_parts(folder: str, suffixes: tuple[str, ...]) -> dict[str, str]:
    """The files such as `train.csv` in a folder, by part."""
    found = {}
    for name in sorted(os.listdir(folder)):
        stem, suffix = split_suffix(name)
        part = part_of(stem)
        if part is not None and suffix in suffixes:
            found[part] = os.path.join(folder, name)
    return found


def split_suffix(name: str) -> tuple[str, str]:
    """`("train", ".csv")` for train.csv and train.csv.gz."""
    stem, suffix = os.path.splitext(name.lower().removesuffix(".gz"))
    return stem, suffix
