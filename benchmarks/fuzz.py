"""Any text gives an answer or located errors, within a second of CPU and 100 MiB: hostile texts without end.

    python benchmarks/fuzz.py --minutes 60 --seed 1

Each text goes through the command line in a child process: `check` in one of its formats, and where it is right
`show`, `solve` and `compile`. What takes longer, needs more memory, ends with a traceback or ends the process is
tried once more by itself and then written to the folder --out. The same seed draws the same texts. The exit status
is 1 where anything was found.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fuzz_texts import Texts

import archdsl
from archdsl.cli.commands import run

SECONDS = 1.0  # of CPU for a check
MEMORY = 100 << 10  # KiB that a text may add to the process
PATIENCE = 20  # seconds after which a text is given up
TURN = 200  # texts of one child process
FORMATS = ("text", "json", "github", "sarif", "junit")
MORE = (
    ["show"], ["solve"], ["show", "--by", "block"], ["check", "--diff"], ["show", "--json"], ["show", "--depth", "1"],
    ["solve", "--near", "500x375"],
)  # fmt: skip
PARTS = 9  # files beside the text, each of which uses the next, the last the first


def face(*arguments: str) -> int:
    """The exit status of a command in this process, whose output is not shown; raises what it raises."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return run(list(arguments))


def tried(text: str, number: int, folder: str) -> str:
    """What is wrong with how a text is taken, "" where nothing is; the number decides which faces are tried."""
    path = os.path.join(folder, "hostile.arch")
    Path(path).write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        for call in (["check", "--format", FORMATS[number % len(FORMATS)]], MORE[number // 5 % len(MORE)]):
            began = time.process_time()
            status = face(*call, path)
            seconds = time.process_time() - began
            if status not in (0, 1, 2):
                return f"status {status} of {' '.join(call)}"
            if seconds > SECONDS and "--diff" not in call:  # which checks several times
                return f"{seconds:.1f} seconds: {' '.join(call)}"
            if status:
                return ""
        model = archdsl.check(path).model
        if model is not None and model.parameters < 10**5 and sum(row.repeats for row in model.layers) < 500:
            target = ("pytorch", ".py") if number % 2 else ("onnx", ".onnx")
            face("compile", path, "--to", target[0], "-o", os.path.join(folder, f"out{target[1]}"), "--force")
    except Exception:
        return traceback.format_exc(limit=-6)
    return ""


def child(texts: Sequence[str], numbers: Sequence[int], pipe: int, folder: str) -> None:
    """Try the texts; a line for each says how it went, and after one that went wrong comes no other."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for text, number in zip(texts, numbers):
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + PATIENCE, resource.RLIM_INFINITY))
        wrong = tried(text, number, folder)
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if not wrong and more > MEMORY:
            wrong = f"{more >> 10} MiB"
        os.write(pipe, wrong.replace("\n", "\v").encode("utf-8", "backslashreplace")[:3000] + b"\n")
        if wrong:
            return


def attempt(texts: Sequence[str], numbers: Sequence[int]) -> tuple[int, str]:
    """How many of the texts went well in a process of their own, and what was wrong with the next."""
    with tempfile.TemporaryDirectory() as folder:
        for i in range(PARTS):
            part = f'use "part{i + 1 if i < PARTS - 1 else 0}.arch"\nblock P{i}() {{ RELU }}\n'
            Path(folder, f"part{i}.arch").write_text(part, encoding="utf-8")
        read, write = os.pipe()
        process = os.fork()
        if not process:
            status = 1
            try:
                os.close(read)
                child(texts, numbers, write, folder)
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        with open(read, encoding="utf-8", newline="\n") as lines:
            told = lines.read().split("\n")[:-1]
        _, ended = os.waitpid(process, 0)
    wrong = told[-1].replace("\v", "\n") if told else ""
    if wrong:
        return len(told) - 1, wrong
    return len(told), f"the process ended with {ended}" if len(told) < len(texts) else ""


def main() -> int:
    """The exit status."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--minutes", type=float, default=1)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, default=Path("fuzz-found"))
    given = options.parse_args()
    face("check", os.path.join(os.path.dirname(__file__), "..", "specs", "resnet50.arch"))  # what is imported once
    draws, found, count = Texts(given.seed), Counter[str](), 0
    began = time.monotonic()
    while time.monotonic() - began < given.minutes * 60:
        texts, numbers = [draws.next() for _ in range(TURN)], list(range(count, count + TURN))
        at = 0
        while at < TURN:
            well, wrong = attempt(texts[at:], numbers[at:])
            at += well
            if not wrong:
                break
            again = attempt(texts[at : at + 1], numbers[at : at + 1])[1]
            if again:
                kind = again.strip().split("\n")[-1]
                found[kind if "seconds" not in kind and "MiB" not in kind else kind.split()[1]] += 1
                given.out.mkdir(parents=True, exist_ok=True)
                name = given.out / f"{given.seed}-{numbers[at]}"
                name.with_suffix(".arch").write_text(texts[at], encoding="utf-8", errors="surrogatepass", newline="")
                name.with_suffix(".txt").write_text(again, encoding="utf-8")
                print(f"{numbers[at]}: {kind}", flush=True)
            at += 1
        count += TURN
    print(f"{count} texts in {(time.monotonic() - began) / 60:.0f} minutes, {sum(found.values())} found")
    for kind, many in found.most_common():
        print(f"{many:6} {kind}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
