"""Reading specs and writing outputs: a limit on the one, all or nothing for the other."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from types import TracebackType

from archdsl.annotations import BinaryIO
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.leftovers import clear, hold, unfinished
from archdsl.syntax.source import Source, Span
from archdsl.writing import OutputFile

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


class Staged:
    """A file that is being written under another name; it has a `target` when it is known where it goes."""

    def __init__(self, folder: str, name: str) -> None:
        self.target: str | None = None
        while True:
            self.temporary = os.path.join(folder, unfinished(name, os.urandom(4).hex()))
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
                self.stream = OutputFile(self.temporary, flags)
                self._held = hold(self.temporary)
                return
            except FileExistsError:
                continue

    def place(self) -> None:
        """Put it at its target."""
        assert self.target is not None
        os.replace(self.temporary, self.target)
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def discard(self) -> None:
        """Throw it away."""
        try:
            self.stream.close()
        except OSError:
            pass  # what could not be flushed is thrown away all the same
        try:
            os.unlink(self.temporary)
        except OSError:
            pass  # already in place, or the folder is gone: the first error is the one to show
        self._let_go()


class Outputs:
    """Files that appear whole, and together, or not at all.

    Each is written beside its place under another name; where the `with` block ends without an exception they
    are all flushed to disk and put in place. What fails or is interrupted leaves everything as it was; what a kill
    leaves unfinished is removed by the next run to the same place.
    """

    def __init__(self) -> None:
        self._staged: list[Staged] = []
        self._stale: list[str] = []

    def __enter__(self) -> Outputs:
        return self

    def open(self, path: str) -> OutputFile:
        """A stream whose bytes will be the file at `path`; a link is followed. Raises OSError."""
        target = os.path.realpath(path)
        clear(*os.path.split(target))
        staged = Staged(*os.path.split(target))
        staged.target = target
        self._staged.append(staged)
        return staged.stream

    def beside(self, path: str) -> Beside:
        """What opens a second file that belongs to the output at `path`, whose old one goes when that is replaced."""
        return Beside(path, self._staged, self._stale)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for staged in self._staged:
                    staged.stream.finish()
                while self._staged:
                    if self._staged[0].target is not None:
                        self._staged[0].place()
                        self._staged.pop(0)
                    else:
                        self._staged.pop(0).discard()
                for path in self._stale:
                    os.unlink(path)
        finally:
            for staged in self._staged:
                staged.discard()


class Beside:
    """A second file of an output, named by its content: `net.onnx.0123456789abcdef.data` beside `net.onnx`.

    It is in place before the output that reads it, and under a name of its own, so that a kill at any moment
    leaves the old pair or the new one. What older runs left for this output is removed after that.
    """

    def __init__(self, path: str, staged: list[Staged], stale: list[str]) -> None:
        self._path = path
        self._all = staged
        self._staged: Staged | None = None
        self._folder, self._name = os.path.split(os.path.realpath(path))
        self._stem = re.sub(r"[^A-Za-z0-9._-]", "_", self._name)[:150]
        if self._stem == self._name:
            old = re.compile(re.escape(self._stem) + r"\.[0-9a-f]{16}\.data")
            stale += [entry.path for entry in os.scandir(self._folder) if _old(entry, old)]
        self._stale = stale

    def open(self) -> BinaryIO:
        """The stream to write it to. Raises Refused where the output is a link: its reader would look beside that."""
        if os.path.islink(self._path):
            raise Refused(f"{self._path} is a link, and a second file would lie beside what it leads to; name that")
        self._staged = Staged(self._folder, self._name)
        self._all.insert(0, self._staged)
        return self._staged.stream

    def name(self, digest: str) -> str:
        """Settle the name by 16 digits of a hash of the content. Raises Refused where something is in the way."""
        assert self._staged is not None
        name = f"{self._stem}.{digest[:16]}.data"
        target = os.path.join(self._folder, name)
        if os.path.lexists(target) and not stat.S_ISREG(os.lstat(target).st_mode):
            raise Refused(f"{target} is in the way, and no ordinary file; remove it")
        self._staged.target = target
        if target in self._stale:
            self._stale.remove(target)
        return name


def _old(entry: os.DirEntry[str], pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(entry.name) is not None and entry.is_file(follow_symlinks=False)


def sync_folder(folder: str) -> None:
    """Have the disk know which files are in a folder, where the system can be told so: a rename is not lost then."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


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
            what = f"{path} leads to {os.path.realpath(path)}, which" if os.path.islink(path) else f"{path}"
            raise Refused(f"{what} is there already and was not written by archdsl; --force replaces it")
