"""Specs are read with a limit and a clear word; outputs appear whole or not at all."""

from __future__ import annotations

import errno
import itertools
import os
import random
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.backends import BACKENDS
from archdsl.diagnostics import ArchError
from archdsl.files import LIMIT, Outputs, Refused, check_output, read_spec
from archdsl.writing import BLOCK, LARGE, OutputFile


def temporaries(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".tmp")]


def check(path: Path, *, spec: Path | None = None, force: bool = False) -> None:
    check_output(str(path), own=BACKENDS["torch"].wrote, spec=spec and str(spec), force=force)


def test_reads_text_with_mark_and_foreign_line_ends(tmp_path: Path) -> None:
    """A byte-order mark and \\r\\n are no errors."""
    path = tmp_path / "net.arch"
    path.write_bytes(b"\xef\xbb\xbfCONV\r\nRELU\r\n")
    source = read_spec(str(path))
    assert (source.text, source.name, source.path) == ("CONV\nRELU\n", str(path), str(path))


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"CONV - \xff\n", (1, 8)),
        (b"# caf\xc3\xa9\r\nCONV - \xe9", (2, 8)),
        (b"\xff\xfeC\0O\0", (1, 1)),
        (b"\xef\xbb\xbfA\xff", (1, 2)),
        (b"A\xc3", (1, 2)),
    ],
)
def test_a_byte_that_is_no_text_is_shown_at_its_place(tmp_path: Path, data: bytes, place: tuple[int, int]) -> None:
    """What is no UTF-8 is one error, at the character where it is met."""
    path = tmp_path / "net.arch"
    path.write_bytes(data)
    with pytest.raises(ArchError) as caught:
        read_spec(str(path))
    [found] = caught.value.diagnostics
    assert found.code == "E002" and found.span is not None
    assert found.span.source.position(found.span.start) == place
    assert "^" in str(caught.value)


def test_a_spec_has_a_limit(tmp_path: Path) -> None:
    """What is larger than the limit is not read to its end."""
    path = tmp_path / "net.arch"
    path.write_bytes(b"#" * LIMIT)
    assert len(read_spec(str(path)).text) == LIMIT
    path.write_bytes(b"#" * (LIMIT + 1))
    with pytest.raises(ArchError, match="larger than 1 MiB"):
        read_spec(str(path))


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs /dev/zero")
def test_an_endless_file_is_not_read_to_its_end() -> None:
    """A device that never ends is just too large."""
    with pytest.raises(ArchError, match="larger"):
        read_spec("/dev/zero")


def test_outputs_appear_together_with_the_users_mode(tmp_path: Path) -> None:
    """Nothing is there before the end; afterwards files have the bits that the umask leaves."""
    first, second = tmp_path / "a", tmp_path / "b"
    before = os.umask(0o027)
    try:
        with Outputs() as outputs:
            outputs.open(str(first)).write(b"1")
            outputs.open(str(second)).write(b"2")
            assert not first.exists() and not second.exists()
    finally:
        os.umask(before)
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")
    assert stat.S_IMODE(first.stat().st_mode) == 0o640
    assert temporaries(tmp_path) == []


KILLED = """
import os, signal, sys
from archdsl.files import Outputs
with Outputs() as outputs:
    outputs.open(sys.argv[1]).write(bytes(100_000))
    print("written", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
def test_what_killed_runs_left_goes_and_no_more(tmp_path: Path) -> None:
    """The next run to the same place clears up, but for what a live one is writing and what is not archdsl's."""
    target = str(tmp_path / "net.onnx")
    others = [".net.onnx.0123456.tmp", ".net.onnx.0123456g.tmp", ".other.onnx.01234567.tmp", "net.onnx.01234567.tmp"]
    for name in others:
        (tmp_path / name).write_text("mine")
    (tmp_path / ".net.onnx.00000000.tmp").write_bytes(b"")  # of a writer that has not got its lock yet
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as writer:
        assert writer.stdin is not None and writer.stdout is not None and writer.stdout.readline()
        kept = {*others, ".net.onnx.00000000.tmp", *temporaries(tmp_path)}
        assert len(kept) == len(others) + 2
        with Outputs() as outputs:
            outputs.open(target).write(b"1")
        assert set(temporaries(tmp_path)) == kept
        writer.stdin.write(b"\n")
    assert set(temporaries(tmp_path)) == kept and writer.returncode == -signal.SIGKILL
    os.utime(tmp_path / ".net.onnx.00000000.tmp", (0, 0))
    with Outputs() as outputs:
        outputs.open(target).write(b"2")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "net.onnx"])


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_what_is_interrupted_leaves_everything_as_it_was(tmp_path: Path, error: BaseException) -> None:
    """An exception while writing keeps the old file and leaves no temporary one."""
    old = tmp_path / "a"
    old.write_bytes(b"old")
    with pytest.raises(type(error)), Outputs() as outputs:
        outputs.open(str(old)).write(b"new")
        outputs.open(str(tmp_path / "b")).write(b"new")
        raise error
    assert old.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_full_disk_at_the_last_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full only when the bytes are flushed to it leaves nothing either, of any output."""

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"), Outputs() as outputs:
        outputs.open(str(tmp_path / "a")).write(b"new")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system sets no room aside")
def test_room_is_set_aside_and_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has what was written; a disk that is too full is known at once, one without such a thing is fine."""
    path = tmp_path / "net.onnx"
    with Outputs() as outputs:
        stream = outputs.open(str(path))
        stream.reserve(1 << 20)
        assert os.fstat(stream.fileno()).st_size == 1 << 20
        stream.write(b"new")
    assert path.read_bytes() == b"new"

    def fails(number: int) -> None:
        def fallocate(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "posix_fallocate", fallocate)

    fails(errno.EOPNOTSUPP)
    with Outputs() as outputs:
        outputs.open(str(path)).reserve(1 << 20)
    assert path.read_bytes() == b""
    fails(errno.ENOSPC)
    with pytest.raises(OSError, match="No space"), Outputs() as outputs:
        outputs.open(str(path)).reserve(1 << 20)
    assert path.read_bytes() == b"" and temporaries(tmp_path) == []


def uncached(stream: OutputFile | int) -> bool:
    """Whether what is written now goes past the system's cache."""
    from fcntl import F_GETFL, fcntl

    return bool(fcntl(stream, F_GETFL) & os.O_DIRECT)


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="the system has no way past its cache")
@pytest.mark.parametrize("end", [0, 1, 4095, 4096])
def test_large_files_go_past_the_cache(tmp_path: Path, end: int) -> None:
    """They hold what was written, in pieces of any size, and nothing of what was set aside too much."""
    size = LARGE + end
    data = random.Random(end).randbytes(size)
    path = tmp_path / "net.onnx"
    with Outputs() as outputs:
        stream = outputs.open(str(path))
        stream.reserve(size + 999)
        before = uncached(stream)
        start = 0
        for step in itertools.cycle((1, 7, 100_000, 8192, 8191, BLOCK + 5, 131_072)):
            stream.write(data[start : start + step])
            start += step
            if start >= size:
                break
            assert uncached(stream) == before
    assert path.read_bytes() == data


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="the system has no way past its cache")
def test_a_disk_that_takes_no_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that refuses what goes past the cache is written to by the cache; that one is full is said all the same."""
    path, data = tmp_path / "net.onnx", random.Random(0).randbytes(LARGE + 7)
    refused, real = [], os.write

    def write(number: int, part: memoryview) -> int:
        if not refused and uncached(number):
            refused.append(len(part))
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real(number, part[:1_000_001])  # a disk may take less than it is given

    def full(number: int, part: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    with Outputs() as outputs:
        stream = outputs.open(str(path))
        stream.reserve(len(data))
        for start in range(0, len(data), 1 << 17):
            stream.write(data[start : start + (1 << 17)])
            assert not (refused and uncached(stream))
    assert path.read_bytes() == data
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"), Outputs() as outputs:
        stream = outputs.open(str(path))
        stream.reserve(LARGE)
        stream.write(b"new")
    assert path.read_bytes() == data and temporaries(tmp_path) == []


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    """Writing to a link replaces what lies behind it."""
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "net.py", tmp_path / "net.py"
    target.write_bytes(b"# Made by archdsl 0")
    link.symlink_to(target)
    check(link)
    with Outputs() as outputs:
        outputs.open(str(link)).write(b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"


def test_only_what_archdsl_wrote_is_replaced(tmp_path: Path) -> None:
    """Somebody else's file needs force; an empty one, a new one and archdsl's own do not."""
    path = tmp_path / "net.py"
    check(path)
    path.write_bytes(b"")
    check(path)
    path.write_bytes(b"# Made by archdsl 9.9 from net.arch\nimport torch\n")
    check(path)
    for theirs in (b"import torch\n", b'"""Not made by archdsl."""\n', b"\n# Made by archdsl 9.9\n"):
        path.write_bytes(theirs)
        with pytest.raises(Refused, match="--force"):
            check(path)
        check(path, force=True)


def test_what_is_never_replaced(tmp_path: Path) -> None:
    """Folders, devices, links to nothing, folders that are not there and the spec itself: force or not."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    spec = tmp_path / "net.arch"
    spec.write_text("CONV")
    (tmp_path / "alias").symlink_to(spec)
    for name, message in (
        ("folder", "is a folder"),
        ("dangling", "link to nothing"),
        ("pipe", "no ordinary file"),
        ("net.arch", "the spec itself"),
        ("alias", "the spec itself"),
        ("none/net.py", "there is no folder"),
    ):
        with pytest.raises(Refused, match=message):
            check(tmp_path / name, spec=spec, force=True)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_write_protected_file_stays(tmp_path: Path) -> None:
    """Its folder would let it be replaced, but its owner said no."""
    path = tmp_path / "net.py"
    path.write_bytes(b"")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="write-protected"):
        check(path, force=True)
