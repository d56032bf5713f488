"""CSV files, gzipped or not: a path and a label in each row, or a label and numbers such as pixels."""

from __future__ import annotations

import csv
import os
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO, NamedTuple

import torch
from torch import Tensor

from archdsl.training.data.faults import counted, fault, some
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.images import SUFFIXES
from archdsl.training.data.labels import is_number, labels_of
from archdsl.training.data.limits import opened
from archdsl.training.data.pictures import Files
from archdsl.training.data.places import part_of
from archdsl.training.data.stores import TensorStore
from archdsl.training.data.wanted import Wanted

PATHS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "img")
LABELS = ("label", "labels", "class", "target", "targets", "y", "category", "species")
WHERE = ("part", "split", "set", "subset")
"""What columns may be called."""

LINE = 1 << 26
"""The most bytes of a line."""


class Columns(NamedTuple):
    """Which columns say what; `numbers` are the inputs, or, beside a path, several targets."""

    path: int | None
    label: int | None
    where: int | None
    numbers: list[int]
    names: list[str]


class Rows:
    """What the rows hold, column by column, and the line of each."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.paths: list[str] = []
        self.labels: list[str] = []
        self.where: list[str] = []
        self.numbers = array("f")


def read_csv(path: str, want: Wanted, part: str | None = None) -> Found:
    """The rows of a file; raises ArchError where one is broken (E712) or columns say nothing (E715)."""
    with opened(path) as stream:
        columns, rows = _read(_rows(_lines(stream, path), path), path)
    if not rows.lines:
        raise fault("E716", "there is no row in this file", file=path)
    notes: list[str] = []
    numbers = torch.frombuffer(rows.numbers, dtype=torch.float32) if len(rows.numbers) else torch.zeros(0)
    numbers = numbers.reshape(len(rows.lines), -1)
    if columns.path is None and columns.label is None:
        numbers, label = _split_label(numbers, want, path, notes)
        target: Tensor | None = label
        classes: tuple[str, ...] = ()
    elif columns.path is not None and columns.label is None:
        classes = tuple(columns.names[i] for i in columns.numbers)
        target, numbers = numbers, torch.zeros(0)
    else:
        target, classes = labels_of(rows.labels)
    names = [f"{path}:{line}" for line in rows.lines]
    values = pixels(numbers, want)
    parts = {}
    for name in dict.fromkeys(rows.where) or [part or "train"]:
        chosen = [i for i, where in enumerate(rows.where) if where == name] if rows.where else range(len(rows.lines))
        index = torch.tensor(chosen)
        titles = [names[i] for i in chosen]
        if columns.path is None:
            samples: TensorStore | Files = TensorStore(values[index])
        else:
            folder = os.path.dirname(path)
            files = [os.path.join(folder, rows.paths[i]) for i in chosen]
            titles = [f"{title} ({rows.paths[i]})" for title, i in zip(titles, chosen)]
            samples = Files(files, titles)
        parts[name] = Part({"": samples}, None if target is None else target[index], titles.__getitem__)
    return Found(parts, classes, of_parts(parts, classes), tuple(notes))


def _lines(stream: BinaryIO, path: str) -> Iterator[str]:
    """The lines of a file as text; raises ArchError (E712) where one is no UTF-8 or endless."""
    number = 0
    while line := stream.readline(LINE):
        number += 1
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            message = f"the row is no UTF-8 text: byte 0x{line[error.start]:02x} has no meaning there"
            raise fault("E712", message, file=f"{path}:{number}") from None
        if len(line) == LINE:
            raise fault("E712", f"the row is longer than {LINE >> 20} MiB", file=f"{path}:{number}")
        yield text


def _rows(lines: Iterator[str], path: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line that it starts at; raises ArchError (E712)."""
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise fault("E712", f"the row cannot be read: {error}", file=f"{path}:{line}") from None
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield line, [cell.strip() for cell in row]


def _read(rows: Iterator[tuple[int, list[str]]], path: str) -> tuple[Columns, Rows]:
    found = Rows()
    columns = None
    for line, row in rows:
        if columns is None:
            header = not any(is_number(cell) or _is_image(cell) for cell in row)
            columns = _named(row, path) if header else _guessed(row, path)
            width = len(row)
            if header:
                continue
        if len(row) != width:
            message = f"this row has {counted(len(row), 'column')}, and the first one {width}"
            raise fault("E712", message, file=f"{path}:{line}")
        _add(found, columns, row, f"{path}:{line}")
        found.lines.append(line)
    return columns or Columns(None, None, None, [], []), found


def _add(found: Rows, columns: Columns, row: list[str], place: str) -> None:
    if columns.path is not None:
        found.paths.append(row[columns.path])
    if columns.label is not None:
        if not row[columns.label]:
            raise fault("E712", "this row has no label", file=place)
        found.labels.append(row[columns.label])
    if columns.where is not None:
        part = part_of(row[columns.where])
        if part is None:
            raise fault("E712", f"{row[columns.where]!r} is no part: there are train, valid and test", file=place)
        found.where.append(part)
    for i in columns.numbers:
        try:
            found.numbers.append(float(row[i]))
        except ValueError:
            raise fault("E712", f"{row[i]!r} in column {i + 1} is no number", file=place) from None


def _named(row: list[str], path: str) -> Columns:
    """Columns by the names in the first row."""
    names = [name.lower() for name in row]

    def find(known: Sequence[str]) -> int | None:
        return next((i for i, name in enumerate(names) if name in known), None)

    paths, label, where = find(PATHS), find(LABELS), find(WHERE)
    rest = [i for i in range(len(row)) if i not in (paths, label, where)]
    if paths is not None and label is not None:
        rest = []  # what else is said of an image is not trained on
    elif paths is not None and len(rest) == 1:
        label, rest = rest[0], []
    if (label is None and paths is None) or (paths is None and not rest) or (label is None and not rest):
        help = (f"call the label's column {LABELS[0]}, and that of images {PATHS[0]}",)
        raise fault("E715", f"the columns {some(row)} do not say what is to be learned", file=path, help=help)
    return Columns(paths, label, where, rest, row)


def _guessed(row: list[str], path: str) -> Columns:
    """Columns by what the first row holds, where it is no header."""
    images = [i for i, cell in enumerate(row) if _is_image(cell)]
    words = [i for i, cell in enumerate(row) if not is_number(cell)]
    everything = list(range(len(row)))
    if len(images) == 1 and len(row) == 2:
        return Columns(images[0], 1 - images[0], None, [], row)
    if not images and len(words) <= 1 and len(row) > 1:
        return Columns(None, words[0] if words else None, None, [i for i in everything if i not in words], row)
    help = ("a first row with names: path,label",)
    raise fault("E715", f"{counted(len(row), 'column')} without names do not say what they are", file=path, help=help)


def _split_label(numbers: Tensor, want: Wanted, path: str, notes: list[str]) -> tuple[Tensor, Tensor]:
    """Inputs and labels of bare numbers: the labels are the first or the last column, whichever has all classes."""
    found = []
    for place, name in ((0, "first"), (numbers.shape[1] - 1, "last")):
        column = numbers[:, place]
        distinct = torch.unique(column)
        if len(distinct) == max(2, want.scores) and bool((distinct == torch.arange(len(distinct))).all()):
            found.append((place, name))
    if len(found) != 1:
        message = "neither or both of the first and the last column could be the labels"
        notes_ = (f"the network has {counted(want.scores, 'score')}: labels are 0 to {max(2, want.scores) - 1}",)
        raise fault("E715", message, file=path, notes=notes_, help=("a first row with names, the label's being label",))
    [(place, name)] = found
    notes.append(f"the {name} of {numbers.shape[1]} columns is the label")
    rest = [i for i in range(numbers.shape[1]) if i != place]
    return numbers[:, rest], numbers[:, place].to(torch.int64)


def pixels(numbers: Tensor, want: Wanted) -> Tensor:
    """Whole numbers of 0 to 255 for an input that is a map are an image's pixels."""
    if len(want.inputs[0].shape) == 3 and numbers.numel():
        if bool(((numbers >= 0) & (numbers <= 255) & (numbers == numbers.round())).all()) and float(numbers.max()) > 1:
            return numbers.to(torch.uint8)
    return numbers


def _is_image(text: str) -> bool:
    return os.path.splitext(text)[1].lower() in SUFFIXES
