"""What `archdsl check --format` writes for programs: a format is one file with `write`, and one line in the table."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from archdsl.diagnostics import Diagnostic
from archdsl.graph import Network
from archdsl.records import NamedTuple

FORMATS = {
    "json": "report",
    "github": "github",
    "sarif": "sarif",
    "junit": "junit",
}
"""A format's name, and the module in `archdsl.formats` that writes it."""


class Checked(NamedTuple):
    """One file as it was checked: `network` is None where it is wrong or a library; `unread`: it could not be read."""

    file: str
    network: Network | None
    diagnostics: Sequence[Diagnostic]
    unread: bool = False

    @property
    def wrong(self) -> bool:
        """Whether there is an error."""
        return any(d.severity == "error" for d in self.diagnostics)


def write(name: str, checked: Sequence[Checked]) -> str:
    """The report on all files in a format of the table, without the last new line."""
    text: str = import_module(f"archdsl.formats.{FORMATS[name]}").write(checked)
    return text


def full_message(d: Diagnostic) -> str:
    """A finding in several lines: message, notes, the other places and help."""
    places = (related.at(d.span.source if d.span else None) for related in d.related)
    notes = [note for note in (d.label, *places, *d.notes) if note]
    return "\n".join([d.message, *notes, *(f"help: {help}" for help in d.help)])


def relative(name: str) -> str:
    """A file's name with `/` between its folders and without `./` before them, as repositories name it."""
    return name.replace("\\", "/").removeprefix("./")
