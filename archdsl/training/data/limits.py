"""Reading of files that may be hostile: compressed ones that swell, arrays larger than the machine's memory."""

from __future__ import annotations

import gzip
import io
import os
import zlib

from archdsl.training.data.faults import fault


def memory() -> int:
    """The bytes that data may take: half of this machine's memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # a system that does not tell
        return 8 << 30


def check_size(size: int, file: str, what: str) -> None:
    """Raises ArchError (E717) where `size` bytes are more than data may take."""
    if size > memory():
        message = f"{what} takes {size / 2**30:,.1f} GiB, more than half of this machine's memory"
        raise fault("E717", message, file=file, help=("a folder of images is read piece by piece",))


class Opened(io.RawIOBase):
    """A file's bytes, taken out of gzip where its first two say so, and never more of them than memory has room for.

    Reading raises ArchError: E712 where the gzip is damaged, E717 where there is too much. OSError as `open` does.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = open(path, "rb")  # closed by close()
        compressed = self._file.read(2) == b"\x1f\x8b"
        self._file.seek(0)
        self._stream: io.BufferedIOBase | gzip.GzipFile = (
            gzip.GzipFile(fileobj=self._file) if compressed else self._file
        )
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer is 3.12's
        try:
            data = self._stream.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise fault("E712", f"the gzip file is damaged: {error}", file=self._path) from None
        self._read += len(data)
        check_size(self._read, self._path, "what it holds")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def opened(path: str) -> io.BufferedReader:
    """A stream over `Opened`."""
    return io.BufferedReader(Opened(path), 1 << 20)
