"""Whatever bytes lie at a place: data, or an error that says what is wrong; never another exception."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl.diagnostics import ArchError, render
from tests.support.train_data import GREY, RGB, folder, idx, image, npz, opened, pixels, refused

TEXT = "input text: 8 of int\nEMBEDDING(64, 8) - LSTM(8) - LINEAR(64)"


def test_pipes_and_devices(tmp_path: Path) -> None:
    """What might never end is not begun with."""
    folder(tmp_path / "f")
    os.mkfifo(tmp_path / "f" / "cat" / "pipe.png")
    found = refused(tmp_path / "f", RGB)
    assert (found.code, found.file) == ("E713", "cat/pipe.png") and "no ordinary file" in found.message
    os.mkfifo(tmp_path / "a.csv")
    assert refused(tmp_path / "a.csv", RGB).code == "E700"
    (tmp_path / "b.csv").write_text("path,label\n/dev/zero,cat\nf/dog/0.png,dog\n")
    assert refused(tmp_path / "b.csv", RGB).code == "E713"


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in the name of a file, a new line in one: told so that it can be printed."""
    folder(tmp_path)
    for name in (b"\xff\xfe.png", b"two\nlines.png"):
        path = os.path.join(os.fsencode(tmp_path), b"cat", name)
        with open(path, "wb") as stream:
            stream.write(b"no image")
        found = refused(tmp_path, RGB)
        assert found.code == "E713" and "\n" not in render(found).splitlines()[1]
        os.unlink(path)
    os.rename(tmp_path / "dog", os.path.join(os.fsencode(tmp_path), b"\xe4"))
    assert opened(tmp_path, RGB).classes == ("cat", r"\udce4")


FILES, IMAGES = ("npz", "csv", "csv.gz", "txt", "idx", "tar"), ("png", "jpg", "gif", "tif", "webp", "bmp")
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4)


def whole(kind: str, root: Path) -> bytes:
    """A small file of a kind as it should be."""
    path = root / f"whole.{kind}"
    if kind == "npz":
        npz(path, x=pixels(1, 4, 8, 8), y=[0, 1, 0, 1])
    elif kind == "csv":
        path.write_text("label,a\n" + "".join(f"{n % 2},{n}.5\n" for n in range(8)))
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(b"0,0\n1,0.5\n0,1\n1,0.25\n"))
    elif kind == "txt":
        path.write_text("wörter und zeichen\n" * 9, encoding="utf-8")
    elif kind == "idx":
        idx(path, pixels(1, 4, 8, 8))
    elif kind == "tar":
        with tarfile.open(path, "w") as tar:
            for number in range(2):
                picture = image(root / "p.png", number, mode="L").read_bytes()
                for name, data in ((f"{number}.png", picture), (f"{number}.cls", b"%d" % number)):
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
    else:
        image(path, mode="L")
    return path.read_bytes()


def spoilt(data: bytes, changes: list[tuple[float, int]], keep: float) -> bytes:
    """The bytes with some changed, cut off at a share."""
    found = bytearray(data)
    for place, value in changes:
        found[int(place * (len(found) - 1))] = value
    return bytes(found[: int(keep * len(found))])


@pytest.mark.parametrize("kind", [*FILES, *IMAGES])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, keep=st.one_of(st.just(1.0), st.floats(0, 1)))
def test_spoilt_files(tmp_path: Path, kind: str, changes: list[tuple[float, int]], keep: float) -> None:
    """A file with bytes changed or cut off is taken, or refused with a located error."""
    if not (tmp_path / f"whole.{kind}").exists():
        whole(kind, tmp_path)
    data = spoilt((tmp_path / f"whole.{kind}").read_bytes(), changes, keep)
    spec = GREY
    if kind in IMAGES:
        if not (tmp_path / "f").exists():
            folder(tmp_path / "f", mode="L", count=2)
        place, path = tmp_path / "f", tmp_path / "f" / "cat" / f"spoilt.{kind}"
    elif kind == "idx":
        place, path = tmp_path / "i", tmp_path / "i" / "train-images-idx3-ubyte"
        place.mkdir(exist_ok=True)
        idx(place / "train-labels-idx1-ubyte", np.array([0, 1, 0, 1], np.uint8))
    else:
        place = path = tmp_path / f"a.{kind}"
        spec = {"txt": TEXT, "csv": "input 1\nFC(2) - SOFTMAX", "csv.gz": "input 1\nFC(2) - SOFTMAX"}.get(kind, GREY)
    path.write_bytes(data)
    try:
        opened(place, spec)
    except ArchError as error:
        assert all(d.file or d.span or d.code == "E705" for d in error.diagnostics), error
