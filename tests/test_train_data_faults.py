"""Data that is broken or does not fit is refused before a step is made, with the file, the row, or the spec's line."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.training.data import limits
from tests.support.train_data import DIGITS, GREY, RGB, folder, idx, image, npz, opened, pixels, refused

TEXT = "input text: 8 of int\nEMBEDDING(4, 8) - LSTM(8) - LINEAR(4)"


def said(found: Diagnostic) -> str:
    """All that it says."""
    return " | ".join((found.message, *found.notes, *found.help))


def at(found: Diagnostic) -> str:
    """The stretch of the spec that it points to."""
    assert found.span is not None
    return found.span.text


def test_nothing_there(tmp_path: Path) -> None:
    """No such place, an empty folder, a file of an unknown kind, a scheme's unknown name."""
    assert refused(tmp_path / "none", RGB).code == "E700"
    found = refused(tmp_path, RGB)
    assert found.code == "E701" and "it holds nothing" in found.notes
    (tmp_path / "a.doc").write_text("x")
    assert refused(tmp_path / "a.doc", RGB).code == "E701" and "1 .doc" in said(refused(tmp_path, RGB))
    assert refused("builtin:letters", RGB).code == "E701"


def test_folders_of_other_classes(tmp_path: Path) -> None:
    """Class folders that only one of the parts has are named."""
    folder(tmp_path / "train", ("cat", "dog"), count=2)
    folder(tmp_path / "val", ("cat", "dogs"), count=2)
    found = refused(tmp_path, RGB)
    assert found.code == "E703" and found.notes == ("val lacks dog, which train has", "train lacks dogs, which val has")


def test_an_empty_class(tmp_path: Path) -> None:
    """A class folder without images is named."""
    (folder(tmp_path, ("cat", "dog")) / "fox").mkdir()
    found = refused(tmp_path, RGB.replace("2", "3", 1))
    assert found.code == "E704" and found.message.endswith("1 class: fox")


@pytest.mark.parametrize(
    "text, place, help",
    [
        (RGB, "FC", "classes=3 fits: -D classes=3, or classes = 3 in the spec"),
        (RGB.replace("FC", "FC(2)").replace("classes = 2\n", ""), "FC", "FC(3) there fits"),
        (RGB.replace("FC", "FC(64) - RELU - FC(2)").replace(" - SOFTMAX", ""), "FC", "FC(3) there fits"),
    ],
)
def test_another_number_of_classes(tmp_path: Path, text: str, place: str, help: str) -> None:
    """The layer that gives the scores is shown, with help that was tried."""
    found = refused(folder(tmp_path, ("a", "b", "c"), count=2), text)
    assert (found.code, at(found), found.help) == ("E705", place, (help,))
    assert found.message == "the data has 3 classes, and the network gives 2 scores"
    assert found.span is not None and found.span.source.text[found.span.start :].count("FC") == 1


def test_labels_beyond_the_classes(tmp_path: Path) -> None:
    """Bare labels: the highest one says where it stands; a negative one is no class."""
    x = pixels(1, 4, 8, 8)
    found = refused(npz(tmp_path / "a.npz", x=x, y=[0, 5, 1, 2]), GREY)
    assert found.code == "E705" and found.notes == (f"the highest label is 5, of {tmp_path}/a.npz[1]",)
    found = refused(npz(tmp_path / "a.npz", x=x, y=[0, 1, -1, -2]), GREY)
    assert (found.code, found.file) == ("E709", f"{tmp_path}/a.npz[2]") and "2 labels of 4 are so" in found.notes
    found = refused(npz(tmp_path / "a.npz", x=x, y=[0, 1, 7, 1]), GREY, classes=("a", "b"))
    assert (found.code, found.file) == ("E709", f"{tmp_path}/a.npz[2]")


def test_images_of_another_size(tmp_path: Path) -> None:
    """The input is shown; of one size it is the size that would do, of several --resize alone."""
    found = refused(folder(tmp_path, size=(10, 12)), RGB)
    assert (found.code, at(found)) == ("E706", "input 3x8x8")
    assert found.message == "images are 10x12, and the input takes 3x8x8"
    assert found.help == ("the network takes them with --input 3x10x12", "--resize scales them to 8x8")
    image(tmp_path / "cat" / "0.png", size=(8, 8))
    found = refused(tmp_path, RGB)
    assert found.message.startswith("images have 2 sizes, 8x8, 10x12")
    assert found.help == ("--resize scales them to 8x8",)


def test_sizes_that_are_left_open(tmp_path: Path) -> None:
    """Training needs them: the help has the input to give; there is nothing to scale to."""
    for resize in (False, True):
        found = refused(folder(tmp_path), "input 3xHxW\nCONV(4) - GAP - FC(2)", resize=resize)
        assert (found.code, at(found)) == ("E706", "input 3xHxW")
        assert found.help == ("the network takes them with --input 3x8x8",)


def test_faults_of_inputs_and_targets_are_told_together(tmp_path: Path) -> None:
    """Sizes and classes have nothing to do with each other."""
    with pytest.raises(ArchError) as caught:
        opened(folder(tmp_path, size=(9, 9)), RGB.replace("2", "3", 1))
    assert [d.code for d in caught.value.diagnostics] == ["E706", "E705"]


def test_images_of_other_channels(tmp_path: Path) -> None:
    """Greys for an input of colours and colours for one of greys are no silent conversion."""
    grey = refused(folder(tmp_path / "a", mode="L"), RGB)
    assert grey.code == "E706" and grey.message == "10 of 10 images are grey, and the input is of 3 channels"
    assert grey.help == ("the network takes them with --input 1x8x8",)
    colour = refused(folder(tmp_path / "b"), GREY)
    assert colour.help == ("the network takes them with --input 3x8x8",)
    assert refused(folder(tmp_path / "b"), "input 64\nFC(2) - SOFTMAX").code == "E706"


def test_arrays_of_another_shape(tmp_path: Path) -> None:
    """Samples that are not the input's shape, targets that are not the output's."""
    path = npz(tmp_path / "a.npz", x=pixels(1, 4, 9, 9), y=[0, 1, 0, 1])
    found = refused(path, GREY)
    assert (found.code, at(found)) == ("E706", "input 1x8x8") and "samples are 1x9x9" in found.message
    found = refused(npz(tmp_path / "b.npz", x=np.zeros((4, 3)), y=np.zeros((4, 5))), "input 3\nFC(2)")
    assert (found.code, at(found)) == ("E708", "FC") and "a target is 5, and the network gives 2" in found.message
    found = refused(npz(tmp_path / "c.npz", x=np.zeros((4, 3)), y=[0, 1, 2, 1]), "input 3x4x4\nCONV(3) - FC(3)")
    assert found.code == "E706"
    found = refused(npz(tmp_path / "d.npz", x=np.zeros((4, 3))), "input 3\nFC(2)")
    assert found.code == "E708" and "no targets" in found.message
    found = refused(npz(tmp_path / "e.npz", x=np.zeros((2, 3)), y=[[0.5, 2], [0, 1]]), "input 3\nFC(2) - SIGMOID")
    assert found.code == "E708" and found.file == f"{tmp_path}/e.npz[0]"


def test_classes_of_positions(tmp_path: Path) -> None:
    """A class in a mask that the network has no score for."""
    y = np.zeros((4, 8, 8), np.int64)
    y[2, 3, 4] = 3
    found = refused(npz(tmp_path / "a.npz", x=pixels(1, 4, 8, 8), y=y), "input 1x8x8\nCONV(3, 1)")
    assert (found.code, found.file) == ("E709", f"{tmp_path}/a.npz[2]") and found.help == ("CONV(4) there fits",)


@pytest.mark.parametrize("value, what", [(np.nan, "not a number"), (np.inf, "infinite"), (1e300, "infinite")])
def test_not_a_number(tmp_path: Path, value: float, what: str) -> None:
    """NaN and infinities, in inputs and targets, with the sample and the place in it."""
    x = np.zeros((4, 2, 3))
    x[2, 1, 0] = value
    found = refused(npz(tmp_path / "a.npz", x=x, y=np.zeros(4)), "input 2x3\nFC(1)")
    assert (found.code, found.file) == ("E710", f"{tmp_path}/a.npz[2]")
    assert found.message == f"a number at (1, 0) of this sample is {what}"
    found = refused(npz(tmp_path / "a.npz", x=np.zeros((4, 2)), y=x[:, 1, 0]), "input 2\nFC(1)")
    assert (found.code, found.file) == ("E710", f"{tmp_path}/a.npz[2]")


def test_lengths_that_differ(tmp_path: Path) -> None:
    """Inputs and targets are equally many, images and labels too, and every part has targets or none has."""
    found = refused(npz(tmp_path / "a.npz", x=pixels(1, 4, 8, 8), y=[0, 1, 0]), GREY)
    assert found.code == "E711" and "4 inputs, 3 targets" in found.message
    x = pixels(1, 4, 8, 8)
    assert refused(npz(tmp_path / "b.npz", x_train=x, y_train=[0, 1, 0, 1], x_test=x), GREY).code == "E711"
    place = tmp_path / "idx"
    place.mkdir()
    idx(place / "train-images-idx3-ubyte", x)
    assert refused(place, GREY).code == "E711"
    idx(place / "train-labels-idx1-ubyte", np.zeros(3, np.uint8))
    assert refused(place, GREY).code == "E711"


def _idx(tmp_path: Path, data: bytes) -> Diagnostic:
    idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(4, np.uint8))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(data)
    return refused(tmp_path, GREY)


def test_damaged_idx(tmp_path: Path) -> None:
    """Another start, too few bytes, too many, a gzip that ends early, sizes of more than there is memory for."""
    whole = idx(tmp_path / "whole", pixels(1, 4, 8, 8)).read_bytes()
    for data in (b"", b"\x89PNG....", whole[:-1], whole + b"0", whole[:6], gzip.compress(whole)[:-20]):
        found = _idx(tmp_path, data)
        assert found.code == "E712" and found.file.endswith("train-images-idx3-ubyte"), data[:8]
    huge = bytes([0, 0, 8, 3]) + b"\x7f\xff\xff\xff" * 3
    assert _idx(tmp_path, huge).code == "E717"


def test_damaged_npz(tmp_path: Path) -> None:
    """A file cut short, objects (which would be pickles), text where numbers belong, a header that lies about sizes."""
    whole = npz(tmp_path / "a.npz", x=pixels(1, 4, 8, 8), y=[0, 1, 0, 1]).read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    assert refused(tmp_path / "a.npz", GREY).code == "E712"
    objects = np.array([{}, 1, 2, 3], dtype=object)
    found = refused(npz(tmp_path / "b.npz", x=objects, y=[0, 1, 0, 1]), GREY)
    assert found.code == "E712" and "array x" in found.message and "pickle" in said(found)
    assert refused(npz(tmp_path / "c.npz", x=["a", "b"], y=[0, 1]), GREY).code == "E712"
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (1 << 50,)})
        archive.writestr("x.npy", head.getvalue() + b"1234")
    found = refused(tmp_path / "d.npz", GREY)
    assert found.code == "E712" and "its header says" in found.message


def test_arrays_by_other_names(tmp_path: Path) -> None:
    """Names that are not the network's are listed, and what would do."""
    found = refused(npz(tmp_path / "a.npz", left=pixels(1, 4, 8, 8), z=[1]), GREY)
    assert found.code == "E715" and "left, z" in found.message and found.help == ("call them x and y",)


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What swells beyond the machine's memory is given up while it is read; so is an image of too many pixels."""
    monkeypatch.setattr(limits, "memory", lambda: 1 << 18)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0,0,0\n" * (1 << 16)))
    assert refused(tmp_path / "a.csv.gz", "input 2\nFC(2) - SOFTMAX").code == "E717"
    (tmp_path / "a.txt").write_bytes(gzip.compress(b"a" * (1 << 21)))
    assert refused(tmp_path / "a.txt", TEXT).code == "E717"
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\0" * (1 << 21))
    assert refused(tmp_path / "a.npz", GREY).code == "E717"
    header = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", b"\0\0\xff\xff\0\0\xff\xff\x08\x02\0\0\0") + _chunk(b"IDAT", b"x")
    folder(tmp_path / "f")
    (tmp_path / "f" / "cat" / "0.png").write_bytes(header)
    found = refused(tmp_path / "f", RGB, resize=True)
    assert found.code == "E713" and "claims more than 100,000,000 pixels" in found.message


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _break(root: Path) -> list[Path]:
    """A folder of ten images of which three cannot be read."""
    folder(root)
    whole = root / "cat" / "1.png"
    whole.write_bytes(whole.read_bytes()[:100])
    (root / "dog" / "2.png").write_bytes(b"no image")
    (root / "dog" / "3.png").unlink()
    (root / "dog" / "3.png").symlink_to(root / "nowhere")
    return [whole, root / "dog" / "2.png", root / "dog" / "3.png"]


@pytest.mark.parametrize("cache", [0, 1 << 20])
def test_broken_images(tmp_path: Path, cache: int) -> None:
    """They are an error that names them, or are left out, counted and named."""
    _break(tmp_path)
    found = refused(tmp_path, RGB, cache=cache)
    assert (found.code, found.file) == ("E713", "dog/2.png")
    assert found.notes == ("dog/3.png: there is no such file",) and "--skip leaves" in said(found)
    data = opened(tmp_path, RGB, cache=cache, skip=True, valid_part=0)
    [note] = [note for note in data.notes if note.startswith("left out")]
    assert "3 images" in note and all(name in note for name in ("cat/1.png", "dog/2.png", "dog/3.png"))
    assert len(data.train) == 7 and data.train.batch(range(7), None).target.tolist() == [0] * 4 + [1] * 3


def test_a_truncated_image(tmp_path: Path) -> None:
    """One whose header is whole is found when it is decoded: before training where all are kept, else in its batch."""
    folder(tmp_path)
    path = tmp_path / "cat" / "1.png"
    path.write_bytes(path.read_bytes()[:150])
    found = refused(tmp_path, RGB)
    assert (found.code, found.file) == ("E713", "cat/1.png")
    from archdsl.training.data import Normalisation

    given = Normalisation(((0.5,) * 3,), ((1.0,) * 3,))
    data = opened(tmp_path, RGB, cache=0, valid_part=0, normalisation=given)
    with pytest.raises(ArchError, match=r"E713.*\n.*cat/1\.png"):
        data.train.batch([0, 1], None)


def test_skipping_may_not_empty_a_class(tmp_path: Path) -> None:
    """A class whose images are all broken is an error all the same."""
    folder(tmp_path, count=1)
    (tmp_path / "cat" / "0.png").write_bytes(b"no image")
    assert refused(tmp_path, RGB, skip=True).code == "E704"


def test_links_in_a_circle(tmp_path: Path) -> None:
    """A link to a folder around it is followed once."""
    folder(tmp_path)
    (tmp_path / "cat" / "again").symlink_to(tmp_path / "cat")
    assert len(opened(tmp_path, RGB, valid_part=0).train) == 10


@pytest.mark.parametrize(
    "text, code, where, what",
    [
        ("path,label\ncat/0.png,cat\ncat/99.png,dog\n", "E713", ":3 (cat/99.png)", "no such file"),
        ("path,label\ncat/0.png,cat\ncat/1.png\n", "E712", ":3", "this row has 1 column, and the first one 2"),
        ("path,label\ncat/0.png,cat\ncat/1.png,\n", "E712", ":3", "no label"),
        ("path,label,part\ncat/0.png,cat,middle\n", "E712", ":2", "'middle' is no part"),
        ('path,label\ncat/0.png,"cat\n', "E712", ":2", "cannot be read"),
        ("path,label\ncat/0.png,c\u00e4t\n".encode("latin-1"), "E712", ":2", "byte 0xe4"),
        ("a,b,c\nx,y,z\n", "E715", "", "do not say"),
        ("", "E716", "", "no row"),
        ("label,a\n1,2\n0,x\n", "E712", ":3", "'x' in column 2 is no number"),
    ],
)
def test_broken_rows(tmp_path: Path, text: str | bytes, code: str, where: str, what: str) -> None:
    """The row of a CSV is named, counted by lines of the file."""
    folder(tmp_path)
    path = tmp_path / "rows.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = refused(path, RGB)
    assert found.code == code and found.file.startswith(f"{path}{where}") and what in said(found)


def test_columns_that_could_be_labels(tmp_path: Path) -> None:
    """Bare numbers of which neither or both ends hold all classes."""
    (tmp_path / "a.csv").write_text("0,5,1\n1,5,0\n")
    found = refused(tmp_path / "a.csv", "input 2\nFC(2) - SOFTMAX")
    assert found.code == "E715" and "first row with names" in said(found)


@pytest.mark.parametrize("change, spec", [("mirror", RGB), ("flip", "input 192\nFC(2) - SOFTMAX"), ("shift", RGB)])
def test_augmentations(tmp_path: Path, change: str, spec: str) -> None:
    """One that there is not, or that means nothing for what is there."""
    path = npz(tmp_path / "a.npz", x=pixels(1, 4, 8, 8, 3), y=[0, 1, 0, 1])
    assert refused(path, spec, augment=(change,)).code == "E714"


def test_augmentations_of_targets(tmp_path: Path) -> None:
    """What moves an input away from a target that is of each position is refused, and color for what is no pixels."""
    path = npz(tmp_path / "a.npz", x=pixels(1, 4, 8, 8), y=pixels(1, 4, 8, 8) % 2)
    found = refused(path, "input 1x8x8\nCONV(2)", augment=("flip", "crop"))
    assert found.code == "E714" and found.message.startswith("crop")
    path = npz(tmp_path / "b.npz", x=np.zeros((4, 1, 8, 8)), y=[0, 1, 0, 1])
    assert refused(path, GREY, augment=("color",)).code == "E714"


def test_texts(tmp_path: Path) -> None:
    """More characters than ids, one that an earlier run did not know, no UTF-8, too little, a network for images."""
    path = tmp_path / "t.txt"
    path.write_text("abcdef" * 20)
    found = refused(path, TEXT)
    assert (found.code, at(found)) == ("E718", "LINEAR")
    assert "6 different characters, and the network 4" in found.message
    path.write_text("abc\n" * 20 + "xyz")
    found = refused(path, TEXT, classes=("a", "b", "c", "\n"))
    assert (found.code, found.file) == ("E718", f"{path}:21")
    path.write_bytes(b"abc\nab\xff")
    assert refused(path, TEXT).file == f"{path}:2"
    path.write_text("abc")
    assert refused(path, TEXT).code == "E716"
    assert refused(path, GREY).code == "E708" and refused(path, TEXT, augment=("flip",)).code == "E714"


def test_ids_beyond_the_table(tmp_path: Path) -> None:
    """An id that the EMBEDDING has no row for, and a fraction, are no ids."""
    spec = "input 3 of int\nEMBEDDING(5, 4) - FC(2) - SOFTMAX"
    found = refused(npz(tmp_path / "a.npz", x=[[0, 1, 2], [3, 4, 5]], y=[0, 1]), spec)
    assert (found.code, found.file) == ("E709", f"{tmp_path}/a.npz[1]") and "takes 0 to 4" in found.message
    assert refused(npz(tmp_path / "b.npz", x=[[0, 1, 0.5], [0, 1, 2]], y=[0, 1]), spec).code == "E706"


def test_nothing_to_train_on(tmp_path: Path) -> None:
    """No sample at all, or none but those to judge by."""
    assert refused(npz(tmp_path / "a.npz", x=pixels(1, 0, 8, 8), y=np.zeros(0)), GREY).code == "E716"
    folder(tmp_path / "f" / "test")
    assert refused(tmp_path / "f", RGB).code == "E716"


def test_a_package_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra that is not installed is named, with how to have it."""
    import sys

    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    needed = {
        "sklearn.datasets": "builtin:digits",
        "datasets": "hf:x",
        "torchvision": "torchvision:MNIST@x",
        "pyarrow": tmp_path / "a.parquet",
    }
    for package, where in needed.items():
        monkeypatch.setitem(sys.modules, package, None)
        found = refused(where, DIGITS)
        assert found.code == "E702" and found.help[0].startswith("pip install"), package


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's reason is told, with the file."""
    path = npz(tmp_path / "a.npz", x=pixels(1, 4, 8, 8))

    def denied(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(zipfile, "ZipFile", denied)
    found = refused(path, GREY)
    assert (found.code, found.file) == ("E700", str(path)) and "permission denied" in found.message


def test_a_hostile_image_reaches_few_decoders(tmp_path: Path) -> None:
    """A PostScript file called .png is not given to what would run it."""
    folder(tmp_path)
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "EPS")
    (tmp_path / "cat" / "0.png").write_bytes(stream.getvalue())
    found = refused(tmp_path, RGB)
    assert found.code == "E713" and "no image of a kind that is read" in found.message
