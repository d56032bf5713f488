"""Files of torch.save, read without torch: against torch's own reading, and against files made to hurt."""

from __future__ import annotations

import collections
import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import archdsl
from archdsl.backends.onnx.files import CHUNK, KINDS
from archdsl.backends.onnx.statedict import STORAGES, StateDict
from archdsl.diagnostics import ArchError

TYPES = {
    "F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64, "BOOL": torch.bool,
    "U8": torch.uint8, "I8": torch.int8, "I16": torch.int16, "I32": torch.int32, "I64": torch.int64,
}  # fmt: skip


def read(path: Path, name: str, dtype: str = "float") -> bytes:
    """A tensor's data as we read it."""
    return b"".join(StateDict(str(path)).chunks(name, dtype))


@pytest.mark.parametrize("name", sorted(set(STORAGES.values())))
@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (3, 5, 2)])
def test_reads_what_torch_writes(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    """All element types, converted as torch does it."""
    values = (torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 3).abs().to(TYPES[name])
    torch.save({"other": torch.ones(3), "a.weight": values}, tmp_path / "w.pt")
    dtype = next(kind for kind, names in KINDS.items() if name in names)
    expected = values.to({"float": torch.float32, "int": torch.int64, "bool": torch.bool}[dtype])
    assert StateDict(str(tmp_path / "w.pt")).tensors["a.weight"].shape == shape
    assert read(tmp_path / "w.pt", "a.weight", dtype) == expected.numpy().tobytes()


def test_views(tmp_path: Path) -> None:
    """Tensors that share a storage, transposed, stepped and stretched, some with fewer bytes than they have values."""
    base = torch.randn(600, 500)
    views = {
        "base": base, "part": base[3:5], "turned": base.T, "stepped": base[::7, 1::3], "row": base[:, 4],
        "stretched": base[:1].expand(4, 500), "deep": base.view(30, 20, 500).permute(2, 0, 1),
        "one": torch.randn(1).expand(10, 8), "rows": torch.randn(9)[4:].expand(6, 5), "none": base[:0].T,
        "columns": torch.randn(3, 1, 2).expand(3, 4, 2).transpose(0, 2), "windows": torch.randn(20).unfold(0, 8, 2),
        "wide": torch.randn(1).expand(700, 800), "windows of a part": base[0, 7:].unfold(0, 3, 1).T,
    }  # fmt: skip
    torch.save(views, tmp_path / "w.pt")
    for name, value in views.items():
        assert read(tmp_path / "w.pt", name) == value.contiguous().numpy().tobytes(), name


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("wrap", ["plain", "state_dict", "model_state_dict"])
def test_modules_and_checkpoints(tmp_path: Path, wrap: str, protocol: int) -> None:
    """A module's state_dict with its metadata, parameters, and a checkpoint's with an epoch beside it."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    state: Any = net.state_dict()
    whole = state if wrap == "plain" else {"epoch": 3, "best": 0.5, wrap: state, "names": ["a", None, True]}
    torch.save(whole, tmp_path / "w.pth", pickle_protocol=protocol)
    held = StateDict(str(tmp_path / "w.pth"))
    assert {name: h.shape for name, h in held.tensors.items()} == {k: tuple(v.shape) for k, v in state.items()}
    assert read(tmp_path / "w.pth", "0.weight") == state["0.weight"].numpy().tobytes()
    torch.save(dict(net.named_parameters()), tmp_path / "p.pt")
    assert read(tmp_path / "p.pt", "0.weight") == state["0.weight"].numpy().tobytes()


def test_a_file_of_weights_makes_the_network(tmp_path: Path) -> None:
    """The same bytes as from safetensors, and no torch is imported for it."""
    from safetensors.torch import save_file

    text = "input 3x8x8\nCONV(4) - BN - RELU - FC(3)"
    state = archdsl.load(text=text).state_dict()
    torch.save(state, tmp_path / "w.pth")
    save_file(state, tmp_path / "w.safetensors")
    made = {archdsl.to_onnx(text=text, weights=tmp_path / name) for name in ("w.pth", "w.safetensors")}
    assert len(made) == 1
    code = f"import archdsl, sys; archdsl.to_onnx(text={text!r}, weights={str(tmp_path / 'w.pth')!r})\n"
    code += "assert not {'torch', 'onnx', 'pickle'} & set(sys.modules) - before, sys.modules"
    code = "import sys; before = set(sys.modules); import numpy; before |= set(sys.modules)\n" + code
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.getcwd()})


# ---- files made to hurt


class Evil:
    """What a pickle calls when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/archdsl-was-here",)


def archive(data: bytes, *, compressed: bool = False, **others: bytes) -> bytes:
    """A zip as torch makes them, of this pickle."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as made:
        made.writestr("archive/data.pkl", data)
        for name, content in others.items():
            made.writestr(f"archive/{name.replace('__', '/')}", content)
    return stream.getvalue()


def saved(value: Any) -> bytes:
    """The file that torch.save writes."""
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def legacy() -> bytes:
    """A file of torch before 1.6."""
    stream = io.BytesIO()
    torch.save({"a": torch.ones(2)}, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def tensor(storage: str, *, size: str = "I2\n\x85", offset: str = "I0\n", stride: str = "I1\n\x85") -> bytes:
    """A pickle of one tensor over what `storage` describes."""
    text = (
        "\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + offset
        + size
        + stride
        + "\x89}tRs."
    )
    return text.encode("latin-1")


FLOATS = "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuI2\ntQ"
EIGHT = {"data__0": bytes(8)}
GOOD = saved({"a": torch.ones(2)})
HOSTILE = {
    "empty": b"",
    "no zip": b"PK\x03\x04 and nothing more",
    "text": b"hello",
    "legacy": legacy(),
    "truncated": GOOD[:-30],
    "a call": archive(pickle.dumps(Evil(), 2)),
    "a call inside": archive(pickle.dumps({"a": Evil()}, 2)),
    "a newer pickle's call": archive(pickle.dumps({"a": Evil()}, 5)),
    "an instance": archive(b"\x80\x02ctorch\nTensor\n)\x81."),
    "a module": saved(nn.Linear(2, 2)),
    "eval": archive(b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R."),
    "no pickle": archive(b"hello"),
    "no end": archive(b"\x80\x02}"),
    "an empty stack": archive(b"\x80\x02\x30\x30."),
    "no mark": archive(b"\x80\x02]e."),
    "a memo far away": archive(b"\x80\x02}r\xff\xff\xff\xffh\x07."),
    "a text longer than the file": archive(b"\x80\x02X\xff\xff\xff\xffabc."),
    "an endless number": archive(b"\x80\x02\x8b\xff\xff\xff\x7f\x01."),
    "a list": archive(b"\x80\x02]."),
    "a table of numbers": archive(pickle.dumps({"a": 1}, 2)),
    "names that are numbers": saved({1: torch.ones(2)}),
    "unhashable names": archive(b"\x80\x02}]K\x01s."),
    "no data.pkl": archive(b"", other=b"").replace(b"data.pkl", b"data.pkx"),
    "compressed": archive(tensor(FLOATS), compressed=True, **EIGHT),
    "big-endian": archive(tensor(FLOATS), byteorder=b"big", **EIGHT),
    "no storage": archive(tensor(FLOATS)),
    "a short storage": archive(tensor(FLOATS), data__0=bytes(7)),
    "a far offset": archive(tensor(FLOATS, offset="I1\n"), **EIGHT),
    "a negative offset": archive(tensor(FLOATS, offset="I-1\n"), **EIGHT),
    "a negative size": archive(tensor(FLOATS, size="I-2\n\x85"), **EIGHT),
    "a huge size": archive(tensor(FLOATS, size="I4611686018427387904\n\x85", stride="I0\n\x85"), **EIGHT),
    "a huge stride": archive(tensor(FLOATS, stride="I4611686018427387900\n\x85"), **EIGHT),
    "stretched and far": archive(tensor(FLOATS, size="I9\n\x85", stride="I0\n\x85", offset="I2\n"), **EIGHT),
    "stretched and long": archive(tensor(FLOATS, size="I9\nI3\n\x86", stride="I0\nI1\n\x86"), **EIGHT),
    "another rank": archive(tensor(FLOATS, stride="I1\nI1\n\x86"), **EIGHT),
    "a strange type": archive(tensor(FLOATS.replace("FloatStorage", "ComplexFloatStorage")), **EIGHT),
    "a storage of another module": archive(tensor(FLOATS.replace("ctorch\n", "cevil\n")), **EIGHT),
    "a storage that is a text": archive(tensor("X\x01\x00\x00\x000"), **EIGHT),
    "a path for a key": archive(tensor(FLOATS.replace("X\x01\x00\x00\x000X", "X\x05\x00\x00\x00../..X")), **EIGHT),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path: Path, name: str) -> None:
    """Each is one error that says what is wrong; nothing is run."""
    path = tmp_path / "w.pt"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(ArchError) as caught:
        StateDict(str(path))
    [found] = caught.value.diagnostics
    assert found.code == "E602" and found.file == str(path)
    assert len(found.message) < 300 and "\n" not in found.message
    assert not os.path.exists("/tmp/archdsl-was-here")


def test_the_hand_made_pickle_is_sound(tmp_path: Path) -> None:
    """The test of the tests: without its fault the file is read."""
    path = tmp_path / "w.pt"
    path.write_bytes(archive(tensor(FLOATS), data__0=torch.ones(2).numpy().tobytes(), version=b"3\n"))
    assert read(path, "a") == torch.ones(2).numpy().tobytes()


def test_what_is_stretched_costs_nothing_until_it_is_asked_for(tmp_path: Path) -> None:
    """Eight bytes that say they are 4 TB: no memory, a difference from any network, and a chunk at a time."""
    path = tmp_path / "w.pt"
    path.write_bytes(archive(tensor(FLOATS, size="I1000000000000\n\x85", stride="I0\n\x85"), **EIGHT))
    file = StateDict(str(path))
    assert next(file.parts(file.tensors["a"])) == bytes(CHUNK)
    with pytest.raises(ArchError, match="E601"):
        archdsl.to_onnx(text="input 3\nFC(2)", weights=str(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    """A pipe has no parts to read in any order: one error for each form, at once."""
    for name in ("w.pt", "w.safetensors"):
        os.mkfifo(tmp_path / name)
        call = f"import archdsl; archdsl.to_onnx(text='input 3\\nFC(2)', weights={str(tmp_path / name)!r})"
        done = subprocess.run(
            [sys.executable, "-c", call],
            timeout=60, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        assert done.returncode == 1 and "E602" in done.stderr and "a pipe or a device" in done.stderr


def test_a_call_is_named(tmp_path: Path) -> None:
    """The error says what the file asks for."""
    (tmp_path / "w.pt").write_bytes(HOSTILE["a call inside"])
    with pytest.raises(ArchError, match=r"asks for (posix|nt)\.system, which no state_dict needs"):
        StateDict(str(tmp_path / "w.pt"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files(tmp_path: Path, data: st.DataObject) -> None:
    """Any few bytes changed: an ArchError, or tensors that lie in the file."""
    text = bytearray(saved(collections.OrderedDict(a=torch.ones(2, 3), b=torch.arange(4))))
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "w.pt"
    path.write_bytes(text)
    try:
        held = StateDict(str(path))
    except ArchError as error:
        assert [d.code for d in error.diagnostics] == ["E602"]
        return
    for tensor in held.tensors.values():
        assert 0 <= tensor.start <= tensor.end <= len(text)
        if tensor.stride is None:
            assert sum(map(len, held.parts(tensor))) == tensor.end - tensor.start
        else:
            assert 0 < len(next(held.parts(tensor))) <= CHUNK  # what is stretched may be as long as it likes


def test_a_file_that_shrinks(tmp_path: Path) -> None:
    """What is cut off while it is read is an error, not an end."""
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(3_000_000)}, path)
    chunks = StateDict(str(path)).chunks("a", "float")
    next(chunks)
    os.truncate(path, 2_000_000)
    with pytest.raises(ArchError, match="E602"):
        list(chunks)
