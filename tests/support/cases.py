"""Cases: specs with their expected outcome behind a line `# ----`, so that adding one takes no Python.

The first comment lines may hold options: `# -D N=2`, `# --input 3x32x32`, `# --input image=3x8x8`, `# --fit exact`.
A file in a folder `parts` is no case of its own: others `use` it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from archdsl.analyses.parameters import held, parameters
from archdsl.analyses.uses import Walk
from archdsl.diagnostics import Findings, render
from archdsl.elaborate import elaborate
from archdsl.graph import Network
from archdsl.implied import implied
from archdsl.syntax.source import Source
from archdsl.tensor import product

FOLDER = Path(__file__).parent.parent / "cases"
RULE = "# ----"


class Case(NamedTuple):
    """A spec's text, the options of its leading comments, and the outcome that stands behind its rule."""

    path: Path
    text: str
    constants: dict[str, str]
    inputs: dict[str, str]
    fit: str | None
    expected: str

    @property
    def name(self) -> str:
        """Folder and file, as pytest and the diagnostics show it."""
        return (self.path.relative_to(FOLDER) if FOLDER in self.path.parents else self.path).as_posix()


def cases() -> list[Path]:
    """The files of all cases, in order."""
    return sorted(path for path in FOLDER.rglob("*.arch") if path.parent.name != "parts")


def read(path: Path) -> Case:
    """The case in a file."""
    return parsed(path, path.read_text(encoding="utf-8"))


def parsed(path: Path, content: str) -> Case:
    """A case from its text."""
    text, _, outcome = content.partition(f"\n{RULE}\n")
    constants: dict[str, str] = {}
    inputs: dict[str, str] = {}
    fit = None
    for line in text.split("\n"):
        if not line.startswith("# -"):
            break
        for option, value in _pairs(shlex.split(line[2:])):
            key, equal, rest = value.partition("=")
            if option == "-D":
                constants[key] = rest
            elif option == "--input":
                inputs[key if equal else ""] = rest if equal else key
            elif option == "--fit":
                fit = value
            else:
                raise ValueError(f"{path}: {option} is no option of a case")
    expected = "\n".join(line.removeprefix("#").removeprefix(" ") for line in outcome.rstrip("\n").split("\n"))
    return Case(path, text + "\n", constants, inputs, fit, expected if outcome else "")


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    return zip(words[::2], words[1::2])


def elaborated(case: Case) -> tuple[Network | None, Findings]:
    """The case's network, and what was found on the way."""
    findings = Findings()
    network = elaborate(
        Source(case.text, case.name, str(case.path)),
        constants=case.constants,
        inputs=case.inputs,
        findings=findings,
        root=str(case.path.parent),
        fit=case.fit,
    )
    return network, findings


def outcome(case: Case) -> str:
    """What the case gives: the diagnostics as the command line prints them, then the network as a table."""
    network, findings = elaborated(case)
    parts = [render(diagnostic) for diagnostic in findings.found]
    if network is not None:
        parts.append(table(network))
    return "\n\n".join(parts)


def table(network: Network) -> str:
    """A network as text: a line for each layer with what it reads, where that is not the line above, and what it gives.

    The number before a line is that of its tensor; `= path` names the place whose weights it shares.
    """
    inputs = [f"{index}: {given.name} {given.value.type}" for index, given in enumerate(network.inputs)]
    walk = Walk(network, unroll=False)
    rows = []
    last: tuple[int, ...] = (0,)
    for use in walk:
        apply = use.apply
        given = ", ".join(filter(None, (apply.given, *(f"[{text}]" for text in implied(apply)))))
        rows.append(
            (
                f"{use.output}",
                use.path + (f" x{use.times:_}" if use.times > 1 else "") + (f" = {use.owner}" if use.shared else ""),
                apply.layer.spec + (f"({given})" if given else ""),
                "" if use.inputs == last else "<- " + (" ".join(map(str, use.inputs)) or "none"),
                str(apply.output.type),
                ""
                if use.shared
                else _count(sum(product(e.weight.shape) for e in held(use).values() if not e.is_buffer)),
            )
        )
        last = (use.output,)
    wide = [max((len(row[i]) for row in rows), default=0) for i in range(5)]
    lines = [
        "  ".join([row[0].rjust(wide[0]), *(row[i].ljust(wide[i]) for i in range(1, 5)), row[5]]).rstrip()
        for row in rows
    ]
    outputs = [
        f"{walk.tensors[given.value]}: {given.name} {given.value.type}" + (" in training" if given.training else "")
        for given in network.outputs
    ]
    scores = "" if network.scores is None else f", scores {walk.tensors[network.scores]}"
    head = f"{network.name}: {'; '.join(inputs)} -> {'; '.join(outputs)}{scores}"
    return "\n".join([head, *lines, f"{parameters(network):_} parameters"])


def _count(number: int) -> str:
    return f"{number:_}" if number else ""


def update(path: Path) -> bool:
    """Write the outcome behind the case's text; whether that changed the file."""
    case = read(path)
    found = "".join(f"# {line}".rstrip() + "\n" for line in outcome(case).split("\n"))
    before = path.read_text(encoding="utf-8")
    after = f"{case.text.rstrip()}\n{RULE}\n{found}"
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before
