"""From a text to its tree, or to diagnostics that say in words what was expected where."""

from __future__ import annotations

from itertools import pairwise

from archdsl.annotations import Any
from archdsl.diagnostics import MOST, Diagnostic, Findings
from archdsl.syntax import tree
from archdsl.syntax.builder import Builder
from archdsl.syntax.machine import Machine, Unexpected
from archdsl.syntax.newlines import TooDeep, ended
from archdsl.syntax.source import Source, Span
from archdsl.syntax.tables import load
from archdsl.syntax.values import BadToken

LONGEST = 1 << 18
"""Characters of a text."""


def parse(source: Source, findings: Findings) -> tree.File | None:
    """The tree of a whole text; faults go to `findings`, and then the tree holds the statements that are well.

    A text with a fault is cut into its statements and these are parsed one by one, so that each fault is told once
    and none hides another.
    """
    if len(source.text) > LONGEST:
        message = f"the text has {len(source.text):_} characters, and the limit is {LONGEST:_}"
        findings.add(
            Diagnostic("E105", message, Span(source, LONGEST, LONGEST + 1), help=("blocks of other files: use",))
        )
        return None
    try:
        whole: tree.File = _parse(source, source.text, 0, "file")
        return whole
    except _Broken as error:
        if "\x00" in source.text:
            at = source.text.index("\x00")
            findings.add(
                Diagnostic("E101", "the text holds a NUL character; is it a binary file?", Span(source, at, at + 1))
            )
            return None
        return _in_pieces(source, error.diagnostic, findings)


def _in_pieces(source: Source, first: Diagnostic, findings: Findings) -> tree.File:
    """The tree of a text with a fault, of which the first is given."""
    from archdsl.syntax.pieces import behind_blanks, pieces  # only for a text with a fault

    cuts = [*pieces(source.text), len(source.text)]
    statements: list[tree.Statement] = []
    broken: list[Span] = []
    for start, end in pairwise(cuts):
        text = source.text[start:end]
        if behind_blanks(text, 0) == len(text):
            continue
        try:
            piece = _parse(source, text, start, "file")
            statements += piece.statements
        except _Broken as error:
            findings.add(error.diagnostic)
            broken.append(Span(source, start, end))
            if len(broken) > MOST:
                break
    if not broken:
        findings.add(first)
    return tree.File(Span(source, 0, len(source.text)), tuple(statements), tuple(broken))


def parse_piece(source: Source, text: str, shift: int) -> tuple[tree.Statement, ...] | None:
    """The statements of a text that is tried instead of what stands at `shift`, None where it does not parse."""
    try:
        piece: tree.File = _built(source, text, shift, "file")
    except (Unexpected, TooDeep, BadToken):
        return None
    return piece.statements


def parse_value(source: Source) -> tree.Value:
    """The tree of a single value, as `-D NAME=VALUE` gives it; raises ValueParseError."""
    try:
        value: tree.Value = _parse(source, source.text, 0, "expr")
    except _Broken as error:
        raise ValueParseError(error.diagnostic) from None
    return value


class _Broken(Exception):
    """A stretch of text that does not parse."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class ValueParseError(_Broken):
    """A value that does not parse."""


def _parse(source: Source, text: str, shift: int, start: str) -> Any:
    """The tree of a stretch of a source; raises _Broken."""
    try:
        return _built(source, text, shift, start)
    except (Unexpected, TooDeep, BadToken) as error:
        from archdsl.syntax.faults import explain  # likewise

        if isinstance(error, _Within):
            raise _Broken(explain(error.cause, source, error.start, error.end)) from None
        raise _Broken(explain(error, source, shift, shift + len(text))) from None


class _Within(BadToken):
    """A value between the braces of a label that does not parse, from `start` to `end` of the source."""

    def __init__(self, cause: Exception, span: Span) -> None:
        super().__init__(str(cause), span)
        self.cause, self.start, self.end = cause, span.start, span.end


def _built(source: Source, text: str, shift: int, start: str) -> Any:
    """The tree of a text that stands at `shift` of a source; raises Unexpected, TooDeep, BadToken."""

    def value(begin: int, end: int) -> tree.Value:
        try:
            found: tree.Value = _built(source, text[begin - shift : end - shift], begin, "expr")
        except _Within:
            raise
        except (Unexpected, TooDeep, BadToken) as error:
            raise _Within(error, Span(source, begin, end)) from None
        return found

    return _machine().parse(text, start, Builder(source, shift, value), ended)


_MACHINE: Machine | None = None


def _machine() -> Machine:
    global _MACHINE
    if _MACHINE is None:
        _MACHINE = Machine(load(), Builder)
    return _MACHINE
