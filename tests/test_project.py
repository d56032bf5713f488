"""What the pages say is what there is: README's commands, CONTRIBUTING's layer and backend."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from archdsl import backends, check, documentation, to_onnx
from archdsl.backends import BACKENDS, Backend
from archdsl.cli.commands import run
from archdsl.layers.registry import LAYERS

ROOT = Path(__file__).parent.parent


def blocks(page: str) -> list[str]:
    """The Python examples of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """.ci/run has the README's test command, but for the making of .venv."""
    [command] = re.findall(
        r"^python3 -m venv .venv && (.* -m pytest.*)$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_error_in_the_readme_is_the_real_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The README shows what the program prints."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (call, shown), *_ = re.findall(r"```console\n\$ archdsl (check .*?)\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    [line] = re.findall(r"^    (\[\(CONV.*)$", text, re.MULTILINE)
    (tmp_path / "net.arch").write_text(line + "\n")
    assert run(call.split()) == 1
    assert capfd.readouterr().err.rstrip("\n") == shown.rstrip("\n")


def test_the_layer_of_contributing_is_one_class_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example works as it is printed, in the checker, the documentation and ONNX."""
    import archdsl.layers

    code, line = next((a, b) for a, b in pairwise(blocks("CONTRIBUTING.md")) if "STANH" in a)
    (tmp_path / "lecun.py").write_text(code)
    monkeypatch.setattr(archdsl.layers, "__path__", [*archdsl.layers.__path__, str(tmp_path)])
    for name, place in eval("{" + line + "}").items():
        monkeypatch.setitem(LAYERS, name, place)
    report = check(text="FC(4) - STANH(scale=2)", input="8")
    assert report.ok and report.model and report.model.layers[1].arguments == {"scale": 2, "slope": 2 / 3}
    assert b"Tanh" in to_onnx(text="FC(4) - STANH", input="8")
    assert "### STANH" in documentation.markdown()


def test_the_backend_of_contributing_is_one_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example works as it is printed, overwriting its own file and no other."""
    examples = blocks("CONTRIBUTING.md")
    code, line = next((a, b) for a, b in pairwise(examples) if "def write" in a)
    (tmp_path / "listing.py").write_text(code)
    (tmp_path / "net.arch").write_text("input 3x8x8\nCONV(8) - RELU\n")
    monkeypatch.setattr(backends, "__path__", [*backends.__path__, str(tmp_path)])
    for name, backend in eval("{" + line + "}", {"Backend": Backend}).items():
        monkeypatch.setitem(BACKENDS, name, backend)
    from archdsl.cli.compiling import may_write, pair, write
    from archdsl.files import read_spec
    from archdsl.pipeline import build

    spec = str(tmp_path / "net.arch")
    for _ in range(2):
        plan = pair(spec, ("listing",), ())
        may_write("listing", plan[0][1], spec, force=False)
        network, _found = build(read_spec(spec), constants={}, inputs={}, fit=None)
        assert network is not None
        write(network, plan, {"source_name": "net.arch"})
    assert (tmp_path / "net.txt").read_text().splitlines()[1:] == ["0\tCONV\t8x8x8", "1\tRELU\t8x8x8"]
