"""Applying fixes to a text: which edits go together, and where they stand in the file as it is on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archdsl.diagnostics import Diagnostic, Edit
from archdsl.syntax.source import Source


def safe_edits(diagnostics: Iterable[Diagnostic], source: Source) -> list[Edit]:
    """The edits of all fixes that are safe and touch this source alone; of two that overlap the first."""
    chosen: list[Edit] = []
    for diagnostic in diagnostics:
        for fix in diagnostic.fixes:
            here = all(edit.span.source is source for edit in fix.edits)
            if fix.safe and here and not any(_meet(edit, other) for edit in fix.edits for other in chosen):
                chosen += fix.edits
                break
    return chosen


def _meet(first: Edit, second: Edit) -> bool:
    a, b = first.span, second.span
    return (a.start < b.end and b.start < a.end) or a.start == b.start


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits, none of which overlap; their offsets are those of the source that the text gives.

    A byte-order mark and `\\r\\n`, which a Source leaves out, stay as they are.
    """
    offsets = _offsets(text)
    for edit in sorted(edits, key=lambda e: e.span.start, reverse=True):
        text = text[: offsets[edit.span.start]] + edit.text + text[offsets[edit.span.end] :]
    return text


def _offsets(text: str) -> Sequence[int]:
    """The place in the text of each code point of its Source, and its end."""
    start = 1 if text.startswith("\ufeff") else 0
    return [i for i in range(start, len(text) + 1) if text[i - 1 : i + 1] != "\r\n" or i == 0]
