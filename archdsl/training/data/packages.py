"""Data that Python packages carry or fetch: `builtin:digits`, `torchvision:NAME@FOLDER`."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from PIL import Image
from torch import Tensor

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


def torchvision(rest: str) -> Found:
    """`NAME@FOLDER`: a classification set of torchvision.datasets; what FOLDER lacks of it is downloaded there.

    Raises ArchError: no torchvision (E702), no such set or no folder named (E701), no classes (E708), a download that
    failed or a folder that holds something else (E700).
    """
    name, _, folder = rest.partition("@")
    place = f"torchvision:{rest}"
    try:
        from torchvision import datasets
    except ImportError:
        message = "torchvision is not installed"
        raise fault("E702", message, file=place, help=("pip install torchvision",)) from None
    kind = getattr(datasets, name, None) if name in datasets.__all__ else None
    if not (isinstance(kind, type) and issubclass(kind, datasets.VisionDataset)) or kind is datasets.VisionDataset:
        raise fault("E701", f"torchvision has no data called {name}", file=place)
    takes = inspect.signature(kind).parameters
    if "root" in takes and not folder:
        message = "no folder is named to keep the data in"
        raise fault("E701", message, file=place, help=(f"torchvision:{name}@data",))
    options: dict[str, Any] = {**({"root": folder} if "root" in takes else {})}
    options.update({"download": True} if "download" in takes else {})
    parts = {}
    classes: tuple[str, ...] = ()
    for part, choice in _choices(takes):
        try:
            data = kind(**options, **choice)
        except ValueError as error:
            if part == "valid":
                continue  # most have none, and say so like this
            raise fault("E700", f"torchvision cannot open it: {str(error).splitlines()[0]}", file=place) from None
        except (RuntimeError, TypeError) as error:  # the second where the set takes more arguments than we know
            raise fault("E700", f"torchvision cannot open it: {str(error).splitlines()[0]}", file=place) from None
        classes = tuple(map(str, getattr(data, "classes", ())))
        parts[part] = Part({"": _Made(data, f"{place}:{part}")}, _targets(data, place), f"{place}:{part}[{{}}]".format)
    return Found(parts, classes, of_parts(parts, classes))


def _choices(takes: Any) -> list[tuple[str, dict[str, Any]]]:
    """The arguments that choose each part."""
    if "train" in takes:
        return [("train", {"train": True}), ("test", {"train": False})]
    if "split" in takes:
        return [(part, {"split": name}) for part, name in (("train", "train"), ("valid", "val"), ("test", "test"))]
    return [("train", {})]


class _Made:
    """A torchvision dataset's images, as Encoded ones are."""

    def __init__(self, data: Any, title: str) -> None:
        self._data = data
        self._title = title

    def __len__(self) -> int:
        return len(self._data)

    def read(self, index: int) -> Image.Image:
        image: Image.Image = self._data[index][0]
        return image

    def name(self, index: int) -> str:
        return f"{self._title}[{index}]"


def _targets(data: Any, place: str) -> Tensor:
    """The labels, from a list of them where the dataset keeps one, else sample by sample; raises ArchError (E708)."""
    for name in ("targets", "labels", "_labels"):
        if hasattr(data, name):
            found = getattr(data, name)
            break
    else:
        found = [data[index][1] for index in range(len(data))]
    try:
        return torch.as_tensor(found, dtype=torch.int64)
    except (TypeError, ValueError, RuntimeError):
        raise fault("E708", "its targets are not one class for each image", file=place) from None
