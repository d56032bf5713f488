"""Weights' files: against the safetensors library, and against files made to hurt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from archdsl.analyses.parameters import Entry
from archdsl.backends.onnx.files import KINDS, READ
from archdsl.backends.onnx.loading import loaded
from archdsl.backends.onnx.safetensors import SafeTensors
from archdsl.diagnostics import ArchError, render
from archdsl.layers.base import ZEROS, Weight

TYPES = {
    "F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64, "BOOL": torch.bool,
    "U8": torch.uint8, "I8": torch.int8, "U16": torch.uint16, "I16": torch.int16, "U32": torch.uint32,
    "I32": torch.int32, "U64": torch.uint64, "I64": torch.int64,
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (3, 5, 2)])
def test_reads_what_the_library_writes(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    """All element types, converted as torch does it."""
    values = (torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 3).abs().to(TYPES[name])
    path = str(tmp_path / "w.safetensors")
    save_file({"other": torch.ones(3), "a.weight": values}, path, {"format": "pt"})
    file = SafeTensors(path)
    dtype = next(kind for kind, names in KINDS.items() if name in names)
    data = b"".join(file.chunks("a.weight", dtype))
    expected = values.to({"float": torch.float32, "int": torch.int64, "bool": torch.bool}[dtype])
    assert file.tensors["a.weight"].shape == shape
    assert data == expected.numpy().tobytes()


def test_chunks_of_a_large_tensor(tmp_path: Path) -> None:
    """More than one chunk of bfloat16 and of float32."""
    values = torch.randn(1_234_567)
    path = str(tmp_path / "w.safetensors")
    save_file({"a": values, "b": values.bfloat16()}, path)
    file = SafeTensors(path)
    assert b"".join(file.chunks("a", "float")) == values.numpy().tobytes()
    assert b"".join(file.chunks("b", "float")) == values.bfloat16().float().numpy().tobytes()


def framed(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A file of this header, given as JSON or as bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def one(**changes: Any) -> dict[str, Any]:
    """A header of one tensor of two floats."""
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


EIGHT = bytes(8)
HOSTILE = {
    "empty": b"",
    "no length": b"\x02\x00\x00",
    "length beyond the file": framed(one(), EIGHT, 10_000),
    "length beyond the format": framed(one(), EIGHT, 2**63),
    "no JSON": framed(b"{", EIGHT),
    "no UTF-8": framed(b'{"\xff": 1}', EIGHT),
    "a list": framed([], EIGHT),
    "nested": framed(b"[" * 100_000, EIGHT),
    "nested objects": framed(b'{"a":' * 100_000, EIGHT),
    "a huge number": framed(b'{"a": ' + b"9" * 100_000 + b"}", EIGHT),
    "duplicate": framed(b'{"a": 1, "a": 2}', EIGHT),
    "duplicate inside": framed(b'{"a": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', EIGHT),
    "no table": framed({"a": 3}, EIGHT),
    "a key too few": framed({"a": {"dtype": "F32", "shape": [2]}}, EIGHT),
    "a long name": framed({"a" * 100_000: {}}, EIGHT),
    "a long shape": framed(one(shape=[1] * 100_000), EIGHT),
    "metadata of numbers": framed({"__metadata__": {"a": 1}, **one()}, EIGHT),
    "metadata a list": framed({"__metadata__": [], **one()}, EIGHT),
    "unknown type": framed(one(dtype="F31"), EIGHT),
    "type a list": framed(one(dtype=["F32"]), EIGHT),
    "NaN": framed(one(shape=[float("nan")]), EIGHT),
    "infinity": framed(one(shape=[float("inf")]), EIGHT),
    "fraction": framed(one(shape=[2.0]), EIGHT),
    "negative": framed(one(shape=[-2]), EIGHT),
    "two negatives": framed(one(shape=[-2, -1]), EIGHT),
    "boolean": framed(one(shape=[True, 2]), EIGHT),
    "shape a text": framed(one(shape="2"), EIGHT),
    "overflowing": framed(one(shape=[2**62, 8]), EIGHT),
    "beyond 64 bits": framed(one(shape=[2**64, 0], data_offsets=[0, 0])),
    "offsets out of order": framed(one(data_offsets=[8, 0]), EIGHT),
    "offsets beyond the file": framed(one(data_offsets=[8, 16]), EIGHT),
    "offsets below zero": framed(one(data_offsets=[-8, 0]), EIGHT),
    "three offsets": framed(one(data_offsets=[0, 8, 8]), EIGHT),
    "another size": framed(one(shape=[3]), EIGHT),
    "truncated": framed(one(), bytes(7)),
    "bytes left over": framed(one(), bytes(9)),
    "overlap": framed({**one(), "b": one(data_offsets=[4, 12])["a"]}, bytes(12)),
    "gap": framed({**one(), "b": one(data_offsets=[12, 20])["a"]}, bytes(20)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path: Path, name: str) -> None:
    """Each is one error that says what is wrong, and the library refuses them too."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(ArchError) as caught:
        SafeTensors(str(path))
    (found,) = caught.value.diagnostics
    assert found.code == "E602" and found.file == str(path)
    assert len(found.message) < 300 and "\n" not in found.message
    with pytest.raises(safetensors.SafetensorError):
        safetensors.deserialize(HOSTILE[name])  # type: ignore[no-untyped-call]


def test_no_file(tmp_path: Path) -> None:
    """A folder and a missing file are errors of the same code."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ArchError, match="E602"):
            SafeTensors(str(path))


def test_archives_of_numpy_are_named(tmp_path: Path) -> None:
    """The error says what the file is, and not how long a header it would have."""
    np.savez(tmp_path / "w.npz", a=np.ones(2))
    with pytest.raises(ArchError, match=r"it is a zip, as numpy\.savez and torch\.save make them"):
        SafeTensors(str(tmp_path / "w.npz"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files(tmp_path: Path, data: st.DataObject) -> None:
    """Any few bytes changed: an ArchError, or a file that the library reads as we do."""
    text = bytearray(framed({**one(), "b": {"dtype": "I64", "shape": [], "data_offsets": [8, 16]}}, bytes(16)))
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "w.safetensors"
    path.write_bytes(text)
    try:
        held = SafeTensors(str(path)).tensors
    except ArchError as error:
        assert [d.code for d in error.diagnostics] == ["E602"]
        return
    theirs = dict(safetensors.deserialize(bytes(text)))  # type: ignore[no-untyped-call]
    assert {name: (h.dtype, h.shape) for name, h in held.items()} == {
        name: (t["dtype"], tuple(t["shape"])) for name, t in theirs.items()
    }


STATE = {
    "conv1.weight": Entry(Weight((2, 3), ZEROS), False),
    "conv1.bias": Entry(Weight((2,), ZEROS), False),
    "bn.num_batches_tracked": Entry(Weight((), ZEROS, "int"), True),
}


def differences(tmp_path: Path, **tensors: torch.Tensor) -> tuple[list[str], list[str]]:
    """The notes and the help of the one error that these tensors give."""
    path = str(tmp_path / "w.safetensors")
    save_file({name.replace("__", "."): tensor for name, tensor in tensors.items()}, path)
    with pytest.raises(ArchError) as caught:
        loaded(path, STATE)
    (found,) = caught.value.diagnostics
    assert found.code == "E601"
    return list(found.notes), list(found.help)


def test_mismatches(tmp_path: Path) -> None:
    """All differences in one error: missing with the nearest of the same shape, shapes, types, left over."""
    notes, _ = differences(tmp_path, conv1__weights=torch.ones(2, 3), conv1__bias=torch.ones(3), fc=torch.ones(1))
    assert notes == [
        "conv1.bias is 2 in the network and 3 in the file",
        "conv1.weight (2x3) is missing in the file; did you mean conv1.weights?",
        "conv1.weights (2x3) is not in the network",
        "fc (1) is not in the network",
    ]
    notes, _ = differences(tmp_path, conv1__weight=torch.ones(2, 3), conv1__bias=torch.ones(2, dtype=torch.int64))
    assert notes == ["conv1.bias is of float in the network and I64 in the file"]


def test_a_thousand_million_tensors(tmp_path: Path) -> None:
    """A header that would hold so many is longer than the format allows, and is not read."""
    path = tmp_path / "w.safetensors"
    with open(path, "wb") as stream:
        stream.write((60 * 10**9).to_bytes(8, "little"))
        stream.truncate(1 << 24)  # a hole: what is there does not matter
    with pytest.raises(ArchError, match="more than the format allows"):
        SafeTensors(str(path))


def test_many_tensors_and_names_like_paths(tmp_path: Path) -> None:
    """Names are compared and shown, and lead nowhere; of very many differences a thousand are listed."""
    names = ["../../etc/passwd", "/conv1.weight", "a/b", "\x1b[2J", "C:\\x", *(f"t{i}" for i in range(50_000))]
    header = {name: {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for name in names}
    path = tmp_path / "w.safetensors"
    path.write_bytes(framed(header))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ArchError) as caught:
        loaded(str(path), STATE)
    (found,) = caught.value.diagnostics
    assert found.code == "E601" and len(found.notes) == 1001 and found.notes[-1].startswith("and 49,007 more")
    assert "../../etc/passwd (0) is not in the network" in found.notes
    assert "\x1b" not in render(found) and sorted(tmp_path.iterdir()) == before


def test_prefix(tmp_path: Path) -> None:
    """A wrapper's prefix is seen as such."""
    _, help = differences(tmp_path, module__conv1__weight=torch.ones(2, 3), module__conv1__bias=torch.ones(2))
    assert help == ["the file's names all begin with 'module.': save them without it"]


def test_counters_may_be_missing(tmp_path: Path) -> None:
    """num_batches_tracked is in the state_dict, and no file needs it."""
    path = str(tmp_path / "w.safetensors")
    save_file({"conv1.weight": torch.full((2, 3), 2.0), "conv1.bias": torch.ones(2, dtype=torch.float16)}, path)
    numbers = loaded(path, STATE)
    assert b"".join(numbers("conv1.weight", STATE["conv1.weight"].weight)) == np.full(6, 2, "<f4").tobytes()
    assert b"".join(numbers("conv1.bias", STATE["conv1.bias"].weight)) == np.ones(2, "<f4").tobytes()
    assert b"".join(numbers("bn.num_batches_tracked", Weight((), ZEROS, "int"))) == bytes(8)
