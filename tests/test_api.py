"""The Python face: paths and texts, inputs in all spellings, reports, errors, live modules."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

import archdsl

TEXT = "CONV(8)-RELU-GAP-FC(10)"


def test_check_of_a_path_and_a_text(tmp_path: Path) -> None:
    """Both give the same model, and constants come as keywords."""
    path = tmp_path / "net.arch"
    path.write_text("input 3x32x32\nN = 1\n(CONV(8)-RELU)*N-GAP-FC(10)")
    one = archdsl.check(path)
    two = archdsl.check(str(path), N=2)
    text = archdsl.check(text=TEXT, input="3x32x32")
    assert one.ok and two.ok and text.ok
    assert one.model and two.model and text.model
    assert one.model.parameters == text.model.parameters == 3 * 8 * 9 + 8 + 80 + 10
    assert two.model.parameters == one.model.parameters + 8 * 8 * 9 + 8
    assert one.to_dict()["file"] == str(path)
    assert one.to_dict()["model"]["layers"][0]["layer"] == "CONV"
    assert text.model.layers[0].arguments["filters"] == 8


@pytest.mark.parametrize("shape", ["3x32x32", (3, 32, 32), [3, 32, 32], {"": (3, 32, 32)}, {"input": "3x32x32"}])
def test_spellings_of_an_input(shape: Any) -> None:
    """Text, tuple, list, or a dict by name."""
    report = archdsl.check(text=TEXT, input=shape)
    assert report.ok and report.model and report.model.inputs == (("input", (3, 32, 32)),)


def test_a_wrong_spec() -> None:
    """`check` reports, the others raise, and both say the same."""
    report = archdsl.check(text="CONV(8, 4)", input="3x32x32")
    assert not report.ok and report.model is None and report.to_dict()["model"] is None
    for function in (archdsl.compile, archdsl.load, archdsl.to_onnx):
        with pytest.raises(archdsl.ArchError) as caught:
            function(text="CONV(8, 4)", input="3x32x32")
        assert caught.value.diagnostics == report.diagnostics or str(caught.value)
        assert "<text>:1:" in str(caught.value)
    with pytest.raises(archdsl.ArchError):
        archdsl.parse(text="CONV(")
    assert not archdsl.check(text="CONV(").ok


def test_wrong_calls(tmp_path: Path) -> None:
    """Python's own exceptions for what is no fault of a spec."""
    with pytest.raises(TypeError, match="path, or its text"):
        archdsl.check()
    with pytest.raises(TypeError, match="path, or its text"):
        archdsl.check("net.arch", text=TEXT)
    with pytest.raises(TypeError, match="an input is a shape"):
        archdsl.check(text=TEXT, input=(3, 32.0))  # type: ignore[arg-type]  # what the test is about
    with pytest.raises(FileNotFoundError):
        archdsl.check(tmp_path / "none.arch")
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        archdsl.chekc  # type: ignore[attr-defined]  # noqa: B018  # what the test is about


def test_text_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are the spec's fault, so `check` reports them."""
    path = tmp_path / "net.arch"
    path.write_bytes(b"CONV \xff")
    assert [d.code for d in archdsl.check(path).diagnostics] == ["E002"]


def test_parse() -> None:
    """A tree with the statements."""
    assert len(archdsl.parse(text="input 3x8x8\nCONV").statements) == 2


def test_onnx_to_bytes_path_and_stream(tmp_path: Path) -> None:
    """All three give the same bytes, which depend on the seed."""
    given: dict[str, Any] = {"text": TEXT, "input": "3x8x8"}
    whole = archdsl.to_onnx(**given)
    stream, path = io.BytesIO(), tmp_path / "net.onnx"
    archdsl.to_onnx(None, stream, **given)
    archdsl.to_onnx(None, path, **given)
    archdsl.to_onnx(None, path, **given)
    assert whole == stream.getvalue() == path.read_bytes() != archdsl.to_onnx(**given, seed=1)


# ---- live modules


@pytest.fixture(scope="module")
def module() -> Any:
    """A live network."""
    pytest.importorskip("torch")
    return archdsl.load(text="body: [CONV(8)-RELU] - GAP - FC(10)", input="3x32x32").eval()


def test_load_gives_what_compile_writes(module: Any) -> None:
    """The module runs, and its source is the emitted one."""
    import inspect

    import torch

    assert module(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    source = archdsl.compile(text="body: [CONV(8)-RELU] - GAP - FC(10)", input="3x32x32")
    assert inspect.getsource(type(module)) in source


def test_a_traceback_shows_the_generated_line(module: Any) -> None:
    """A failure inside is shown with the source that failed."""
    import torch

    with pytest.raises(RuntimeError) as caught:
        module(torch.zeros(1, 4, 32, 32))
    frames = traceback.extract_tb(caught.value.__traceback__)
    [shown] = [frame for frame in frames if frame.filename.startswith("<archdsl_live_")][:1]
    assert shown.line and "self." in shown.line


def test_copies(module: Any) -> None:
    """deepcopy, pickle, and pickle in another process give the same function."""
    import torch

    x = torch.randn(2, 3, 32, 32)
    expected = module(x)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert other is not module and torch.equal(other(x), expected)
        assert other.fc.weight is not module.fc.weight if hasattr(module, "fc") else True
    data = pickle.dumps((module, x, expected))
    code = "import pickle, sys, torch; m, x, y = pickle.load(sys.stdin.buffer); assert torch.equal(m(x), y)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", code], input=data, check=True, env=environment)
