"""What each code of a diagnostic means, from the texts in `explanations/`: one file for each code, edited there alone.

    # E201: what it is, in a line
    what it means, and what to do about it
    ## Wrong      a spec that gets the code
    ## Right      one that does not
    ## File blocks.arch     another file that the specs `use`

Comments at a spec's start may hold the options it is checked with: `# -D N=2`, `# --input 3x32x32`. Tests run all
of them. `python -m archdsl.explain > docs/errors.md` writes the page; `archdsl explain E201` prints one text.
"""

from __future__ import annotations

import os
import re

from archdsl.records import NamedTuple

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "explanations")
GROUPS = {
    "E0": "Files",
    "E1": "The language",
    "E2": "Shapes",
    "E3": "Assertions",
    "E6": "Weights and what is written",
    "E7": "Data and training",
    "W4": "Warnings",
}


class Explanation(NamedTuple):
    """The text of one code; `wrong`, `right` and `files` are specs, "" and {} where no spec can show it."""

    code: str
    title: str
    meaning: str
    wrong: str
    right: str
    files: dict[str, str]


def codes() -> list[str]:
    """All codes that there are, in order."""
    return sorted(name[:-3] for name in os.listdir(FOLDER) if name.endswith(".md"))


def text(code: str) -> str:
    """The file of a code; raises KeyError."""
    if code not in codes():
        raise KeyError(code)
    with open(os.path.join(FOLDER, f"{code}.md"), encoding="utf-8") as stream:
        return stream.read()


def read(code: str) -> Explanation:
    """The text of a code, taken apart; raises KeyError."""
    head, *sections = re.split(r"^## ", text(code), flags=re.MULTILINE)
    title, _, meaning = head.partition("\n")
    parts = {}
    for section in sections:
        name, _, body = section.partition("\n")
        lines = [line.removeprefix("    ") for line in body.strip("\n").split("\n")]
        parts[name.strip()] = "\n".join(lines) + "\n"
    files = {name.removeprefix("File "): body for name, body in parts.items() if name.startswith("File ")}
    wrong, right = parts.get("Wrong", ""), parts.get("Right", "")
    return Explanation(code, title.removeprefix(f"# {code}: ").strip(), meaning.strip(), wrong, right, files)


def markdown() -> str:
    """All of docs/errors.md."""
    lines = [
        "# Errors and warnings",
        "",
        "Made from `archdsl/explanations/` by `python -m archdsl.explain > docs/errors.md`; `archdsl explain E201`",
        "prints one text on a terminal. A warning is silenced by a comment, on its line or alone on a line for the",
        "whole file: `# archdsl: ignore W402`.",
    ]
    for start, title in GROUPS.items():
        lines += ["", f"## {title}"]
        for code in codes():
            if code.startswith(start):
                lines += ["", re.sub("^#", "###", text(code).strip(), flags=re.MULTILINE)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
