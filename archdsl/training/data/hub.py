"""`hf:NAME`: image classification sets by Hugging Face's `datasets`, from the hub or from a folder that it saved."""

from __future__ import annotations

import os
from typing import Any

import torch

from archdsl.training.data.faults import fault, some
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.places import part_of


def read_hub(name: str) -> Found:
    """All parts of a set; what is fetched is kept where `datasets` keeps it, and no code of the set is run.

    Raises ArchError: no `datasets` (E702), a set that cannot be had (E700), columns that are not an image and a class
    (E715).
    """
    place = f"hf:{name}"
    try:
        import datasets
    except ImportError:
        help = ("pip install datasets",)
        raise fault("E702", "hf: needs the package datasets, which is not installed", file=place, help=help) from None
    try:
        found = datasets.load_from_disk(name) if os.path.isdir(name) else datasets.load_dataset(name)
    except (OSError, ValueError, RuntimeError) as error:  # what its many errors derive from
        raise fault("E700", f"datasets cannot open it: {str(error).splitlines()[0]}", file=place) from None
    if isinstance(found, datasets.Dataset):
        found = {"train": found}
    parts: dict[str, Part] = {}
    classes: tuple[str, ...] = ()
    for key, data in found.items():
        part = part_of(key)
        if part is None:
            continue
        image = [n for n, f in data.features.items() if isinstance(f, datasets.Image)]
        label = [n for n, f in data.features.items() if isinstance(f, datasets.ClassLabel)]
        if len(image) != 1 or len(label) != 1:
            message = f"its columns are {some(list(data.features))}, and there have to be one image and one class"
            raise fault("E715", message, file=place)
        classes = tuple(data.features[label[0]].names)
        rows = _Rows(data.cast_column(image[0], datasets.Image(decode=False)), image[0], f"{place}:{key}")
        parts[part] = Part({"": rows}, torch.tensor(list(data[label[0]]), dtype=torch.int64), rows.name)
    if not parts:
        raise fault(
            "E715", f"it has the parts {some(list(found))} and none called train, validation or test", file=place
        )
    return Found(parts, classes, of_parts(parts, classes))


class _Rows:
    """A column of a set, as Encoded images are."""

    def __init__(self, data: Any, column: str, title: str) -> None:
        self._data = data
        self._column = column
        self._title = title

    def __len__(self) -> int:
        return len(self._data)

    def read(self, index: int) -> bytes | str:
        cell = self._data[index][self._column]
        found: bytes | str = cell["bytes"] if cell["bytes"] is not None else cell["path"]
        return found

    def name(self, index: int) -> str:
        return f"{self._title}[{index}]"
