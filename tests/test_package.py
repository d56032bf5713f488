"""The wheel and the sdist, away from the checkout: grammar, tables and specs are inside, and the commands run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
SKIPPED = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "_tables.py", "_zoo.json")
BUILD = "import sys; from setuptools import build_meta as b; print(getattr(b, sys.argv[1])(sys.argv[2]))"


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def build(kind: str, source: Path, target: Path) -> Path:
    """A wheel or an sdist by the package's own build hook, as pip calls it."""
    target.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", BUILD, kind, str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, env=clean_environment(), check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the repository holds, without anything that was built in it."""
    path = tmp_path_factory.mktemp("checkout") / "archdsl"
    shutil.copytree(ROOT, path, ignore=SKIPPED)
    return path


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("build_sdist", checkout, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from the sdist, so that both are tested."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(folder)
    return build("build_wheel", next(folder.iterdir()), folder / "wheel")


def test_what_is_inside(wheel: Path) -> None:
    """Grammar, tables, specs and the mark of typing; no tests, no benchmarks."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"archdsl/grammars/arch.lark", "archdsl/syntax/_tables.py", "archdsl/_zoo.json", "archdsl/py.typed"} <= names
    specs = {f"archdsl/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "specs").rglob("*.arch")}
    assert specs and specs <= names
    texts = {str(path.relative_to(ROOT)) for path in (ROOT / "archdsl" / "explanations").glob("*.md")}
    assert texts and texts <= names
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "archdsl").rglob("*.py")}
    assert modules <= names
    assert not [name for name in names if not name.startswith("archdsl")]


def test_it_runs_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Installed into a fresh environment, `archdsl` checks and compiles, with the tables that came along."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    library = Path(paths["purelib"])
    # The dependencies are those of this environment: a .pth names its folder, and none of what is inside is run.
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ["-m", "pip", "--python", str(scripts / "python"), "install", "-q", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([sys.executable, *install], check=True, env=clean_environment())
    away = tmp_path / "away"
    away.mkdir()

    def run(*arguments: str) -> str:
        done = subprocess.run(arguments, cwd=away, capture_output=True, text=True, env=clean_environment(), check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (away / "net.arch").write_text("input 3x32x32\n(CONV-RELU)*2 - GAP - FC(10)\n")
    archdsl = str(scripts / "archdsl")
    assert "3x32x32 -> 10" in run(archdsl, "check", "net.arch")
    run(archdsl, "compile", "net.arch", "--to", "torch", "--to", "onnx")
    assert sorted(os.listdir(away)) == ["net.arch", "net.onnx", "net.py"]
    where = (
        "import archdsl, lark, sys, archdsl.syntax.tables as t\n"
        "t.make = None  # tables that do not fit would be made anew, and fail here\n"
        "assert archdsl.check('net.arch').ok\n"
        "from archdsl import zoo, zoo_table\n"
        "zoo_table.worked_out = None  # the same of the zoo's table\n"
        "assert [row.name for row in zoo_table.rows()] == zoo.names()\n"
        "print(archdsl.__file__)"
    )
    assert str(library) in run(str(scripts / "python"), "-c", where)
    specs = "import archdsl.specs, os; print(*sorted(os.listdir(archdsl.specs.__path__[0])))"
    shipped = [name for name in run(str(scripts / "python"), "-c", specs).split() if name.endswith(".arch")]
    assert shipped == sorted(path.name for path in (ROOT / "specs").glob("*.arch"))
