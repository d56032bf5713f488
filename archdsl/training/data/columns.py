"""Parquet files: a column of images and one of labels, or a column of labels and others of numbers."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

from archdsl.training.data.faults import fault, some
from archdsl.training.data.fingerprint import of_parts
from archdsl.training.data.found import Found, Part
from archdsl.training.data.labels import labels_of
from archdsl.training.data.limits import check_size
from archdsl.training.data.pictures import Blobs
from archdsl.training.data.stores import TensorStore
from archdsl.training.data.table import LABELS, pixels
from archdsl.training.data.wanted import Wanted


def read_parquet(path: str, want: Wanted, part: str = "train") -> Found:
    """The rows of a file. Images are bytes of their files, or Hugging Face's {bytes, path}, whose class names are read.

    Raises ArchError: no pyarrow (E702), a damaged file, an empty cell (E712), columns that say nothing (E715).
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        help = ("pip install pyarrow",)
        raise fault("E702", "parquet needs pyarrow, which is not installed", file=path, help=help) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
            check_size(sum(group.total_byte_size for group in groups), path, "what it holds")
            table = file.read()
    except (pyarrow.ArrowException, ValueError) as error:
        raise fault("E712", f"the file is no whole parquet: {str(error).splitlines()[0]}", file=path) from None
    for name in table.column_names:
        if table[name].null_count:
            row = table[name].is_null().to_pylist().index(True)
            raise fault("E712", f"the column {name} is empty in this row", file=f"{path}:{row}")
    names = [f"{path}:{row}" for row in range(table.num_rows)]
    images = [field.name for field in table.schema if _is_image(field.type, pyarrow)]
    found = [name for name in table.column_names if name.lower() in LABELS]
    if len(images) > 1 or len(found) != 1:
        message = f"the columns {some(table.column_names)} do not say what is to be learned"
        raise fault(
            "E715", message, file=path, help=(f"one column of images, or of numbers, and one called {LABELS[0]}",)
        )
    samples: Blobs | TensorStore
    if images:
        samples = Blobs(_bytes(table[images[0]].to_pylist(), path), names)
    else:
        rest = [name for name in table.column_names if name not in found]
        samples = TensorStore(pixels(_numbers(table, rest, path), want))
    target, classes = labels_of([str(value) for value in table[found[0]].to_pylist()])
    classes = classes or _class_names(table.schema.metadata, found[0])
    parts = {part: Part({"": samples}, target, names.__getitem__)}
    return Found(parts, classes, of_parts(parts, classes))


def _is_image(kind: Any, pyarrow: Any) -> bool:
    if pyarrow.types.is_struct(kind):
        return "bytes" in {kind.field(i).name for i in range(kind.num_fields)}
    return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))


def _bytes(cells: list[Any], path: str) -> list[bytes]:
    found = []
    for row, cell in enumerate(cells):
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if data is None:
            name = os.path.join(os.path.dirname(path), str(cell.get("path")))
            raise fault("E712", f"the image is not in the file, but in {name}", file=f"{path}:{row}")
        found.append(data)
    return found


def _numbers(table: Any, names: list[str], path: str) -> Tensor:
    """The columns side by side; one column of lists is taken as it is."""
    columns = []
    for name in names:
        try:
            values = np.array(table[name].to_pylist(), dtype=np.float32)
        except (ValueError, TypeError):
            raise fault("E715", f"the column {name} is not of numbers, or of lists of one length", file=path) from None
        columns.append(values.reshape(len(values), -1) if len(names) > 1 else values)
    joined = np.concatenate(columns, axis=1) if len(columns) > 1 else columns[0]
    return torch.from_numpy(joined if joined.ndim > 1 else joined[:, None])


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> tuple[str, ...]:
    """The names that Hugging Face's datasets leave beside a column of numbers, if they did."""
    try:
        info = json.loads((metadata or {})[b"huggingface"])
        return tuple(map(str, info["info"]["features"][column]["names"]))
    except (KeyError, TypeError, ValueError):
        return ()
