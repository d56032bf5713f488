"""`archdsl check` for CI: formats, folders and patterns, files of blocks, watching."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from archdsl import explain
from archdsl.cli.commands import run
from archdsl.cli.gather import gather
from archdsl.cli.watch import watch

ODD = "input 3x7x7\nCONV(16, 3, stride=3, padding=0) - RELU\nGAP - FC(10) - REUL\n"
WARNED = "input 3x8x8\na: CONV(8) - CONV(16) - @input - CONV(4)\n"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
NET = "input 3x8x8\nCONV(8) - GAP - FC(10)\n"
BLOCKS = "block B(width) { CONV(width) - RELU }\n"

REGION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["startLine", "startColumn", "endLine", "endColumn"],
    "properties": {
        name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn", "endLine", "endColumn")
    },
}
MESSAGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
}
ARTIFACT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "pattern": r"^[A-Za-z0-9%/._~:-]+$"}},
}
PLACE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["artifactLocation"],
    "properties": {"artifactLocation": ARTIFACT, "region": REGION},
}
FIX = {
    "type": "object",
    "additionalProperties": False,
    "required": ["artifactChanges"],
    "properties": {
        "description": MESSAGE,
        "artifactChanges": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["artifactLocation", "replacements"],
                "properties": {
                    "artifactLocation": ARTIFACT,
                    "replacements": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["deletedRegion"],
                            "properties": {"deletedRegion": REGION, "insertedContent": MESSAGE},
                        },
                    },
                },
            },
        },
    },
}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
    "properties": {
        "ruleId": {"type": "string", "pattern": r"^[EW]\d{3}$"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["warning", "error"]},
        "message": MESSAGE,
        "locations": {
            "type": "array",
            "items": {"type": "object", "additionalProperties": False, "properties": {"physicalLocation": PLACE}},
        },
        "relatedLocations": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"id": {"type": "integer"}, "physicalLocation": PLACE, "message": MESSAGE},
            },
        },
        "fixes": {"type": "array", "uniqueItems": True, "items": FIX},
    },
}
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": {"type": "object", "required": ["text"], "properties": {"markdown": {"type": "string"}}},
        "defaultConfiguration": {"type": "object", "properties": {"level": {"enum": ["warning", "error"]}}},
    },
}
SARIF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs", "$schema"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "additionalProperties": False,
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "invocations": {
                        "type": "array",
                        "items": {"type": "object", "required": ["executionSuccessful"]},
                    },
                    "artifacts": {
                        "type": "array",
                        "uniqueItems": True,
                        "items": {"type": "object", "properties": {"location": ARTIFACT}},
                    },
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""The parts of the SARIF 2.1.0 schema that the output uses; what it does not use is not allowed here."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with right, wrong and warned specs, one with an awkward name, and a file of blocks."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "nets/net.arch": NET,
        "nets/deep/odd.arch": ODD,
        "nets/deep/a, b: 100%.arch": WARNED,
        "nets/blocks.arch": BLOCKS,
        "nets/.hidden/never.arch": ODD,
        "nets/readme.txt": "no spec",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_folders_and_patterns(folder: Path, capfd: Any) -> None:
    """Every *.arch below, sorted, once; hidden folders and other files are left out."""
    wanted = ["nets/blocks.arch", "nets/net.arch", "nets/deep/a, b: 100%.arch", "nets/deep/odd.arch"]
    assert run(["check", "--json", "nets", "nets/net.arch"]) == 1
    assert [entry["file"] for entry in json.loads(capfd.readouterr().out)["files"]] == wanted
    assert run(["check", "--json", "nets/**/*.arch"]) == 1
    assert sorted(entry["file"] for entry in json.loads(capfd.readouterr().out)["files"]) == sorted(wanted)
    (folder / "empty").mkdir()
    for name, told in (("empty", "a folder without any .arch file"), ("*.net", "no file is of this pattern")):
        assert run(["check", name, "nets/net.arch"]) == 2
        captured = capfd.readouterr()
        assert told in captured.err and "nets/net.arch: ok" in captured.out


def test_links_in_circles(folder: Path, capfd: Any) -> None:
    """A pattern leaves out links to folders where ** stands for them, as a folder's search does, and no more."""
    (folder / "nets/deep/up").symlink_to("..")
    (folder / "nets/deep/on").symlink_to(".")
    (folder / "nets/linked.arch").symlink_to("net.arch")
    below = {"nets/blocks.arch", "nets/net.arch", "nets/linked.arch", "nets/deep/a, b: 100%.arch", "nets/deep/odd.arch"}
    for pattern, wanted in {
        "**/*.arch": below,
        "nets/**/*.arch": below,
        "./**/odd.arch": {"./nets/deep/odd.arch"},
        "n*/**/d*/*.arch": {name for name in below if "deep" in name},
        "**/deep/**/odd.arch": {"nets/deep/odd.arch"},
        "nets/*/on/odd.*": {"nets/deep/on/odd.arch"},
        "nets/**": below | {"nets/readme.txt"},
        f"{folder}/**/odd.arch": {f"{folder}/nets/deep/odd.arch"},
        "nets/a**/*.arch": set(),
    }.items():
        assert {name for name, wrong in gather([pattern]) if not wrong} == wanted, pattern
    assert run(["check", "--json", "**/*.arch"]) == 1
    assert len(json.loads(capfd.readouterr().out)["files"]) == len(below)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes(folder: Path) -> None:
    """One that is named is read, as `<(...)` wants it; none in a folder, of a pattern or of `use` is waited for."""
    os.mkfifo("nets/pipe.arch")
    assert gather(["nets/pipe.arch"]) == [("nets/pipe.arch", "")]
    assert "nets/pipe.arch" not in {name for name, _ in gather(["nets", "nets/*.arch", "**/*.arch"])}
    Path("uses.arch").write_text('use A from "nets/pipe.arch"\ninput 3\nFC(2)\n', encoding="utf-8")
    call = [sys.executable, "-m", "archdsl", "check"]
    done = subprocess.run([*call, "uses.arch"], capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert done.returncode == 1 and "nets/pipe.arch is no ordinary file" in done.stderr
    with subprocess.Popen([*call, "nets/pipe.arch"], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as reader:
        Path("nets/pipe.arch").write_text("input 3\nFC(2)\n", encoding="utf-8")
        assert reader.stdout is not None and "pipe.arch: ok, 3 -> 2" in reader.stdout.read()


def test_words_in_a_file_of_blocks(folder: Path, capfd: Any) -> None:
    """The words of layers' arguments are known there, and what is said of others is what a network's spec is told."""
    Path("words.arch").write_text("block U(f) { UPSAMPLE(f, mode=nearest-exact) - GELU(approximate=tanh) }\n")
    assert run(["check", "words.arch"]) == 0
    Path("words.arch").write_text("block U(f) { POOL(f, fit=cieling) - GELU(tanh) - PAD(f, mode=constant) }\n")
    assert run(["check", "words.arch"]) == 1
    told = capfd.readouterr().err
    assert "did you mean ceil?; the words for it are cover" in told and "write approximate=tanh" in told
    assert "the words for it are zeros, reflect" in told and told.count("E130") == 3


def test_a_file_of_blocks(folder: Path, capfd: Any) -> None:
    """Right where its names are known; what is wrong in it is told, and an empty text is no file of blocks."""
    assert run(["check", "nets/blocks.arch"]) == 0
    assert capfd.readouterr().out == "nets/blocks.arch: ok, blocks and functions without a network\n"
    wrong = (
        "use SE from 'x'\n"
        "let wide(c) = c*mult\n"
        "block A(n, act = RELU) {\n"
        "  m = 2*n\n"
        "  l: CONV(m, 3, padding=half, fit=floor) - act - [REUL]*2\n"
        "  for i, w in enumerate([n, m]) { c{i}: CONV(w, biass=true) - ADD{ | @c0 } }\n"
        "  POOL(2, fit=ceil) - A(nn=wide(3)) - CHOOSE{ ID | GAP } - FC(classes)\n"
        "}\n"
    )
    Path("wrong.arch").write_text(wrong.replace("use SE from 'x'\n", ""), encoding="utf-8")
    assert run(["check", "wrong.arch"]) == 1
    told = re.findall(r"^error\[(\w+)\]: (\S+)", capfd.readouterr().err, re.MULTILINE)
    assert told == [("E130", "mult"), ("E130", "REUL"), ("E124", "CONV"), ("E146", "A")]
    assert run(["compile", "nets/blocks.arch"]) == 1
    assert "E110" in capfd.readouterr().err
    Path("empty.arch").write_text("N = 2\n", encoding="utf-8")
    assert run(["check", "empty.arch"]) == 1
    assert "E110" in capfd.readouterr().err


def test_sarif(folder: Path, capfd: Any) -> None:
    """The parts of the schema that are used hold, each rule is explained, and each result points at its rule."""
    assert run(["check", "--format", "sarif", "nets"]) == 1
    captured = capfd.readouterr()
    assert captured.err == ""
    report = json.loads(captured.out)
    jsonschema.validate(report, SARIF)
    (made,) = report["runs"]
    rules = [rule["id"] for rule in made["tool"]["driver"]["rules"]]
    assert rules == ["E130", "E201", "W401"] and set(rules) <= set(explain.codes())
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in made["results"])
    [misfit] = [result for result in made["results"] if result["ruleId"] == "E201"]
    place = misfit["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "nets/deep/odd.arch"
    assert place["region"] == {"startLine": 2, "startColumn": 20, "endLine": 2, "endColumn": 32}
    assert any(result["level"] == "warning" for result in made["results"])
    broken = json.loads(json.dumps(report))
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SARIF)


def test_sarif_of_a_file_that_cannot_be_read(folder: Path, capfd: Any) -> None:
    """A result without a region, and an invocation that failed."""
    assert run(["check", "--format", "sarif", "none.arch"]) == 2
    report = json.loads(capfd.readouterr().out)
    jsonschema.validate(report, SARIF)
    assert report["runs"][0]["invocations"] == [{"executionSuccessful": False}]
    assert report["runs"][0]["results"][0]["ruleId"] == "E001"


def test_junit(folder: Path, capfd: Any) -> None:
    """A test case for each file, counted; warnings fail none."""
    assert run(["check", "--format", "junit", "nets", "none.arch"]) == 2
    root = ElementTree.fromstring(capfd.readouterr().out)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "1")
    cases = {case.get("name"): case for case in root.iter("testcase")}
    failure = cases["nets/deep/odd.arch"].find("failure")
    assert failure is not None and failure.get("type") == "E201" and "(and 1 more)" in str(failure.get("message"))
    assert "did you mean RELU?" in str(failure.text)
    assert list(cases["nets/net.arch"]) == []
    assert "W401" in str(cases["nets/deep/a, b: 100%.arch"].findtext("system-out"))
    assert cases["none.arch"].find("error") is not None


def test_junit_of_what_xml_cannot_hold(folder: Path, capfd: Any) -> None:
    """Control characters of a spec do not break the file."""
    Path("bell.arch").write_text('input 3x8x8\nCONV(8) - "\x07\x01" - <&>\n', encoding="utf-8")
    assert run(["check", "--format", "junit", "bell.arch"]) == 1
    assert ElementTree.fromstring(capfd.readouterr().out).find(".//failure") is not None


def test_github(folder: Path, capfd: Any) -> None:
    """A command for each finding; what a message or a name holds cannot end it or begin another property."""
    assert run(["check", "--format", "github", "nets"]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 3
    warned, misfit, name = lines
    place = "file=nets/deep/odd.arch,line=2,endLine=2,col=20,endColumn=31"
    assert misfit.startswith(f"::error {place},title=archdsl E201::doesn't fit")
    assert "%0Ahelp: " in misfit and "did you mean RELU?" in name
    assert warned.startswith("::warning file=nets/deep/a%2C b%3A 100%25.arch,line=2,")
    assert run(["check", "--format", "github", "nets/net.arch"]) == 0
    assert capfd.readouterr().out.strip() == ""


def test_the_calls_of_the_page_and_the_hooks(folder: Path, capfd: Any) -> None:
    """Each call that docs/ci.md shows works, and each of the hooks."""
    root = Path(__file__).parent.parent
    page = (root / "docs" / "ci.md").read_text(encoding="utf-8")
    shown = re.findall(r"(?:^    |run: )archdsl (check .*?)(?:  |\n| > )", page, re.MULTILINE)
    hooks = re.findall(r"entry: archdsl (.*)", (root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert len(shown) == 7 and len(hooks) == 2
    Path("lib.arch").write_text(BLOCKS, encoding="utf-8")
    for call in [*shown, *(f"{hook} nets/net.arch" for hook in hooks)]:
        if "--watch" not in call:
            assert run(shlex.split(call)) in (0, 1), call
    assert "Usage" not in capfd.readouterr().err
    assert re.findall(r"archdsl: ignore W\d+", page)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "--format", "sarif"],
        ["--fix", "--diff"],
        ["--watch", "--format", "json"],
        ["--watch", "--fix"],
        ["--format", "xml"],
        ["--fix", "-"],
        ["--watch", "-"],
        ["--target", "fp128"],
    ],
)
def test_calls_that_are_wrong(folder: Path, arguments: list[str], capfd: Any) -> None:
    """Status 2 and a message."""
    assert run(["check", "nets/net.arch", *arguments]) == 2
    captured = capfd.readouterr()
    assert captured.out == "" and "rror" in captured.err


def test_watch_checks_again_when_a_used_file_changes(folder: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of a file that is used, even one that comes into being, is noticed; Ctrl-C ends it."""
    Path("net.arch").write_text('use B from "b.arch"\ninput 3x8x8\nB(4)\n', encoding="utf-8")
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            Path("b.arch").write_text(BLOCKS, encoding="utf-8")
        if looks == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        run(["check", "--watch", "net.arch"])
    captured = capfd.readouterr()
    assert captured.err.count("E180") == 1 and captured.err.count("checked at") == 2
    assert captured.out.startswith("net.arch: ok")


def test_watch_sees_a_new_file_in_a_folder(folder: Path) -> None:
    """A folder among the paths counts as changed when a file comes into it."""
    checks: list[int] = []

    def check() -> list[str]:
        checks.append(1)
        return ["nets"]

    def sleep(seconds: float) -> None:
        if len(checks) == 2:
            raise KeyboardInterrupt
        Path("nets/new.arch").write_text(NET, encoding="utf-8")
        os.utime("nets", ns=(1, 1))  # however coarse the file system's clock is

    with pytest.raises(KeyboardInterrupt):
        watch(check, sleep)
    assert len(checks) == 2
