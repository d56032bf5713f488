"""The stream that an output is written to, and the way of a large one past the system's cache of files.

That cache costs three times the work of writing and is of no use here: each output is on the disk before it is put in
place, and one of many gigabytes drives everything else out of it.
"""

from __future__ import annotations

import errno
import os
from io import BufferedWriter, FileIO

from archdsl.annotations import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from mmap import mmap

    from _typeshed import ReadableBuffer

BLOCK = 1 << 22
"""Bytes that are handed over at once: disks want their starts, in the file and in memory, at multiples of some power
of 2, this one at most."""

LARGE = 4 * BLOCK
"""Bytes of a file that is worth it."""


class OutputFile(BufferedWriter):
    """A file that is being written."""

    def __init__(self, path: str, flags: int) -> None:
        self._file = _Blocks(os.open(path, flags, 0o666), "wb")
        super().__init__(self._file)

    def reserve(self, size: int) -> None:
        """Have about so many bytes set aside, where the system can, before the first one is written.

        To find the room at once, and not page by page, saves a third of the work of writing. Raises OSError where the
        disk is too full.
        """
        if size and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self.fileno(), 0, size)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise  # anything else says that this kind of file has no such thing
        if size >= LARGE:
            self._file.uncached()

    def finish(self) -> None:
        """Bring all to the disk, and the file to its end. Raises OSError."""
        self.truncate()  # more may have been set aside
        self.flush()
        os.fsync(self.fileno())
        self.close()


def _pages(size: int) -> mmap:
    """Memory that starts with a page. Large pages, where there are any, are told to a disk in half the time."""
    import mmap

    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            block.madvise(mmap.MADV_HUGEPAGE)
        except OSError:
            pass  # small ones do
    return block


class _Blocks(FileIO):
    """A file; from `uncached` on what is written is gathered in a block, which goes to the disk when it is full."""

    _block: Optional[mmap] = None
    _held = 0

    def uncached(self) -> None:
        """Write in blocks past the cache, if the system and this kind of disk know of that."""
        if hasattr(os, "O_DIRECT") and self._set(True):
            self._block = _pages(BLOCK)

    def write(self, data: ReadableBuffer, /) -> int:
        if self._block is None:
            return super().write(data)
        rest = memoryview(data)
        size = len(rest)
        while len(rest):
            part = rest[: BLOCK - self._held]
            self._block[self._held : self._held + len(part)] = part
            self._held += len(part)
            rest = rest[len(part) :]
            if self._held == BLOCK:
                self._put()
        return size

    def truncate(self, size: int | None = None, /) -> int:
        self._end()
        return super().truncate(size)

    def close(self) -> None:
        try:
            self._end()
        finally:
            super().close()

    def _put(self) -> None:
        """Write what the block holds."""
        assert self._block is not None
        held, self._held = self._held, 0
        with memoryview(self._block) as block:
            start = 0
            while start < held:
                try:
                    start += os.write(self.fileno(), block[start:held])
                except OSError as error:
                    if error.errno != errno.EINVAL or not self._set(False):
                        raise

    def _end(self) -> None:
        """Write the last block, which is not full, and what follows by the cache."""
        if self._block is not None:
            self._set(False)
            try:
                self._put()
            finally:
                self._block = None

    def _set(self, uncached: bool) -> bool:
        """Turn the way past the cache on or off; whether that is a change."""
        from fcntl import F_GETFL, F_SETFL, fcntl

        before = fcntl(self, F_GETFL)
        after = before | os.O_DIRECT if uncached else before & ~os.O_DIRECT
        try:
            fcntl(self, F_SETFL, after)
        except OSError:
            return False
        return after != before
