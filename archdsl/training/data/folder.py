"""A folder of class folders of images: `train/cat/004.png`, or `cat/004.png` where the parts are to be made."""

from __future__ import annotations

import os

import torch

from archdsl.training.data.faults import counted, some
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.images import SUFFIXES
from archdsl.training.data.labels import check_same, ordered
from archdsl.training.data.pictures import Files
from archdsl.training.data.places import part_of


def is_folder_of_classes(folder: str) -> bool:
    """Whether this folder, or one below it, is of class folders with at least one image."""
    return any(any(_images(os.path.join(root, name))[0] for name in _folders(root)) for root in _roots(folder).values())


def read_folder(folder: str) -> Found:
    """All images by part and class; raises ArchError (E703) where parts have other classes."""
    roots = _roots(folder)
    classes = {part: ordered(_folders(root)) for part, root in roots.items()}
    check_same({os.path.basename(roots[part]): names for part, names in classes.items()}, folder)
    names = classes[next(iter(roots))]
    parts: dict[str, Part] = {}
    others: list[str] = []
    for part, root in roots.items():
        paths: list[str] = []
        labels: list[int] = []
        for label, name in enumerate(names):
            images, left = _images(os.path.join(root, name))
            paths += images
            labels += [label] * len(images)
            others += left
        shown = [os.path.relpath(path, folder).replace(os.sep, "/") for path in paths]
        parts[part] = Part({"": Files(paths, shown)}, torch.tensor(labels, dtype=torch.int64), shown.__getitem__)
    notes = []
    if others:
        shown = [os.path.relpath(path, folder).replace(os.sep, "/") for path in others]
        notes.append(f"left out: {counted(len(others), 'file')} that no image is called as: {some(shown)}")
    return Found(parts, tuple(names), of_parts(parts, names), tuple(notes))


def _roots(folder: str) -> dict[str, str]:
    """The folders that hold class folders, by part; the folder itself, as "train", where it has no `train` in it."""
    parts = {part_of(name): os.path.join(folder, name) for name in _folders(folder) if part_of(name)}
    parts = {part: root for part, root in parts.items() if _folders(root)}  # the other is a class, of trains
    if "train" in parts or len(parts) == len(_folders(folder)) > 0:
        return {part: parts[part] for part in ("train", "valid", "test") if part in parts}
    return {"train": folder}


def _folders(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())


def _images(folder: str) -> tuple[list[str], list[str]]:
    """The paths below a class's folder that are called as images, and the others; links are followed, once each."""
    found: list[str] = []
    others: list[str] = []
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        status = os.stat(here)
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    waiting.append(entry.path)
                elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                    found.append(entry.path)
                else:
                    others.append(entry.path)
    return sorted(found), sorted(others)
