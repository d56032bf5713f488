"""Reading specs and writing outputs: a limit on the one, all or nothing for the other."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.syntax.source import Source, Span

LIMIT = 1 << 20
"""The largest spec that is read, in bytes; a network that needs more is better written with blocks and loops."""

HEAD = 512
"""How much of an existing file is read to see who wrote it."""


def read_spec(path: str) -> Source:
    """The spec in a file.

    Raises OSError where it cannot be read, and ArchError where it is no UTF-8 text (E002) or too large (E003).
    """
    with open(path, "rb") as stream:
        return read_stream(stream, path, os.path.abspath(path))


def read_stream(stream: BinaryIO, name: str, path: str | None = None) -> Source:
    """The spec that an open stream gives, called `name` in messages; raises what `read_spec` does."""
    data = stream.read(LIMIT + 1)
    if len(data) > LIMIT:
        message = f"the file is larger than {LIMIT >> 20} MiB, the limit for a spec"
        raise ArchError([Diagnostic("E003", message, file=name)])
    try:
        return Source(data.decode("utf-8"), name, path)
    except UnicodeDecodeError as error:
        bad = error.start
    source = Source(data.decode("utf-8", "replace"), name, path)
    offset = len(Source(data[:bad].decode("utf-8")).text)
    found = Diagnostic(
        "E002",
        f"the file is no UTF-8 text: byte 0x{data[bad]:02x} has no meaning there",
        Span(source, offset, offset + 1),
        help=("save it as UTF-8",),
    )
    raise ArchError([found])


class Refused(OSError):
    """An output that is not written to; the message says why, and what to do."""


class Outputs:
    """Files that appear whole, and together, or not at all.

    Each is written beside its place under another name; where the `with` block ends without an exception they
    are all flushed to disk and put in place. What fails or is interrupted leaves everything as it was.
    """

    def __init__(self) -> None:
        self._staged: list[tuple[BinaryIO, str, str]] = []

    def __enter__(self) -> Outputs:
        return self

    def open(self, path: str) -> BinaryIO:
        """A stream whose bytes will be the file at `path`; a link is followed. Raises OSError."""
        target = os.path.realpath(path)
        folder, name = os.path.split(target)
        while True:
            temporary = os.path.join(folder, f".{name[:200]}.{os.urandom(4).hex()}.tmp")
            try:
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
                break
            except FileExistsError:
                continue
        stream = os.fdopen(handle, "wb")
        self._staged.append((stream, temporary, target))
        return stream

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for stream, _, _ in self._staged:
                    stream.flush()
                    os.fsync(stream.fileno())
                    stream.close()
                while self._staged:
                    _, temporary, target = self._staged[0]
                    os.replace(temporary, target)
                    self._staged.pop(0)
        finally:
            for stream, temporary, _ in self._staged:
                _discard(stream, temporary)


def _discard(stream: BinaryIO, temporary: str) -> None:
    try:
        stream.close()
    except OSError:
        pass  # what could not be flushed is thrown away all the same
    try:
        os.unlink(temporary)
    except OSError:
        pass  # already in place, or the folder is gone: the first error is the one to show


def check_output(path: str, *, own: Callable[[bytes], bool], spec: str | None, force: bool) -> None:
    """See that `path` may be written; `own` tells a file of archdsl's making by its first bytes.

    A link is followed, and what lies behind it counts: it is replaced under the same rules, the link stays.
    Raises Refused for a folder, a device or pipe, a link to nothing, the spec itself (always) and somebody
    else's file (without `force`), and other OSErrors for what cannot be looked at or is write-protected.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            raise Refused(f"{path} is a link to nothing; remove it, or name another output with -o") from None
        folder = os.path.dirname(path) or "."
        if not os.path.isdir(folder):
            raise Refused(f"there is no folder {folder} to write {os.path.basename(path)} to") from None
        return
    if stat.S_ISDIR(found.st_mode):
        raise Refused(f"{path} is a folder; name a file with -o")
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{path} is no ordinary file; -o - writes to standard output")
    if spec is not None and os.path.exists(spec) and os.path.samefile(path, spec):
        raise Refused(f"{path} is the spec itself; name another output with -o")
    if not os.access(path, os.W_OK):
        raise PermissionError(13, "it is write-protected", path)
    if not force:
        with open(path, "rb") as stream:
            head = stream.read(HEAD)
        if head and not own(head):
            raise Refused(f"{path} is there already and was not written by archdsl; --force replaces it")
