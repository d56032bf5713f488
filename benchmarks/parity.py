"""Holds specs/torchvision against torchvision: `python -m benchmarks.parity [NAME...]` writes docs/parity.md.

Each model runs in a process of its own, which frees its memory; the rows of models that are not named stay as they
are, so that a table can be made in parts. Needs torch, torchvision, onnxruntime and safetensors, and 8 GiB.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "parity.md"
PACKAGES = ("torch", "torchvision", "onnxruntime")

HEAD = """\
# The zoo against torchvision

Written by `python -m benchmarks.parity`; `pytest tests/test_zoo.py` asserts the same, the numbers behind the marker
`slow`. Each spec of `specs/torchvision` is compiled, the module loads the original's state_dict with strict=True (keys
and shapes are the same), and both compute two random images at the spec's own input size. *evaluation* and *training*
say whether all outputs, auxiliary ones and moved running statistics among them, are equal to the last bit
(`torch.equal`; in training from one seed), *ONNX* is the greatest difference of what onnxruntime computes, over
batches of 1 and 2, relative to the greatest output; weights beyond the 2 GiB of an ONNX file lie in a second one.
*lines* are those of the spec without comments and blocks that the family shares.
"""


def measure(name: str) -> dict[str, object]:
    """One model's row, from a process of its own."""
    code = f"import json; from tests.support.zoo import compare; print(json.dumps(compare({name!r})._asdict()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"name": name, "error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "ended"}
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def row(found: dict[str, object]) -> str:
    """A row of the table."""
    if "error" in found:
        return f"| {found['name']} | | | {found['error']} | | |"
    numbers = f"{found['parameters']:,} | {found['lines']}"
    return f"| {found['name']} | {numbers} | {found['evaluated']} | {found['trained']} | {found['onnx']:.0e} |"


def rows() -> dict[str, str]:
    """The rows that the page has, by model."""
    if not PAGE.exists():
        return {}
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return {
        line.split("|")[1].strip(): line
        for line in lines
        if line.startswith("| ") and "---" not in line and "| model" not in line
    }


def write(found: dict[str, str]) -> None:
    """The page, with these rows in order."""
    made = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    table = ["| model | parameters | lines | evaluation | training | ONNX |", "| --- | ---: | ---: | --- | --- | --- |"]
    lines = [HEAD, f"Made with {made}, on a CPU.", "", *table, *(found[name] for name in sorted(found))]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(names: list[str]) -> None:
    """Measure these models, or all of them."""
    known = sorted(path.stem for path in (ROOT / "specs" / "torchvision").glob("*.arch"))
    for name in names or known:
        line = row(measure(name))
        print(line, flush=True)
        write({key: text for key, text in rows().items() if key in known} | {name: line})


if __name__ == "__main__":
    main(sys.argv[1:])
