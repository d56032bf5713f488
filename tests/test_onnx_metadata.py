"""The way back: what an ONNX file says of the spec that it was made from, and of a file that is none."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.cli.commands import run
from archdsl.diagnostics import ArchError
from archdsl.metadata import read_made

SPEC = "# A café.\n[(CONV-RELU)*N-POOL]*M-(FC-RELU)*K-SOFTMAX\n"
ARGUMENTS = ["-D", "N=2", "-D", "M=1", "-D", "K=1", "-D", "classes=10", "--input", "3x8x8"]


def compiled(folder: Path, *options: str) -> Path:
    """A spec compiled by the command line."""
    path = folder / "net.arch"
    path.write_text(SPEC, encoding="utf-8")
    assert run(["compile", str(path), *ARGUMENTS, "--to", "onnx", *options]) == 0
    return folder / "net.onnx"


@pytest.mark.parametrize("options", [(), ("--external-data",), ("--functions", "--opset", "23")])
def test_show_gives_the_spec_back(tmp_path: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    """The text on standard output, what completed it on standard error; it compiles to the same bytes again."""
    path = compiled(tmp_path, *options)
    capfd.readouterr()
    assert run(["show", str(path)]) == 0
    out, err = capfd.readouterr()
    assert out == SPEC
    assert err == "compiled with -D K=1 -D M=1 -D N=2 -D classes=10 --input 3x8x8\n"
    assert run(["show", str(path), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["spec"] == SPEC and told["version"] == archdsl.__version__
    assert told["sha256"] == sha256(SPEC.encode()).hexdigest()
    before = path.read_bytes()
    (tmp_path / "net.arch").write_text(out, encoding="utf-8")
    given = err.removeprefix("compiled with ").split()
    assert run(["compile", str(tmp_path / "net.arch"), *given, "--to", "onnx", *options]) == 0
    assert path.read_bytes() == before


def test_metadata_is_what_onnx_reads(tmp_path: Path) -> None:
    """All of it, and no path of this machine."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "b.arch").write_text("block B(w) { CONV(w) - RELU }\n")
    (tmp_path / "net.arch").write_text('use B from "parts/b.arch"\ninput 3x4x4\nB(4)\n')
    data = archdsl.to_onnx(tmp_path / "net.arch")
    found = {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    assert found["archdsl.file:parts/b.arch"] == "block B(w) { CONV(w) - RELU }\n"
    assert found["archdsl.version"] == archdsl.__version__
    assert str(tmp_path).encode() not in data
    (tmp_path / "net.onnx").write_bytes(data)
    assert read_made(str(tmp_path / "net.onnx")).files == {"parts/b.arch": "block B(w) { CONV(w) - RELU }\n"}


def test_arguments_of_the_python_face(tmp_path: Path) -> None:
    """Values are written as the language writes them, so the command line takes them."""
    text = "input 4x4x4\nCONV(N) - act"
    archdsl.to_onnx(None, tmp_path / "net.onnx", text=text, N=3, act="GELU", input=(4, 6, 6), fit="floor")
    assert read_made(str(tmp_path / "net.onnx")).arguments == "-D N=3 -D act=GELU --input 4x6x6 --fit floor"


BROKEN = {
    "text": b"hello, this is no protobuf at all",
    "a group": b"\x0b",
    "field 0": b"\x00\x01",
    "an endless varint": b"\x80" * 12,
    "cut off": b"\x12\x07arch",
    "a huge length": b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    "metadata of no text": b"\x72\x05\x0a\x03\xff\xfe\xfd",
    "metadata cut off": b"\x72\x03\x0a\x09a",
    "many fields": b"\x08\x01" * 100_001,
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Each is one error, with status 2."""
    path = tmp_path / "net.onnx"
    path.write_bytes(BROKEN[name])
    with pytest.raises(ArchError) as caught:
        read_made(str(path))
    [found] = caught.value.diagnostics
    assert found.code == "E610" and found.file == str(path) and len(found.message) < 200
    assert run(["show", str(path)]) == 2
    assert "error[E610]" in capfd.readouterr().err


def test_other_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that others made, one whose spec was changed, none at all; -D means nothing here."""
    path = tmp_path / "net.onnx"
    path.write_bytes(b"")
    assert run(["show", str(path)]) == 2
    assert "error[E611]: there is no spec in this file's metadata" in capfd.readouterr().err
    path.write_bytes(archdsl.to_onnx(text="input 3\nFC(2) - RELU").replace(b"FC(2) - RELU", b"FC(2) - TANH"))
    assert run(["show", str(path)]) == 2
    assert "was changed" in capfd.readouterr().err
    assert run(["show", str(tmp_path / "none.onnx")]) == 2
    assert run(["show", str(tmp_path / "none.onnx"), "-D", "N=1"]) == 2


def test_hostile_texts_do_not_drive_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Control characters of a spec are shown as question marks."""
    archdsl.to_onnx(None, tmp_path / "net.onnx", text="input 3 # \x1b[2J\nFC(2)")
    assert run(["show", str(tmp_path / "net.onnx")]) == 0
    assert capfd.readouterr().out == "input 3 # ?[2J\nFC(2)\n"


WHOLE = archdsl.to_onnx(text="input 3\nFC(2)")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files(tmp_path: Path, data: st.DataObject) -> None:
    """Any few bytes changed: an ArchError, or the very spec."""
    text = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "net.onnx").write_bytes(text)
    try:
        assert read_made(str(tmp_path / "net.onnx")).spec == "input 3\nFC(2)"
    except ArchError as error:
        assert {d.code for d in error.diagnostics} <= {"E610", "E611"}


def test_show_needs_no_numpy(tmp_path: Path) -> None:
    """Reading the metadata imports neither onnx nor numpy."""
    archdsl.to_onnx(None, tmp_path / "net.onnx", text="input 3\nFC(2)")
    code = f"from archdsl.cli.commands import run\nassert run(['show', {str(tmp_path / 'net.onnx')!r}]) == 0\n"
    code += "import sys; assert not {'onnx', 'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# ---- --verify


def test_verify(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What the three say of a sound file, and the greatest difference."""
    compiled(tmp_path, "--verify", "--fold-bn", "--logits", "--external-data", "--batch", "2")
    told = capfd.readouterr().err.splitlines()[-3:]
    assert told[:2] == ["onnx.checker: no fault", "onnxruntime: runs, batch 2"]
    assert told[2].startswith("torch: the greatest difference is ") and told[2].endswith(" of the greatest number")


def test_verify_of_a_tensor_that_is_learned(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A PARAM may be a result itself."""
    spec = tmp_path / "net.arch"
    spec.write_text("input 3x8x8\na: CONV(2)\nc: PARAM(3)\noutput c, a\n")
    assert run(["compile", str(spec), "--to", "onnx", "-o", str(tmp_path / "net.onnx"), "--verify"]) == 0
    assert "torch: the greatest difference is " in capfd.readouterr().err


def test_verify_sees_a_wrong_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Other weights, and what is no ONNX file, are told, with status 1."""
    from archdsl.api import open_source
    from archdsl.backends.onnx.verify import verify
    from archdsl.pipeline import build

    network, _ = build(open_source(None, "input 3\nFC(2)"), constants={}, inputs={}, fit=None)
    assert network is not None
    path = tmp_path / "net.onnx"
    archdsl.to_onnx(None, path, text="input 3\nFC(2)", seed=1)
    assert [f.sound for f in verify(network, str(path), {"seed": 1})] == [True, True, True]
    assert [f.sound for f in verify(network, str(path), {})] == [True, True, False]
    path.write_bytes(b"nothing")
    assert [f.sound for f in verify(network, str(path), {})] == [False, False]
    monkeypatch.setattr("archdsl.backends.onnx.verify.find_spec", lambda name: None)
    assert [(f.what, f.sound, "not installed: pip install" in f.says) for f in verify(network, str(path), {})] == [
        ("onnx.checker", True, True),
        ("onnxruntime", True, True),
    ]


def test_verify_with_an_older_onnxruntime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a later version than it reads is told as that, with the newest opset that it takes."""
    import onnxruntime

    from archdsl.api import open_source
    from archdsl.backends.onnx.verify import verify
    from archdsl.pipeline import build

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Load model failed: Unsupported model IR version: 13, max supported IR version: 11")

    network, _ = build(open_source(None, "input 3\nFC(2)"), constants={}, inputs={}, fit=None)
    assert network is not None
    path = tmp_path / "net.onnx"
    archdsl.to_onnx(None, path, text="input 3\nFC(2)", opset=26)
    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    found = list(verify(network, str(path), {"opset": 26}))[-1]
    assert found.what == "onnxruntime" and not found.sound
    assert "IR version 11 at most" in found.says and "--opset 23" in found.says


@pytest.mark.parametrize(
    "option", [["--verify"], ["--logits"], ["--half", "float16"], ["--batch", "1"], ["--external-data"]]
)
def test_options_are_for_onnx(tmp_path: Path, option: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """With PyTorch source alone they are a wrong call; what is read again cannot be standard output."""
    path = tmp_path / "net.arch"
    path.write_text("input 3\nFC(2)\n")
    assert run(["compile", str(path), *option]) == 2
    assert f"{option[0]} is for --to onnx" in capfd.readouterr().err
    if option == ["--verify"]:
        assert run(["compile", str(path), "--to", "onnx", "-o", "-", *option]) == 2
