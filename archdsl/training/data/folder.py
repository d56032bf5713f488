"""A folder of class folders of images: `train/cat/004.png`, or `cat/004.png` where the parts are to be made.

Images that lie in a folder without class folders have no class: `004.png`, as an autoencoder may take them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import torch

from archdsl.training.data.faults import counted, printable, some
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.images import SUFFIXES
from archdsl.training.data.labels import check_same, ordered
from archdsl.training.data.pictures import Files
from archdsl.training.data.places import part_of


def is_folder_of_images(folder: str) -> bool:
    """Whether there are images in this folder, or in its class folders or parts."""
    return any(_is_image(path) for root in _roots(folder).values() for path in _files(root))


def read_folder(folder: str) -> Found:
    """All images by part and class; raises ArchError (E703) where parts have other classes."""
    roots = _roots(folder)
    classes = {part: ordered(_folders(root)) for part, root in roots.items()}
    check_same({os.path.basename(roots[part]): names for part, names in classes.items()}, folder)
    names = next(iter(classes.values()))
    parts: dict[str, Part] = {}
    others: list[str] = []
    for part, root in roots.items():
        paths: list[str] = []
        labels: list[int] = []
        for label, name in enumerate(names or [""]):  # images that lie in no class folder have no class
            found = sorted(_files(os.path.join(root, name)))
            images = [path for path in found if _is_image(path)]
            others += [path for path in found if not _is_image(path)]
            paths += images
            labels += [label] * len(images)
        if names:
            others += [entry.path for entry in _entries(root) if not entry.is_dir()]
        shown = _below(folder, paths)
        target = torch.tensor(labels, dtype=torch.int64) if names else None
        parts[part] = Part({"": Files(paths, shown)}, target, shown.__getitem__)
    notes: tuple[str, ...] = ()
    if others:
        told = some(_below(folder, others))
        notes = (f"left out: {counted(len(others), 'file')} that no image of a class is called as: {told}",)
    shown_names = tuple(map(printable, names))
    return Found(parts, shown_names, of_parts(parts, shown_names), notes)


def _roots(folder: str) -> dict[str, str]:
    """The folders that hold class folders, by part; the folder itself, as "train", where it has no parts in it.

    A folder called train that holds images beside folders of other names is a class, of trains.
    """
    folders = _folders(folder)
    parts = {part: os.path.join(folder, name) for name in folders if (part := part_of(name))}
    nested = [part for part, root in parts.items() if _folders(root)]
    if "train" in nested or (len(parts) == len(folders) and (nested or len(parts) > 1)):
        return {part: parts[part] for part in ("train", "valid", "test") if part in parts}
    return {"train": folder}


def _folders(folder: str) -> list[str]:
    return sorted(entry.name for entry in _entries(folder) if entry.is_dir())


def _files(folder: str) -> Iterator[str]:
    """The paths of all files below a folder; links are followed, to each folder once."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        status = os.stat(here)
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in _entries(here):
            if entry.is_dir():
                waiting.append(entry.path)
            else:
                yield entry.path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in a folder, but for what is hidden."""
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)


def _is_image(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in SUFFIXES


def _below(folder: str, paths: list[str]) -> list[str]:
    return [printable(os.path.relpath(path, folder).replace(os.sep, "/")) for path in paths]
