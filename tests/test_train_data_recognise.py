"""What lies at a place is recognised, and comes out as the network takes it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from archdsl.training.data import Data, DataOptions, Normalisation, open_data, prepare
from tests.support.train_data import (
    DIGITS,
    GREY,
    RGB,
    folder,
    idx,
    image,
    network,
    npz,
    opened,
    pixels,
)

TEXT = "input text: 8 of int\nEMBEDDING(16, 8) - LSTM(8) - LINEAR(16)"
SIAMESE = """input left: 1x8x8
input right: 1x8x8
a: [@left - tower: [FC(4)]]
b: [@right - share tower]
MUL{ @a | @b } - FC(1) - SIGMOID
"""
DENSE = "input 1x8x8\nCONV(4) - RELU - CONV(3, 1)"


def everything(split: Any) -> Any:
    """All samples of a part."""
    return split.batch(range(len(split)), None)


def names(split: Any) -> set[str]:
    return {split.name(i) for i in range(len(split))}


def labels(data: Data) -> dict[str, list[int]]:
    return {part: torch.bincount(everything(split).target).tolist() for part, split in parts(data).items()}


def parts(data: Data) -> dict[str, Any]:
    return {"train": data.train, "valid": data.valid, **({"test": data.test} if data.test else {})}


def test_builtin_digits() -> None:
    """scikit-learn's digits: 1,797, split by seed and class, normalised by those that are trained on."""
    pytest.importorskip("sklearn")
    data = opened("builtin:digits", DIGITS)
    assert (data.kind, len(data.train), len(data.valid), data.test) == ("classes", 1438, 359, None)
    assert data.classes == tuple("0123456789")
    assert "split by seed and class: 1,438 train, 359 valid" in data.notes
    batch = everything(data.train)
    assert batch.inputs[0].shape == (1438, 1, 8, 8) and batch.inputs[0].dtype == torch.float32
    assert abs(float(batch.inputs[0].mean())) < 1e-5 and abs(float(batch.inputs[0].std()) - 1) < 1e-3
    assert torch.bincount(everything(data.valid).target).tolist() == [36, 36, 35, 37, 36, 36, 36, 36, 35, 36]
    again = opened("builtin:digits", DIGITS)
    assert names(again.train) == names(data.train) != names(opened("builtin:digits", DIGITS, seed=1).train)
    assert again.fingerprint == data.fingerprint


def test_folder_of_parts(tmp_path: Path) -> None:
    """train/ and val/ with class folders; what is no image is named, hidden files are nothing."""
    folder(tmp_path / "train", count=4)
    folder(tmp_path / "val", count=2)
    folder(tmp_path / "test", count=1)
    (tmp_path / "train" / "cat" / "README.md").write_text("cats")
    (tmp_path / "train" / "cat" / ".DS_Store").write_text("")
    image(tmp_path / "train" / "stray.png")
    data = opened(tmp_path, RGB)
    assert labels(data) == {"train": [4, 4], "valid": [2, 2], "test": [1, 1]}
    assert data.classes == ("cat", "dog") and data.train.name(5) == "train/dog/1.png"
    assert "left out: 2 files that no image of a class is called as: train/cat/README.md, train/stray.png" in data.notes
    first = everything(data.train).inputs[0][0]
    assert data.normalisation is not None
    mean, std = (torch.tensor(x[0]).reshape(3, 1, 1) for x in data.normalisation)
    raw = torch.from_numpy(pixels(0, 8, 8, 3)).permute(2, 0, 1) / 255
    torch.testing.assert_close(first, (raw - mean) / std)


def test_folder_that_is_split(tmp_path: Path) -> None:
    """Class folders alone are split by class; one sample more or less where the part is no whole number."""
    folder(tmp_path, ("10", "9", "bü"), count=5)
    data = opened(tmp_path, RGB.replace("2", "3", 1), valid_part=0.4)
    assert labels(data) == {"train": [3, 3, 3], "valid": [2, 2, 2]}
    assert not names(data.train) & names(data.valid)
    assert data.classes == ("10", "9", "bü")
    none = opened(tmp_path, RGB.replace("2", "3", 1), valid_part=0)
    assert (len(none.train), len(none.valid)) == (15, 0)


def test_classes_called_by_numbers_are_in_their_order(tmp_path: Path) -> None:
    """10 comes after 9, and label 0 is class "1"."""
    folder(tmp_path, [str(n) for n in range(1, 11)], count=2)
    assert opened(tmp_path, RGB.replace("2", "10", 1)).classes == tuple(str(n) for n in range(1, 11))


def test_a_class_of_trains(tmp_path: Path) -> None:
    """A folder called train that holds images, and no folders, is a class."""
    assert opened(folder(tmp_path, ("plane", "train")), RGB).classes == ("plane", "train")


def test_images_that_do_not_fit_in_memory_are_the_same(tmp_path: Path) -> None:
    """Decoded in each epoch or kept, the batches are equal, and so is the fingerprint."""
    folder(tmp_path)
    kept, decoded = opened(tmp_path, RGB), opened(tmp_path, RGB, cache=0)
    assert (kept.train.in_memory, decoded.train.in_memory) == (True, False)
    assert torch.equal(everything(kept.train).inputs[0], everything(decoded.train).inputs[0])
    assert kept.fingerprint == decoded.fingerprint and kept.normalisation == decoded.normalisation


@pytest.mark.parametrize("compress", [False, True])
def test_idx(tmp_path: Path, compress: bool) -> None:
    """MNIST's four files; the test part stays a test part, and some of train is held back."""
    end = ".gz" if compress else ""
    for part, count in (("train", 20), ("t10k", 4)):
        idx(tmp_path / f"{part}-images-idx3-ubyte{end}", pixels(count, count, 8, 8), compress)
        idx(tmp_path / f"{part}-labels-idx1-ubyte{end}", np.arange(count, dtype=np.uint8) % 2, compress)
    data = opened(tmp_path, GREY)
    assert labels(data) == {"train": [8, 8], "valid": [2, 2], "test": [2, 2]}
    assert data.test is not None and data.test.name(3).endswith("t10k-images-idx3-ubyte" + end + ":3")


def test_npz_of_images(tmp_path: Path) -> None:
    """x and y, channels last or first, in parts by their names; classes may be texts."""
    x = pixels(1, 10, 8, 8, 3)
    last = opened(npz(tmp_path / "a.npz", x_train=x, y_train=np.arange(10) % 2, x_test=x[:2], y_test=[0, 1]), RGB)
    first = opened(npz(tmp_path / "b.npz", images=x.transpose(0, 3, 1, 2), labels=["a", "b"] * 5), RGB, valid_part=0)
    assert any("channels come last" in note for note in last.notes)
    assert first.classes == ("a", "b") and last.classes == ("0", "1")
    assert last.test is not None and len(last.test) == 2
    shown = everything(opened(tmp_path / "a.npz", RGB, valid_part=0).train)
    assert torch.equal(shown.inputs[0], everything(first.train).inputs[0])


def test_npz_of_numbers(tmp_path: Path) -> None:
    """Features are scaled each by itself; a column that never changes stays finite."""
    x = np.random.default_rng(0).normal([5, -3, 2], [10, 0.1, 0], (50, 3))
    data = opened(npz(tmp_path / "a.npz", x=x, y=np.arange(50) % 3), "input 3\nFC(3) - SOFTMAX", valid_part=0)
    batch = everything(data.train).inputs[0]
    torch.testing.assert_close(batch.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(batch.std(0, correction=0), torch.tensor([1.0, 1.0, 0.0]), atol=1e-3, rtol=0)


def test_targets_of_numbers(tmp_path: Path) -> None:
    """Regression: floats of the output's shape, whole numbers too where there is one output that nothing squeezes."""
    x = np.zeros((6, 3), np.float32)
    for y in (np.arange(6), np.arange(6) / 7, np.arange(6)[:, None]):
        data = opened(npz(tmp_path / "a.npz", x=x, y=y), "input 3\nFC(1)", valid_part=0)
        target = everything(data.train).target
        assert data.kind == "tensors" and target.shape == (6, 1) and target.dtype == torch.float32
        torch.testing.assert_close(target.flatten(), torch.from_numpy(y).float().flatten())


def test_segmentation(tmp_path: Path) -> None:
    """A class for each position, int64 [N, H, W]; 255 is left out of the loss."""
    y = pixels(2, 6, 8, 8) % 3
    y[0, 0, 0] = 255
    data = opened(npz(tmp_path / "a.npz", x=pixels(1, 6, 8, 8), y=y), DENSE, valid_part=0)
    target = everything(data.train).target
    assert data.kind == "tensors" and target.dtype == torch.int64 and target.shape == (6, 8, 8)
    assert int(target[0, 0, 0]) == -100 and torch.equal(target[1:], torch.from_numpy(y[1:]).long())
    assert "positions of class 255 are left out of the loss" in data.notes


def test_masks_under_a_sigmoid(tmp_path: Path) -> None:
    """Masks of 0 and 255 are 0 and 1, of the output's shape."""
    y = (pixels(2, 6, 8, 8) > 127) * np.uint8(255)
    spec = "input 1x8x8\nCONV(4) - RELU - CONV(1, 1) - SIGMOID"
    target = everything(opened(npz(tmp_path / "a.npz", x=pixels(1, 6, 8, 8), y=y), spec, valid_part=0).train).target
    assert target.shape == (6, 1, 8, 8) and target.unique().tolist() == [0, 1]


def test_autoencoder(tmp_path: Path) -> None:
    """Without targets, and an output of the input's shape, the input is the target; under a SIGMOID from 0 to 1."""
    path = npz(tmp_path / "a.npz", x=pixels(1, 6, 8, 8))
    end = "input 1x8x8\nCONV(4) - RELU - CONV(1) - SIGMOID"
    data = opened(path, end, valid_part=0, augment=("crop",))
    assert any("the input is the target" in note for note in data.notes)
    batch = data.train.batch([0, 1], 3)
    assert torch.equal(batch.target, batch.inputs[0])
    assert 0 <= float(batch.target.min()) <= float(batch.target.max()) <= 1
    free = opened(path, end.replace(" - SIGMOID", ""), valid_part=0)
    assert abs(float(everything(free.train).target.mean())) < 1e-5


def test_autoencoder_of_images(tmp_path: Path) -> None:
    """Images in a folder without classes; those of class folders are not asked for their class."""
    spec = "input 3x8x8\nCONV(4) - RELU - CONV(3)"
    plain = opened(folder(tmp_path / "a", ("x",)) / "x", spec, valid_part=0)
    classes = opened(tmp_path / "a", spec, valid_part=0)
    assert len(plain.train) == len(classes.train) == 5 and plain.train.name(0) == "0.png"
    assert "the classes are not used: the input is the target" in classes.notes
    assert torch.equal(everything(plain.train).target, everything(classes.train).inputs[0])
    folder(tmp_path / "b", ("train", "val"))
    parts_alone = opened(tmp_path / "b", spec)
    assert (len(parts_alone.train), len(parts_alone.valid)) == (5, 5) and not parts_alone.classes


def test_several_inputs(tmp_path: Path) -> None:
    """An array for each input by its name, in the spec's order; two classes under one SIGMOID are 0 and 1."""
    left, right = pixels(1, 6, 8, 8), pixels(2, 6, 8, 8)
    data = opened(npz(tmp_path / "a.npz", right=right, left=left, y=np.arange(6) % 2), SIAMESE, valid_part=0)
    batch = everything(data.train)
    assert [x.shape for x in batch.inputs] == [(6, 1, 8, 8)] * 2 and batch.target.shape == (6, 1)
    assert batch.target.dtype == torch.float32 and data.normalisation is not None
    torch.testing.assert_close(
        batch.inputs[0][:, 0] * data.normalisation.std[0][0] + data.normalisation.mean[0][0],
        torch.from_numpy(left) / 255,
    )


def test_several_labels(tmp_path: Path) -> None:
    """Under a SIGMOID several classes may hold at once: 0 or 1 for each; labels of one class become such."""
    y = np.array([[0, 1, 1], [1, 0, 0]] * 3)
    spec = "input 4\nFC(3) - SIGMOID"
    many = opened(npz(tmp_path / "a.npz", x=np.eye(6, 4), y=y), spec, valid_part=0)
    assert torch.equal(everything(many.train).target, torch.from_numpy(y).float())
    one = opened(npz(tmp_path / "b.npz", x=np.eye(6, 4), y=np.arange(6) % 3), spec, valid_part=0)
    assert one.kind == "classes" and torch.equal(everything(one.train).target, torch.eye(3).repeat(2, 1))


def test_one_hot(tmp_path: Path) -> None:
    """Rows with a single 1 are classes where the network ends in SOFTMAX."""
    data = opened(npz(tmp_path / "a.npz", x=np.eye(6, 4), y=np.eye(3)[[0, 1, 2, 0, 1, 2]]), "input 4\nFC(3) - SOFTMAX")
    assert data.kind == "classes" and everything(data.train).target.dtype == torch.int64


def test_csv_of_paths(tmp_path: Path) -> None:
    """A path and a label in a row, with or without names in the first; paths are beside the file."""
    folder(tmp_path / "images")
    rows = [f"images/{name}/{n}.png,{name}" for name in ("cat", "dog") for n in range(5)]
    plain, named = tmp_path / "plain.csv", tmp_path / "named.csv"
    plain.write_text("\n".join(rows) + "\n")
    named.write_text("label;path;part\n" + "".join(f"{b};{a};train\n" for a, b in (row.split(",") for row in rows)))
    a, b = (opened(path, RGB, valid_part=0) for path in (plain, named))
    assert a.classes == b.classes == ("cat", "dog") and a.train.name(0) == f"{plain}:1 (images/cat/0.png)"
    assert torch.equal(everything(a.train).inputs[0], everything(b.train).inputs[0])


def test_csv_of_pixels(tmp_path: Path) -> None:
    """Numbers and a label, which has a name or is known by holding all classes; whole ones of a map are pixels."""
    x, y = pixels(1, 20, 64), np.arange(20) % 10
    bare, named = tmp_path / "bare.csv.gz", tmp_path / "named.csv"
    bare.write_bytes(gzip.compress("".join(",".join(map(str, [*r, label])) + "\n" for r, label in zip(x, y)).encode()))
    header = ",".join(["label", *(f"pixel{i}" for i in range(64))])
    named.write_text(header + "\n" + "".join(",".join(map(str, [label, *r])) + "\n" for r, label in zip(x, y)))
    a, b = (opened(path, DIGITS, valid_part=0) for path in (bare, named))
    assert "the last of 65 columns is the label" in a.notes and a.train.name(2) == f"{bare}:3"
    assert torch.equal(everything(a.train).inputs[0], everything(b.train).inputs[0])
    assert a.normalisation is not None and 0.4 < a.normalisation.mean[0][0] < 0.6


def test_csv_of_flowers(tmp_path: Path) -> None:
    """Numbers, and a name at the end of each row."""
    path = tmp_path / "iris.csv"
    path.write_text("".join(f"{i}.5,{-i},0,{name}\n" for i in range(6) for name in ("setosa", "virginica")))
    data = opened(path, "input 3\nclasses = 2\nFC - SOFTMAX", valid_part=0)
    assert data.classes == ("setosa", "virginica") and len(data.train) == 12


def test_csv_of_several_labels(tmp_path: Path) -> None:
    """A path, and a column of 0 and 1 for each label."""
    folder(tmp_path, ("a",))
    (tmp_path / "t.csv").write_text("path,tall,wide\n" + "".join(f"a/{n}.png,{n % 2},1\n" for n in range(5)))
    data = opened(tmp_path / "t.csv", "input 3x8x8\nFC(2) - SIGMOID", valid_part=0)
    assert everything(data.train).target.tolist() == [[n % 2, 1] for n in range(5)]


def test_files_of_parts(tmp_path: Path) -> None:
    """A folder with train.npz and valid.npz, or .csv."""
    for name, count in (("train", 6), ("val", 4)):
        npz(tmp_path / f"{name}.npz", x=pixels(count, count, 8, 8), y=np.arange(count) % 2)
    assert labels(opened(tmp_path, GREY)) == {"train": [3, 3], "valid": [2, 2]}


def test_text(tmp_path: Path) -> None:
    """Windows of a text and the characters after each; the end is held back; ids are in the characters' order."""
    text = "abcdefgh" * 20
    (tmp_path / "t.txt").write_text(text)
    data = opened(tmp_path / "t.txt", TEXT)
    assert (data.kind, data.classes) == ("text", tuple("abcdefgh"))
    assert (len(data.train), len(data.valid)) == (15, 3)
    batch = data.train.batch([0, 2], None)
    assert batch.inputs[0].tolist() == [list(range(8))] * 2 and batch.target.tolist() == [[1, 2, 3, 4, 5, 6, 7, 0]] * 2
    moved = opened(tmp_path / "t.txt", TEXT, augment=("shift",)).train
    starts = {int(moved.batch([3], epoch).inputs[0][0, 0]) for epoch in range(40)}
    assert len(starts) > 4 and moved.batch(range(15), 7).inputs[0].shape == (15, 8)
    last = opened(tmp_path / "t.txt", TEXT.replace("LSTM(8) - LINEAR(16)", "FC(16)"))
    assert last.train.batch([0], None).target.tolist() == [0]


def test_resize(tmp_path: Path) -> None:
    """Images of any size are scaled until they cover the input and are cut to it, in files and in arrays alike."""
    for number, size in enumerate([(20, 12), (12, 20), (4, 4), (8, 8)] * 2):
        image(tmp_path / "f" / ("a", "b")[number % 2] / f"{number}.png", number, size)
    data = opened(tmp_path / "f", RGB, resize=True)
    assert "images are scaled to cover 8x8 and cut to it" in data.notes
    assert everything(data.train).inputs[0].shape[1:] == (3, 8, 8)
    array = opened(npz(tmp_path / "a.npz", x=pixels(1, 4, 16, 24), y=[0, 1, 0, 1]), GREY, resize=True)
    assert everything(array.train).inputs[0].shape[1:] == (1, 8, 8)


def test_ways_to_write_colours(tmp_path: Path) -> None:
    """CMYK and EXIF's orientation are read; greys among colours and alpha channels are counted."""
    from PIL import Image

    folder(tmp_path)
    image(tmp_path / "cat" / "grey.png", 7, mode="L")
    image(tmp_path / "cat" / "alpha.png", 8, mode="RGBA")
    image(tmp_path / "dog" / "print.jpg", 9, mode="CMYK")
    turned = Image.fromarray(pixels(3, 8, 8, 3))
    exif = turned.getexif()
    exif[0x0112] = 3
    turned.save(tmp_path / "dog" / "turned.png", exif=exif)
    data = opened(tmp_path, RGB, valid_part=0)
    assert "1 of 14 images are grey: their red, green and blue are equal" in data.notes
    assert "1 of 14 images have an alpha channel, which is dropped" in data.notes
    every = {data.train.name(i): x for i, x in enumerate(everything(data.train).inputs[0])}
    assert data.normalisation is not None
    mean, std = (torch.tensor(x[0]).reshape(3, 1, 1) for x in data.normalisation)
    shown = (every["dog/turned.png"] * std + mean) * 255  # upside down
    torch.testing.assert_close(shown, torch.from_numpy(pixels(3, 8, 8, 3)).flip(0, 1).permute(2, 0, 1).float())


def test_sixteen_bits(tmp_path: Path) -> None:
    """Greys of 16 bits keep their scale."""
    from PIL import Image

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(2):
            values = np.full((8, 8), 257 * 100, np.uint16)
            Image.fromarray(values).save(tmp_path / name / f"{number}.png")
    data = opened(tmp_path, GREY, valid_part=0)
    assert data.normalisation is not None and data.normalisation.mean == ((pytest.approx(100 / 255),),)


def test_what_an_earlier_run_stored(tmp_path: Path) -> None:
    """Given classes and normalisation are kept: labels are in their order, and a test part alone is enough."""
    data = opened(folder(tmp_path / "a", ("cat", "dog")), RGB)
    assert data.normalisation is not None
    stored = Normalisation.from_dict(data.normalisation.to_dict())
    assert stored == data.normalisation
    later = opened(
        folder(tmp_path / "b" / "test", ("dog",), count=3), RGB, normalisation=stored, classes=("cat", "dog")
    )
    assert later.classes == ("cat", "dog") and later.normalisation == stored
    one = opened(tmp_path / "b", RGB, normalisation=stored, classes=("cat", "dog"))
    assert one.test is not None and everything(one.test).target.tolist() == [1, 1, 1] and not len(one.train)


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    """It does not hang on the place, and changes with a pixel, a label or a name."""
    base = opened(folder(tmp_path / "a"), RGB).fingerprint
    assert opened(folder(tmp_path / "b"), RGB).fingerprint == base
    image(tmp_path / "a" / "cat" / "0.png", 77)
    assert opened(tmp_path / "a", RGB).fingerprint != base
    (tmp_path / "b" / "dog").rename(tmp_path / "b" / "fox")
    assert opened(tmp_path / "b", RGB).fingerprint != base
    x = pixels(1, 4, 8, 8)
    one, two = (npz(tmp_path / f"{n}.npz", x=x, y=y) for n, y in (("c", [0, 1, 0, 1]), ("d", [0, 1, 1, 0])))
    assert opened(one, GREY).fingerprint != opened(two, GREY).fingerprint


def test_prepare(tmp_path: Path) -> None:
    """An image to predict comes out as it does in training."""
    data = opened(folder(tmp_path), RGB, valid_part=0)
    path = str(tmp_path / "cat" / "3.png")
    options = DataOptions(normalisation=data.normalisation)
    [x] = prepare([path], network(RGB), data.normalisation, options)
    assert torch.equal(x[0], everything(data.train).inputs[0][3])
    grey = str(image(tmp_path / "grey.png", mode="L"))
    [x] = prepare([grey], network(RGB), data.normalisation, options)
    assert x.shape == (1, 3, 8, 8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_orientation(tmp_path: Path, orientation: int, kind: str) -> None:
    """An image that a camera was held askew for is upright: as Pillow's own way sets it, sizes included."""
    from PIL import Image, ImageOps

    plain = Image.fromarray(pixels(3, 8, 12, 3))
    exif = plain.getexif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{kind}"
    plain.save(path, exif=exif)
    with Image.open(path) as stored:
        wanted = np.asarray(ImageOps.exif_transpose(stored))
    spec = f"input 3x{wanted.shape[0]}x{wanted.shape[1]}\nFC(2)"
    [x] = prepare([str(path)], network(spec), None, DataOptions())
    assert torch.equal((x[0] * 255).round(), torch.from_numpy(wanted.copy()).permute(2, 0, 1).float())


def test_open_data_takes_the_networks_input_as_given(tmp_path: Path) -> None:
    """`--input` and -D count, not the text alone."""
    data = open_data(
        str(folder(tmp_path)),
        network("[(CONV-RELU)*N-POOL]*M-(FC-RELU)*K-SOFTMAX", {"N": "1", "M": "1", "K": "0", "classes": "2"}, "3x8x8"),
        DataOptions(),
    )
    assert len(data.train) == 8
