"""What a start costs: `check` imports neither torch nor onnx nor numpy, and `import archdsl` next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "onnx", "numpy", "onnxruntime", "torchvision", "google", "ml_dtypes"}
SPEC = "input 3x32x32\n[(CONV-RELU)*2-POOL]*3-FC(10)-SOFTMAX\n"


def loaded(code: str) -> set[str]:
    """The top-level modules that a fresh process has after running `code`, and `archdsl.*`."""
    script = f"import sys\n{code}\nsys.stderr.write(repr(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names: list[str] = ast.literal_eval(done.stderr.splitlines()[-1])
    return {name if name.startswith("archdsl") else name.split(".")[0] for name in names}


@pytest.mark.parametrize(
    "name", ["archdsl", "archdsl.syntax.parser", "archdsl.elaborate", "archdsl.layers", "archdsl.shapes",
             "archdsl.analyses", "archdsl.backends.pytorch", "archdsl.api", "archdsl.report", "archdsl.documentation",
             "archdsl.lint", "archdsl.formats.sarif", "archdsl.formats.junit", "archdsl.explain",
             "archdsl.cli.plot", "archdsl.cli.evaluate", "archdsl.cli.predict", "archdsl.cli.look",
             "archdsl.training.trained"]
)  # fmt: skip
def test_importing_is_light(name: str) -> None:
    """No module of the core imports a framework."""
    assert not HEAVY & loaded(f"import {name}")


def test_importing_the_package_imports_nothing_else() -> None:
    """`import archdsl` alone loads no other module of it."""
    assert {name for name in loaded("import archdsl") if name.startswith("archdsl")} == {"archdsl"}


@pytest.mark.parametrize(
    "arguments",
    [["check"], ["check", "--json"], ["check", "--format", "sarif"], ["show"], ["compile", "-o", "-"]],
)
def test_commands_are_light(tmp_path: Path, arguments: list[str]) -> None:
    """A whole run of a command, compiling to PyTorch included, needs none of them."""
    path = tmp_path / "net.arch"
    path.write_text(SPEC)
    code = f"from archdsl.cli.commands import run\nassert run({[*arguments, str(path)]!r}) == 0"
    assert not HEAVY & loaded(code)


SLOW = {"typing", "dataclasses", "inspect", "click", "lark", "fractions", "decimal", "glob", "shlex", "json", "difflib"}
"""What takes longer to import than two modules of ours do."""


def test_a_plain_check_loads_nothing_slow(tmp_path: Path) -> None:
    """Of a right spec, whole and from the command line, none of these; `--help` shows that the test would see one."""
    path = tmp_path / "net.arch"
    path.write_text(SPEC)
    code = f"from archdsl.cli.plain import plain\nassert plain({['check', str(path)]!r}) == 0"
    assert not (SLOW & loaded(code)) - loaded("")
    assert SLOW & loaded("from archdsl.cli.commands import run\nassert run(['--help']) == 0")


def test_version_and_help_load_no_compiler() -> None:
    """`--version` and `--help` are answered by click and a table."""
    for option in ("--version", "--help"):
        names = loaded(f"from archdsl.cli.commands import run\nassert run(['{option}']) == 0")
        assert {name for name in names if name.startswith("archdsl")} == {
            "archdsl",
            "archdsl.annotations",
            "archdsl.cli",
            "archdsl.cli.commands",
        }
        assert not {"lark", "json", "difflib"} & names


def test_the_test_sees_an_import() -> None:
    """The test of the test: a heavy import is noticed, wherever it happens."""
    assert HEAVY & loaded("def f():\n    import numpy\nf()")
