"""Parameters and MACs of the zoo's networks, worked out when the package is built: checking them takes seconds.

`python -m archdsl.zoo_table` makes the table anew. One that was made of other specs or by other code is never used.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import NamedTuple

from archdsl import zoo

PACKAGE = os.path.dirname(os.path.abspath(__file__))
MADE = "_tables.py"  # of the grammar, which is in it
DATA = ("grammars", "specs")  # inside an installed package, beside it in a checkout
TABLE = os.path.join(PACKAGE, "_zoo.json")


class Row(NamedTuple):
    """A network by its name in the zoo."""

    name: str
    parameters: int
    macs: int


def rows() -> Iterator[Row]:
    """All networks in order: those of the table, or each as it is checked where there is no table that fits."""
    try:
        with open(TABLE, encoding="utf-8") as file:
            kept = json.load(file)
    except (OSError, ValueError):
        kept = {}
    if kept.get("made_of") == fingerprint():
        yield from (Row(*row) for row in kept["rows"])
    else:
        yield from worked_out()


def worked_out() -> Iterator[Row]:
    """Each network as it is checked."""
    from archdsl.analyses.macs import macs
    from archdsl.analyses.parameters import parameters
    from archdsl.files import read_spec
    from archdsl.pipeline import build

    for name in zoo.names():
        path = zoo.find(name)
        assert path is not None
        network, findings = build(read_spec(path), constants={}, inputs={}, fit=None)
        assert network is not None, (name, findings.found)
        yield Row(name, parameters(network), macs(network))


def text() -> str:
    """The table as it lies in the package."""
    return json.dumps({"made_of": fingerprint(), "rows": list(worked_out())}, indent=0) + "\n"


def fingerprint() -> str:
    """A hash of all that the numbers hang on: the specs, the grammar, the code."""
    from archdsl.syntax.tables import grammar_text

    found = hashlib.sha256(grammar_text().encode())
    for root, suffix in ((PACKAGE, ".py"), (zoo.folder(), zoo.SUFFIX)):
        for path in _files(root, suffix):
            with open(path, "rb") as file:
                content = file.read()
            name = os.path.relpath(path, root).replace(os.sep, "/")
            found.update(f"{name} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _files(root: str, suffix: str) -> Iterator[str]:
    for here, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in DATA)
        yield from (os.path.join(here, name) for name in sorted(files) if name.endswith(suffix) and name != MADE)


if __name__ == "__main__":
    made = text()
    with open(TABLE, "w", encoding="utf-8") as out:
        out.write(made)
