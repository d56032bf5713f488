"""Data that other packages carry, and what they write."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from archdsl.training.data.shards import braces
from tests.support.train_data import GREY, RGB, folder, idx, opened, pixels, refused


def everything(split: Any) -> Any:
    """All samples of a part."""
    return split.batch(range(len(split)), None)


def test_torchvision_mnist(tmp_path: Path) -> None:
    """torchvision's own files: its two parts and the names of its classes, equal to the same files read as idx."""
    pytest.importorskip("torchvision")
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 20), ("t10k", 4)):
        idx(raw / f"{part}-images-idx3-ubyte", pixels(count, count, 28, 28))
        idx(raw / f"{part}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8) % 10)
    spec = "input 1x28x28\nFC(10) - SOFTMAX"
    data = opened(f"torchvision:MNIST@{tmp_path}", spec, valid_part=0)
    assert data.classes[:2] == ("0 - zero", "1 - one") and data.test is not None and len(data.test) == 4
    assert data.train.name(3).endswith(":train[3]")
    plain = opened(raw, spec, valid_part=0)
    assert torch.equal(everything(data.train).inputs[0], everything(plain.train).inputs[0])
    assert torch.equal(everything(data.test).target, torch.arange(4))


def test_torchvision_refuses(tmp_path: Path) -> None:
    """An unknown name, one that is no data, no folder named."""
    pytest.importorskip("torchvision")
    assert refused(f"torchvision:MNISTT@{tmp_path}", GREY).code == "E701"
    assert refused(f"torchvision:VisionDataset@{tmp_path}", GREY).code == "E701"
    found = refused("torchvision:MNIST", GREY)
    assert found.code == "E701" and found.help == ("torchvision:MNIST@data",)


def shard(path: Path, members: dict[str, bytes]) -> Path:
    """A tar file."""
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def samples(root: Path, start: int, count: int) -> dict[str, bytes]:
    """An image and a label for each number, as WebDataset writes them."""
    folder(root, ("0", "1"), count=count)
    found = {}
    for number in range(start, start + count):
        found[f"{number:06}.png"] = (root / str(number % 2) / f"{number - start}.png").read_bytes()
        found[f"{number:06}.cls"] = str(number % 2).encode()
    return found


def test_webdataset(tmp_path: Path) -> None:
    """Shards by a pattern, in parts by their names; any sample can be had at any time."""
    for number in range(2):
        shard(tmp_path / f"train-{number:03}.tar", samples(tmp_path / "i", 10 * number, 6))
    shard(tmp_path / "valid-000.tar", {**samples(tmp_path / "i", 0, 4), "000000.json": b"{}"})
    data = opened(f"wds:{tmp_path}/{{train,valid}}-{{000..001}}.tar", RGB)
    assert (len(data.train), len(data.valid)) == (12, 4) and data.classes == ("0", "1")
    assert data.train.name(7).endswith("train-001.tar:000011.png")
    assert any("left out: 1 file in the tars" in note for note in data.notes)
    assert everything(data.train).target.tolist() == [0, 1] * 6
    decoded = opened(f"wds:{tmp_path}/*.tar", RGB, cache=0)
    assert torch.equal(everything(decoded.train).inputs[0], everything(data.train).inputs[0])
    assert len(opened(tmp_path / "train-000.tar", RGB, valid_part=0).train) == 6


def test_patterns() -> None:
    """Braces with numbers and words, as shells take them apart."""
    assert braces("a{08..11}-{x,y}") == [f"a{n}-{w}" for n in ("08", "09", "10", "11") for w in "xy"]
    assert braces("plain") == ["plain"]


def test_broken_shards(tmp_path: Path) -> None:
    """No file, one cut short, compressed, a sample without its label or image, an address."""
    assert refused(f"wds:{tmp_path}/*.tar", RGB).code == "E700"
    assert refused("wds:https://example.com/{0..9}.tar", RGB).code == "E701"
    whole = shard(tmp_path / "a.tar", samples(tmp_path / "i", 0, 4)).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:1100])
    assert refused(tmp_path / "a.tar", RGB).code in ("E711", "E712")
    with tarfile.open(tmp_path / "b.tar", "w:gz") as tar:
        tar.add(tmp_path / "i", "i")
    assert refused(tmp_path / "b.tar", RGB).code == "E712"
    for lost, what in (("000001.cls", "no label"), ("000001.png", "no image")):
        members = samples(tmp_path / "i", 0, 4)
        del members[lost]
        found = refused(shard(tmp_path / "c.tar", members), RGB)
        assert found.code == "E711" and what in found.message and "000001" in found.file


def test_parquet(tmp_path: Path) -> None:
    """Images as bytes or as Hugging Face has them, with the names of its classes; or columns of numbers."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    folder(tmp_path / "i", ("0", "1"), count=3)
    blobs = [(tmp_path / "i" / str(n % 2) / f"{n // 2}.png").read_bytes() for n in range(6)]
    table = pyarrow.table({"image": blobs, "label": [n % 2 for n in range(6)]})
    parquet.write_table(table, tmp_path / "a.parquet")
    names = '{"info": {"features": {"label": {"names": ["cat", "dog"]}}}}'
    cells = [{"bytes": blob, "path": "x"} for blob in blobs]
    table = pyarrow.table({"image": cells, "label": [n % 2 for n in range(6)]})
    parquet.write_table(table.replace_schema_metadata({"huggingface": names}), tmp_path / "b.parquet")
    plain, named = (opened(tmp_path / f"{n}.parquet", RGB, valid_part=0) for n in "ab")
    assert (plain.classes, named.classes) == (("0", "1"), ("cat", "dog"))
    assert plain.train.name(2) == f"{tmp_path}/a.parquet:2"
    files = opened(tmp_path / "i", RGB, valid_part=0)
    assert torch.equal(everything(plain.train).inputs[0][::2], everything(files.train).inputs[0][:3])
    parquet.write_table(pyarrow.table({"a": [0.5, 1.5], "b": [3, 4], "label": ["x", "y"]}), tmp_path / "c.parquet")
    numbers = opened(tmp_path / "c.parquet", "input 2\nclasses = 2\nFC - SOFTMAX", valid_part=0)
    assert numbers.classes == ("x", "y") and everything(numbers.train).inputs[0].shape == (2, 2)


def test_broken_parquet(tmp_path: Path) -> None:
    """A file cut short, an empty cell, columns that say nothing, an image that is broken."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"a": [0.5, None], "label": [0, 1]}), path)
    found = refused(path, "input 1\nFC(2) - SOFTMAX")
    assert (found.code, found.file) == ("E712", f"{path}:1")
    path.write_bytes(path.read_bytes()[:50])
    assert refused(path, "input 1\nFC(2) - SOFTMAX").code == "E712"
    parquet.write_table(pyarrow.table({"a": [0.5], "b": [1]}), path)
    assert refused(path, "input 1\nFC(2) - SOFTMAX").code == "E715"
    parquet.write_table(pyarrow.table({"image": [b"x", b"y"], "label": [0, 1]}), path)
    found = refused(path, RGB)
    assert (found.code, found.file) == ("E713", f"{path}:0")


def test_hugging_face(tmp_path: Path) -> None:
    """A set that `datasets` saved: its parts, the names of its classes, images decoded here."""
    datasets = pytest.importorskip("datasets")
    folder(tmp_path / "i", ("0", "1"), count=3)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    rows = {
        "image": [{"bytes": (tmp_path / "i" / str(n % 2) / f"{n // 2}.png").read_bytes()} for n in range(6)],
        "label": [n % 2 for n in range(6)],
    }
    made = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict({"train": made, "validation": made}).save_to_disk(str(tmp_path / "set"))
    data = opened(f"hf:{tmp_path}/set", RGB)
    assert data.classes == ("cat", "dog") and (len(data.train), len(data.valid)) == (6, 6)
    assert everything(data.train).target.tolist() == [0, 1] * 3 and data.train.name(1).endswith("train[1]")
    assert refused(f"hf:{tmp_path}/i", RGB).code == "E700"
