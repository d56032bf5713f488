"""Checkpoints: whole or not there, the newest two, and found again though one is broken.

A file is written beside its place, flushed to the disk and put in place by a rename, and so is the folder's entry:
whatever ends the process, or the machine, what was there before is there still. It holds tensors and plain values
alone, so that torch reads it with `weights_only=True` and runs nothing of it.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable
from typing import IO, Any, BinaryIO, cast

import torch

from archdsl.files import Outputs, sync_folder

KEPT = 2
FORMAT = 1
_NAME = re.compile(r"(\d{8,})\.pt")


def save(folder: str, step: int, state: dict[str, Any]) -> str:
    """Write the checkpoint of a step and drop all but the newest two; answers its path. Raises OSError."""
    path = os.path.join(folder, f"{step:08}.pt")
    with Outputs() as outputs:
        stream = _Heard(outputs.open(path))
        try:
            torch.save({"format": FORMAT, **state}, cast("IO[bytes]", stream))
        except RuntimeError as error:
            raise stream.error or error from None
    sync_folder(folder)
    for old, name in found(folder)[KEPT:]:
        if old < step:
            os.unlink(name)
    return path


class _Heard(io.RawIOBase):
    """A stream that remembers why it could not be written to: torch tells but that a position is unexpected."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            return self._stream.write(data)
        except OSError as error:
            self.error = error
            raise


def found(folder: str) -> list[tuple[int, str]]:
    """The steps and paths of the checkpoints that lie there, the newest first."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    matched = [(name, _NAME.fullmatch(name)) for name in names]
    return sorted(((int(m[1]), os.path.join(folder, name)) for name, m in matched if m), reverse=True)


def newest(folder: str, passed_over: Callable[[str, str], None]) -> bytes | None:
    """The newest checkpoint that is whole, as bytes, None where there is none.

    `passed_over` is told the path of each broken one and what is wrong with it. Raises OSError where one that is
    there cannot be read at all.
    """
    for _, path in found(folder):
        with open(path, "rb") as stream:
            data = stream.read()
        wrong = _damage(data)
        if wrong is None:
            return data
        passed_over(path, wrong)
    return None


def _damage(data: bytes) -> str | None:
    """What is wrong with the bytes of a checkpoint, None where they are whole: zip has a checksum for each tensor."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            bad = archive.testzip()
        if bad is not None:
            return f"the checksum of {bad} is wrong"
        form = read(data).get("format")
    except Exception as error:  # a damaged file fails inside zipfile, pickle or torch, with whatever they raise
        return (str(error) or type(error).__name__).partition("\n")[0]
    return None if form == FORMAT else f"its format is {form}, and this archdsl reads {FORMAT}"


def read(data: bytes) -> dict[str, Any]:
    """The state in the bytes of a checkpoint, tensors on the CPU."""
    state: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return state


def clean(folder: str) -> None:
    """Remove what a killed run left half written."""
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if name.startswith(".") and name.endswith(".tmp"):
            os.unlink(os.path.join(folder, name))
