"""The command line: what it prints and where, its exit status, and that nothing makes it fall over."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archdsl import __version__, files
from archdsl.cli.commands import run

NET = "input 3x32x32\nclasses = 10\n(CONV - RELU)*2 - POOL - FC - SOFTMAX\n"
ODD = "input 3x7x7\nCONV(16, 3, stride=3, padding=0) - RELU\nGAP - FC(10) - REUL\n"
LAYER_KEYS = (
    "path layer arguments inputs output parameters macs receptive_field line column repeats".split()
)  # fmt: skip


class Result:
    """What a call gave."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command line in an empty folder that holds net.arch and odd.arch."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "net.arch").write_text(NET)
    (tmp_path / "odd.arch").write_text(ODD)

    def invoke(*arguments: str) -> Result:
        status = run(list(arguments))
        captured = capfd.readouterr()
        return Result(status, captured.out, captured.err)

    return invoke


def process(*arguments: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """A process of its own, as a shell starts it."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), **options.pop("env", {})}
    command = [sys.executable, "-m", "archdsl", *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, cwd=cwd, env=environment, check=False, **options)


# ---- check


def test_check_of_a_right_spec(call: Any) -> None:
    """One line, and what the default rules filled in beside its place."""
    done = call("check", "net.arch")
    assert (done.status, done.err) == (0, "")
    first, *filled = done.out.splitlines()
    assert first.startswith("net.arch: ok, 3x32x32 -> 10, ") and first.endswith(" MACs")
    assert any(line.split()[:2] == ["3:2", "CONV"] and "filters=32" in line for line in filled)
    assert call("check", "-q", "net.arch").out == ""


def test_check_tells_the_windows_by_default(call: Any, tmp_path: Path) -> None:
    """One line for each set of defaults; what the text, a `default` or a word of no consequence gives is not told."""
    (tmp_path / "windows.arch").write_text(
        "input 3x32x32\ndefault AVGPOOL(size=4)\n"
        "CONV(8) - CONV(8) - CONV(8, 5) - CONV(8, 1) - CONV(8, padding=1)\n"
        "POOL - POOL(2, 2) - UPCONV(8, stride=2) - AVGPOOL\n"
    )
    _, *filled = call("check", "windows.arch").out.splitlines()
    assert [line.split() for line in filled] == [
        "by default CONV kernel=3, padding=half (2 times)".split(),
        "by default CONV padding=half".split(),
        "by default CONV kernel=3".split(),
        "by default POOL size=2, stride=2".split(),
        "by default UPCONV kernel=2".split(),
        "by default AVGPOOL stride=4".split(),
    ]


def test_check_of_a_wrong_spec(call: Any) -> None:
    """All that is wrong goes to standard error with its place, and the status is 1."""
    done = call("check", "odd.arch")
    assert (done.status, done.out) == (1, "")
    assert "doesn't fit" in done.err and " --> odd.arch:2:20" in done.err and "^" in done.err
    assert "REUL" in done.err and "did you mean RELU?" in done.err


def test_check_goes_on_after_a_file_that_is_not_there(call: Any, tmp_path: Path) -> None:
    """Each file is told of; the worst decides the status."""
    (tmp_path / "folder").mkdir()
    done = call("check", "none.arch", "folder", "odd.arch", "net.arch")
    assert done.status == 2
    assert "no such file" in done.err and "it is a folder" in done.err and "doesn't fit" in done.err
    assert done.out.startswith("net.arch: ok") and len(done.out.splitlines()) == 1
    assert "Traceback" not in done.err


def test_check_json(call: Any) -> None:
    """The report for machines has the documented keys, and nothing else is on standard output."""
    done = call("check", "--json", "net.arch", "odd.arch", "none.arch")
    assert done.status == 2
    right, wrong, missing = json.loads(done.out)["files"]
    assert list(right) == ["file", "ok", "diagnostics", "model"]
    assert (right["file"], right["ok"], right["diagnostics"]) == ("net.arch", True, [])
    model = right["model"]
    assert list(model) == ["name", "inputs", "outputs", "parameters", "macs", "layers"]
    assert model["inputs"] == [{"name": "input", "shape": [3, 32, 32]}]
    assert [t["shape"] for t in model["outputs"]] == [[10]]
    conv = model["layers"][0]
    assert list(conv) == LAYER_KEYS
    assert (conv["layer"], conv["inputs"], conv["output"]) == ("CONV", [[3, 32, 32]], [32, 32, 32])
    assert (conv["parameters"], conv["macs"]) == (3 * 32 * 9 + 32, 3 * 32 * 9 * 32 * 32)
    assert (conv["receptive_field"], conv["line"], conv["column"]) == ([3, 3], 3, 2)
    assert conv["arguments"]["filters"] == 32
    assert sum(row["parameters"] * row["repeats"] for row in model["layers"]) == model["parameters"]
    assert (wrong["ok"], wrong["model"], missing["ok"], missing["model"]) == (False, None, False, None)
    keys = {"code", "severity", "message", "line", "column", "end_line", "end_column", "help"}
    assert all(keys <= set(found) for found in wrong["diagnostics"])
    assert missing["diagnostics"][0]["code"] == "E001"


def test_check_reads_standard_input(tmp_path: Path) -> None:
    """A bare one-liner gets its constants and its input from the call."""
    line = b"[(CONV-RELU)*N-POOL]*M-(FC-RELU)*K-SOFTMAX"
    given = ("-D", "N=2", "-D", "M=3", "-D", "K=1", "-D", "classes=10", "--input", "3x32x32")
    done = process("check", "-", *given, cwd=tmp_path, input=line)
    assert done.returncode == 0, done.stderr
    assert b"3x32x32 -> 10" in done.stdout


# ---- show


def test_show(call: Any) -> None:
    """A table with totals that agree with the report."""
    done = call("show", "net.arch")
    assert done.status == 0
    model = json.loads(call("show", "--json", "net.arch").out)["files"][0]["model"]
    lines = done.out.splitlines()
    assert lines[0].startswith("Net: input 3x32x32 -> ")
    [totals] = [line for line in lines if line.split()[1:2] == ["layers"]]
    assert f"{model['parameters']:,}" in totals and f"{model['macs']:,}" in totals
    assert any("CONV + filters=32" in line and "32x32x32" in line for line in lines)
    assert call("show", "odd.arch").status == 1
    assert call("show", "none.arch").status == 2


# ---- compile


def test_compile_writes_beside_the_spec(call: Any, tmp_path: Path) -> None:
    """net.arch becomes net.py, and is replaced without a word of force."""
    for _ in range(2):
        done = call("compile", "net.arch")
        assert (done.status, done.out, done.err) == (0, "", "wrote net.py\n")
    text = (tmp_path / "net.py").read_text()
    assert text.startswith(f"# Made by archdsl {__version__}") and "class Net(" in text
    assert call("compile", "net.arch", "-o", "-").out == text


def test_compile_to_both(call: Any, tmp_path: Path) -> None:
    """Both targets at once, by --to or by the suffix of -o; both are known as archdsl's own."""
    for _ in range(2):
        assert call("compile", "net.arch", "--to", "torch", "--to", "onnx").status == 0
    assert call("compile", "net.arch", "-o", "a.onnx", "-o", "a.py").status == 0
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "net.onnx").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.onnx", "a.py", "net.arch", "net.onnx", "net.py", "odd.arch"]


def test_a_name_that_is_no_module_name_works(call: Any, tmp_path: Path) -> None:
    """The output is called as the spec is."""
    (tmp_path / "my-net.arch").write_text(NET)
    assert call("compile", "my-net.arch").status == 0
    assert "class MyNet(" in (tmp_path / "my-net.py").read_text()


def test_compile_keeps_what_it_did_not_write(call: Any, tmp_path: Path) -> None:
    """Somebody else's file stays, and with it the other output stays unwritten, until --force."""
    (tmp_path / "net.py").write_text("mine\n")
    done = call("compile", "net.arch", "--to", "onnx", "--to", "torch")
    assert (done.status, done.out) == (2, "") and "--force" in done.err
    assert (tmp_path / "net.py").read_text() == "mine\n" and not (tmp_path / "net.onnx").exists()
    assert call("compile", "net.arch", "--force").status == 0


def test_compile_of_a_wrong_spec_writes_nothing(call: Any, tmp_path: Path) -> None:
    """No output, not even an old one's end."""
    assert call("compile", "odd.arch").status == 1
    assert call("compile", "none.arch").status == 2
    assert sorted(os.listdir(tmp_path)) == ["net.arch", "odd.arch"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "a.py", "-o", "b.py"],
        ["--to", "torch", "--to", "torch"],
        ["--to", "torch", "-o", "net.onnx"],
        ["-o", "net.pt"],
        ["-o", "net.py", "-o", "net.txt"],
        ["--to", "torch", "--to", "onnx", "-o", "net.py"],
        ["--to", "onnx", "--to", "torch", "-o", "-", "-o", "-"],
        ["--seed", "1"],
        ["--opset", "12", "--to", "onnx"],
        ["--to", "jax"],
        ["-D", "N"],
        ["-D", "=2"],
        ["--input", "=3x3"],
        ["--input", "3x32x32", "--input", "3x32x32"],
        ["--fit", "loose"],
        ["-o", "none/net.py"],
        ["-o", "."],
        ["--to", "torch", "-o", "net.arch", "--force"],
        ["--weights", "none.safetensors", "--to", "onnx"],
    ],
)
def test_calls_that_are_wrong(call: Any, tmp_path: Path, arguments: list[str]) -> None:
    """Status 2, a message, and nothing written."""
    done = call("compile", "net.arch", *arguments)
    assert (done.status, done.out) == (2, ""), done.err
    assert "rror" in done.err
    assert sorted(os.listdir(tmp_path)) == ["net.arch", "odd.arch"]
    assert (tmp_path / "net.arch").read_text() == NET


def test_an_input_with_its_type(call: Any, tmp_path: Path) -> None:
    """`--input` gives all that an `input` of the text does."""
    (tmp_path / "words.arch").write_text("EMBEDDING(100, 8)\n")
    (tmp_path / "named.arch").write_text("input words: 5 of float\nEMBEDDING(100, 8)\n")
    for file, given in (("words", "7 of int"), ("named", "words=7  of int"), ("named", "7 of int")):
        done = call("check", f"{file}.arch", "--input", given)
        assert done.status == 0 and "7 of int -> 7x8" in done.out, done.err
    done = call("check", "words.arch", "--input", "L of int")
    assert done.status == 0 and "valid for L" in done.out
    for given, told in (("7 of double", "double is no type"), ("7 of", "no shape"), ("7 int", "no shape")):
        done = call("check", "words.arch", "--input", given)
        assert done.status == 1 and told in done.err
    assert "EMBEDDING" in call("check", "words.arch", "--input", "7").err


def test_a_full_disk(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message, and no file."""

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    done = call("compile", "net.arch", "--to", "torch", "--to", "onnx")
    assert done.status == 2
    assert "no space left" in done.err and len(done.err.splitlines()) == 1
    assert sorted(os.listdir(tmp_path)) == ["net.arch", "odd.arch"]


# ---- the process


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["show", "net.arch"], ["compile", "net.arch", "-o", "-"], ["layers"]])
def test_a_full_standard_output(tmp_path: Path, arguments: list[str]) -> None:
    """What cannot be printed is told in one line."""
    (tmp_path / "net.arch").write_text(NET)
    with open("/dev/full", "wb") as full:
        done = process(*arguments, cwd=tmp_path, stdout=full)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and b"o space left on device" in done.stderr


def test_a_reader_that_has_gone(tmp_path: Path) -> None:
    """A closed pipe is nobody's error: not a word, and the status that shells know."""
    (tmp_path / "net.arch").write_text("input 1x4x4\n" + "RELU\n" * 3000)
    reading, writing = os.pipe()
    os.close(reading)
    done = process("show", "net.arch", cwd=tmp_path, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """Ctrl-C while it waits for its input ends it without a traceback."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    code = (
        "import sys, threading, os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whoever started the tests may ignore it
        "from archdsl.cli import main\n"
        "sys.argv = ['archdsl', 'check', '-']\n"
        f"threading.Timer(0.5, lambda: os.kill(os.getpid(), {int(number)})).start()\n"
        "main()\n"
    )
    reading, writing = os.pipe()
    with open(reading, "rb") as stdin:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=stdin, capture_output=True, env=environment, cwd=tmp_path, check=False
        )
    os.close(writing)
    assert done.returncode == status
    assert b"Traceback" not in done.stderr and len(done.stderr.splitlines()) <= 1


def test_colours(tmp_path: Path) -> None:
    """None in a pipe; FORCE_COLOR brings them, NO_COLOR takes them away again."""
    (tmp_path / "odd.arch").write_text(ODD)
    clean = {"NO_COLOR": "", "FORCE_COLOR": ""}
    assert b"\x1b[" not in process("check", "odd.arch", cwd=tmp_path, env=clean).stderr
    assert b"\x1b[" in process("check", "odd.arch", cwd=tmp_path, env={**clean, "FORCE_COLOR": "1"}).stderr
    both = {"NO_COLOR": "1", "FORCE_COLOR": "1"}
    assert b"\x1b[" not in process("check", "odd.arch", cwd=tmp_path, env=both).stderr


def test_a_terminal_that_knows_ascii_alone(tmp_path: Path) -> None:
    """A character that cannot be shown is written otherwise."""
    (tmp_path / "net.arch").write_text("input 3x8x8\nCONV(8) - é\n", encoding="utf-8")
    done = process("check", "--json", "net.arch", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1 and b"Traceback" not in done.stderr


# ---- the rest


def test_version_help_and_completion(call: Any) -> None:
    """What needs no spec."""
    assert call("--version").out == f"archdsl {__version__}\n"
    shown = call("--help").out
    assert all(name in shown for name in ("check", "compile", "show", "layers", "completion"))
    for shell in ("zsh", "fish", "bash"):
        assert "_ARCHDSL_COMPLETE" in call("completion", shell).out
    done = call("chek")
    assert done.status == 2 and "did you mean check?" in done.err


def test_a_shell_completes(tmp_path: Path) -> None:
    """What the printed script calls answers with commands, options and layers."""

    def complete(*words: str) -> list[str]:
        line = " ".join(words)
        environment = {"_ARCHDSL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        done = process(cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        return [answer.split(",")[1] for answer in done.stdout.decode().splitlines()]

    assert complete("archdsl", "co") == ["compile", "completion"]
    assert "--input" in complete("archdsl", "check", "--")
    assert complete("archdsl", "layers", "conc") == ["CONCAT"]


def test_layers(call: Any) -> None:
    """The list, one page, and what was meant."""
    assert "  CONV " in call("layers").out
    page = call("layers", "conv").out
    assert page.startswith("CONV(filters, kernel, stride)") and "padding=half" in page
    done = call("layers", "CNOV")
    assert done.status == 2 and "did you mean CONV?" in done.err
