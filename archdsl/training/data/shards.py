"""`wds:PATTERN`: tar files in WebDataset's layout, `000123.jpg` beside `000123.cls`; no package is needed to read them.

The files are not streamed but indexed, from their headers: so any sample can be had at any time, and an epoch's order
and a resumed one's are what they are for all other data.
"""

from __future__ import annotations

import glob
import itertools
import os
import re
import tarfile
from typing import NamedTuple

from archdsl.training.data.faults import counted, fault, printable, some
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.images import SUFFIXES
from archdsl.training.data.labels import labels_of
from archdsl.training.data.places import part_of

LABEL = ".cls"
LONGEST = 256
"""Bytes of a label."""


class Member(NamedTuple):
    """A file in a tar: where its bytes are."""

    tar: str
    name: str
    offset: int
    size: int


class Members:
    """Images in tar files, as Encoded ones are."""

    def __init__(self, members: list[Member]) -> None:
        self._members = members

    def __len__(self) -> int:
        return len(self._members)

    def read(self, index: int) -> bytes:
        tar, _, offset, size = self._members[index]
        with open(tar, "rb") as stream:
            stream.seek(offset)
            return stream.read(size)

    def name(self, index: int) -> str:
        return printable(f"{self._members[index].tar}:{self._members[index].name}")


def read_shards(pattern: str) -> Found:
    """The samples of all files that the pattern names: `*`, `?`, `{0..9}`, `{train,valid}`.

    Files whose names start with a part's are that part; all are one otherwise. Raises ArchError: no file (E700), a
    damaged one (E712), a sample without image or label (E711).
    """
    if "://" in pattern or pattern.startswith("pipe:"):
        raise fault("E701", "files are read from this machine alone", file=f"wds:{pattern}")
    paths = sorted({path for one in braces(pattern) for path in glob.glob(one)})
    if not paths:
        raise fault("E700", "no file is called so", file=f"wds:{pattern}")
    texts: list[str] = []
    members: dict[str, list[Member]] = {}
    where: list[str] = []
    left: list[str] = []
    for path in paths:
        part = part_of(re.split(r"[^a-z]", os.path.basename(path).lower())[0]) or "train"
        for image, label in _samples(path, left):
            members.setdefault(part, []).append(image)
            where.append(part)
            texts.append(label)
    if not texts:
        raise fault("E716", "there is no sample in these files", file=f"wds:{pattern}")
    labels, classes = labels_of(texts)
    parts = {}
    for part, found in members.items():
        images = Members(found)
        target = labels[[i for i, other in enumerate(where) if other == part]]
        parts[part] = Part({"": images}, target, images.name)
    notes = (f"left out: {counted(len(left), 'file')} in the tars: {some(left)}",) if left else ()
    return Found(parts, classes, of_parts(parts, classes), notes)


def braces(pattern: str) -> list[str]:
    """`a{0..2}` as a0, a1, a2, with zeros in front as they stand, `{a,b}` as a and b."""
    pieces = [_alternatives(piece) for piece in re.split(r"(\{[^{}]*\})", pattern)]
    return ["".join(choice) for choice in itertools.islice(itertools.product(*pieces), 1_000_000)]


def _alternatives(piece: str) -> list[str]:
    if not piece.startswith("{"):
        return [piece]
    numbers = re.fullmatch(r"\{(\d+)\.\.(\d+)\}", piece)
    if numbers is None:
        return piece[1:-1].split(",")
    return [str(i).zfill(len(numbers[1])) for i in range(int(numbers[1]), min(int(numbers[2]) + 1, 1_000_000))]


def _samples(path: str, left: list[str]) -> list[tuple[Member, str]]:
    """The images of a file with the texts of their labels; what is neither goes to `left`."""
    images: dict[str, Member] = {}
    labels: dict[str, str] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for info in tar:
                folder, _, file = info.name.rpartition("/")
                stem, dot, suffix = file.partition(".")
                key, kind = f"{folder}/{stem}", dot + suffix.lower()
                if not info.isreg() or info.issparse():
                    continue
                if kind in SUFFIXES:
                    images[key] = Member(path, info.name, info.offset_data, info.size)
                elif kind == LABEL and info.size <= LONGEST:
                    stream = tar.extractfile(info)
                    labels[key] = stream.read().decode("utf-8").strip() if stream is not None else ""
                else:
                    left.append(f"{path}:{info.name}")
    except (tarfile.TarError, EOFError) as error:
        help = ("tar files are read where they lie, so they may not be compressed",)
        raise fault("E712", f"the file is no whole tar: {error}", file=path, help=help) from None
    except UnicodeDecodeError:
        raise fault("E712", "a label is no UTF-8 text", file=f"{path}:{info.name}") from None
    for key, member in images.items():
        if not labels.get(key):
            raise fault(
                "E711", f"this image has no label, {os.path.basename(key)}{LABEL}", file=f"{path}:{member.name}"
            )
    for key in labels.keys() - images.keys():
        raise fault("E711", "this label has no image", file=f"{path}:{key.lstrip('/')}{LABEL}")
    return [(member, labels[key]) for key, member in images.items()]
