"""What went wrong, where, and what would mend it: one model for the terminal, JSON and every other face."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.annotations import Any
from archdsl.excerpt import PLAIN, Style, draw, visible
from archdsl.records import NamedTuple, dataclass, field, replace
from archdsl.syntax.source import Source, Span


class Related(NamedTuple):
    """Another place that has to do with a finding: the step that a tensor comes from, the copy that it lies in."""

    span: Span
    text: str

    def at(self, main: Source | None) -> str:
        """The text with its place, and the file's name where that is not the main one."""
        name = "" if self.span.source is main else f"{self.span.source.name}:"
        return f"{self.text}, at {name}{self.span.place}"


class Edit(NamedTuple):
    """A stretch of a text, and what is to stand there instead; an empty stretch is a place to insert at."""

    span: Span
    text: str


class Fix(NamedTuple):
    """What would mend a finding, as edits. `safe`: it is what was meant, so that a program may apply it unasked."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The fix as the JSON output has it."""
        edits = [{**_region(edit.span), "text": edit.text} for edit in self.edits]
        return {"title": self.title, "applicability": "safe" if self.safe else "maybe", "edits": edits}


def _region(span: Span | None) -> dict[str, int | None]:
    """Lines and columns, both from 1; `end_column` is exclusive."""
    line = column = end_line = end_column = None
    if span is not None:
        line, column = span.source.position(span.start)
        end_line, end_column = span.source.position(span.end)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


@dataclass(frozen=True)
class Diagnostic:
    """A finding. The message stands alone: one line, lower case, no full stop; the cure stands in `help` alone."""

    code: str  # "E201", "W401": see docs/errors.md
    message: str
    span: Span | None = None  # the smallest stretch that still shows the fault
    label: str = ""  # what stands beside the carets
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    file: str = ""  # where there is no span
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def severity(self) -> str:
        """ "error" or "warning", by the code's letter."""
        return "warning" if self.code.startswith("W") else "error"

    def to_dict(self) -> dict[str, Any]:
        """The finding as the JSON output has it; lines and columns count from 1, `end_column` is exclusive."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            **_region(self.span),
            "help": list(self.help),
            "notes": [note for note in (self.label, *self.notes) if note],
            "file": self.span.source.name if self.span else self.file,
            "related": [{"file": r.span.source.name, **_region(r.span), "text": r.text} for r in self.related],
            "fixes": [fix.to_dict() for fix in self.fixes],
        }


class ArchError(Exception):
    """A spec that is wrong; `diagnostics` says where and why, and `str()` is what the command line prints."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n\n".join(render(d) for d in self.diagnostics if d.severity == "error"))


MOST = 100
"""Errors, and warnings, that one run tells."""
LONGEST = 1000
"""Characters of a message, a note or a help."""


@dataclass
class Findings:
    """The diagnostics of one run, each fault once."""

    found: list[Diagnostic] = field(default_factory=list)
    read: set[str] = field(default_factory=set)  # the paths that `use` led to, whether there is a file or not
    most: int = MOST  # errors, past which elaboration ends; 0: it ends with the first
    _keys: set[object] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep it, unless the same fault at the same place is there already, or there are MOST of its severity."""
        key = (diagnostic.code, diagnostic.span and (diagnostic.span.source.name, diagnostic.span.start))
        if diagnostic.span is not None and key in self._keys:
            return
        self._keys.add(key)
        diagnostic = _short(diagnostic)
        count = self._counts[diagnostic.severity] = self._counts.get(diagnostic.severity, 0) + 1
        if count <= max(self.most, 1):
            self.found.append(diagnostic)
        elif count == MOST + 1 == self.most + 1:
            code = "E104" if diagnostic.severity == "error" else "W404"
            message = f"there are more than {MOST} {diagnostic.severity}s; the others are left out"
            name = diagnostic.span.source.name if diagnostic.span else diagnostic.file
            self.found.append(Diagnostic(code, message, file=name))

    def told(self, code: str, span: Span) -> bool:
        """Whether this fault at this place is there already, so that another one would be left out."""
        return (code, (span.source.name, span.start)) in self._keys

    def sort(self, main: Source) -> None:
        """Put them in the order of the text, those of other files and those without a place at the end."""
        self.found.sort(
            key=lambda d: (
                d.span is None,
                d.span is not None and d.span.source is not main,
                d.span.start if d.span else 0,
            )
        )

    @property
    def full(self) -> bool:
        """Whether there are more errors than are told."""
        return self._counts.get("error", 0) > self.most

    @property
    def errors(self) -> list[Diagnostic]:
        """Those that are errors."""
        return [d for d in self.found if d.severity == "error"]


def _short(d: Diagnostic) -> Diagnostic:
    """The finding with what a hostile text makes long cut off."""
    parts = (d.message, d.label, *d.notes, *d.help)
    if all(len(part) <= LONGEST for part in parts):
        return d
    message, label, *rest = (part if len(part) <= LONGEST else part[: LONGEST - 1] + "…" for part in parts)
    return replace(d, message=message, label=label, notes=tuple(rest[: len(d.notes)]), help=tuple(rest[len(d.notes) :]))


MOST_PLACES = 8
"""Places that are drawn with a finding; those further out are counted."""


def render(d: Diagnostic, style: Style = PLAIN) -> str:
    """The finding as the command line prints it: message, the user's own text with all places, notes and help."""
    lines = [style.paint(f"{d.severity}[{d.code}]", d.severity) + style.paint(f": {visible(d.message)}", "strong")]
    margin = 1
    notes = list(d.notes)
    if d.span is not None:
        drawn, margin = draw([(d.span, d.label), *d.related[:MOST_PLACES]], d.severity, style)
        lines += drawn
        if len(d.related) > MOST_PLACES:
            notes.append(f"and {len(d.related) - MOST_PLACES} places more around it")
    elif d.file:
        lines.append(style.paint(" " * margin + "--> ", "gutter") + visible(d.file))
    edge = style.paint(" " * (margin + 2) + "=", "gutter")
    lines += [f"{edge} {visible(note)}" for note in notes]
    if d.help:
        lines.append(f"{edge} {style.paint('help:', 'help')} {visible('; '.join(d.help))}")
    return "\n".join(lines)
