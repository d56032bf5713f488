"""Faults of data as diagnostics: at a file or a row of it, or at the place in the spec that the data does not fit."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.syntax.source import Span

NAMED = 5
"""Names that a message lists; the others are counted."""


def fault(
    code: str,
    message: str,
    *,
    file: str = "",
    span: Span | None = None,
    label: str = "",
    notes: Sequence[str] = (),
    help: Sequence[str] = (),
) -> ArchError:
    """An error to raise: one diagnostic."""
    return ArchError([Diagnostic(code, message, span, label, tuple(notes), tuple(help), file)])


def some(names: Sequence[object]) -> str:
    """`a, b, c, d, e and 12 more`."""
    listed = ", ".join(map(str, names[:NAMED]))
    return listed if len(names) <= NAMED else f"{listed} and {len(names) - NAMED:,} more"


def printable(name: str) -> str:
    """A name as text: bytes of a file's name that are no UTF-8 stand in it as `\\udcff`."""
    return name.encode("utf-8", "backslashreplace").decode()


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 image`, `1,797 images`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
