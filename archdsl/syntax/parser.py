"""From a text to its tree, or to diagnostics that say in words what was expected where."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from archdsl.diagnostics import MOST, Diagnostic, Edit, Findings, Fix
from archdsl.syntax import tree
from archdsl.syntax.builder import BadToken, Builder
from archdsl.syntax.machine import Machine, Unexpected
from archdsl.syntax.newlines import DEEPEST, Newlines, TooDeep
from archdsl.syntax.pieces import behind_blanks, pieces
from archdsl.syntax.source import Source, Span
from archdsl.syntax.tables import load

LONGEST = 1 << 18
"""Characters of a text."""

_WORDS = {
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "LBRACE": "`{`",
    "BAR": "`|`",
    "COLON": "`:`",
    "EQUAL": "`=`",
    "COMMA": "`,`",
    "ELSE": "`else`",
    "IN": "`in`",
    "FROM": "`from`",
    "_NL": "a new line",
    "$END": "the end",
}


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
        first = error.diagnostic
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
    except _Within as error:
        raise _Broken(_explain(error.cause, source, error.start, error.end)) from None
    except (Unexpected, TooDeep, BadToken) as error:
        raise _Broken(_explain(error, source, shift, shift + len(text))) from None


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

    return _machine().parse(text, start, Builder(source, shift, value), Newlines())


_MACHINE: Machine | None = None


def _machine() -> Machine:
    global _MACHINE
    if _MACHINE is None:
        _MACHINE = Machine(load())
    return _MACHINE


def _explain(error: Exception, source: Source, shift: int, end: int) -> Diagnostic:
    """The diagnostic for a fault in the stretch of a source from `shift` to `end`."""
    if isinstance(error, BadToken):
        return Diagnostic("E102", str(error), error.span)
    if isinstance(error, TooDeep):
        at = error.token.start_pos + shift
        return Diagnostic(
            "E103",
            f"nested too deeply: more than {DEEPEST} levels",
            Span(source, at, at + 1),
            help=("name a part as a block",),
        )
    assert isinstance(error, Unexpected)
    at, token = error.position + shift, error.token
    if token is None:
        return _character(source, at, error.expected)
    if token.type == "$END":
        return _ended(source, shift, end, error.expected)
    text = "a new line" if token.type == "_NL" else f"`{_short(token)}`"
    found = _unexpected(text, error.expected, Span(source, at, at + max(1, len(token.rstrip()))))
    help, fixes = _remedy(token.type, source, at, error.expected)
    return replace(found, help=help, fixes=fixes)


def _ended(source: Source, start: int, end: int, expected: set[str]) -> Diagnostic:
    """What is said where a text, or what stands between the braces of a label, ends too early."""
    at = max(start, len(source.text[:end].rstrip()))
    what = (
        "the braces end"
        if source.text[end : end + 1] == "}" and source.text[start - 1 : start] == "{"
        else "the text ends"
    )
    return _unexpected(what, expected, Span(source, max(0, at - 1), at))


def _remedy(token: str, source: Source, at: int, expected: set[str]) -> tuple[tuple[str, ...], tuple[Fix, ...]]:
    """What would mend a token that stands where none of its kind may, in words and as edits."""
    before = re.search(r"([A-Za-z_][A-Za-z0-9_]*)[ \t]+$", source.text[max(0, at - 200) : at])
    if token == "LPAR" and before:
        help = f"a name and its parenthesis stand together: {before[1]}("
        return (help,), _edit(help, source, at - len(before[0]) + len(before[1]), at, "")
    head = re.search(r"(?:^|\n)[ \t]*block[ \t]+$", source.text[max(0, at - 200) : at])
    name = re.match(r"\w+", source.text[at:])
    if token == "NAME" and head and name:
        help = f"a block has parentheses for its parameters: block {name[0]}()"
        return (help,), _edit(help, source, at + len(name[0]), at + len(name[0]), "()")
    if token == "PLUS" and "ARROW" in expected:
        return ("steps follow each other by `-`; tensors are added by ADD{ a | b }",), ()
    if token in ("SLASH", "DOUBLESLASH") and "ARROW" in expected:
        fixes = _edit("a comment starts with #", source, at, at + 2, "#") if token == "DOUBLESLASH" else ()
        return ("a comment starts with #",), fixes
    if token == "_NL" and "LBRACE" in expected:
        return ("an opening brace stands on the line of its head",), ()
    return (), ()


def _edit(title: str, source: Source, start: int, end: int, text: str) -> tuple[Fix, ...]:
    return (Fix(title, (Edit(Span(source, start, end), text),), safe=True),)


def _short(text: str) -> str:
    text = text.split("\n")[0].strip()
    return text if len(text) <= 30 else text[:29] + "…"


def _character(source: Source, at: int, allowed: set[str]) -> Diagnostic:
    rest = source.text[at:]
    word = re.match(r"[0-9][A-Za-z0-9_.]*", rest)
    if word:
        return Diagnostic(
            "E102", f"`{_short(word[0])}` is neither a number nor a name", Span(source, at, at + len(word[0]))
        )
    if rest.startswith('"'):
        return Diagnostic("E102", "the text in quotes does not end on its line", Span(source, at, at + 1))
    if rest.startswith("@"):
        return Diagnostic("E102", '`@` stands before a name: `@conv1`, or `@"block1-0"`', Span(source, at, at + 1))
    if rest[:1] in "'`":
        quoted = re.match(r"'[^'\"\\\n]*'", rest)
        fixes = (
            _edit('texts stand in "double quotes"', source, at, at + quoted.end(), f'"{quoted[0][1:-1]}"')
            if quoted
            else ()
        )
        help = ('texts stand in "double quotes"',)
        return Diagnostic("E102", f"`{rest[0]}` has no meaning here", Span(source, at, at + 1), help=help, fixes=fixes)
    if rest[:1] in ";\\&^~$!":
        return Diagnostic("E102", f"`{rest[0]}` has no meaning in a spec", Span(source, at, at + 1))
    shown = f"`{_short(rest[:1])}`" if rest[:1].isprintable() else f"the character U+{ord(rest[0]):04X}"
    return _unexpected(shown, allowed, Span(source, at, at + 1))


def _unexpected(what: str, expected: set[str], span: Span) -> Diagnostic:
    words = []
    if {"SHARE", "FOR"} <= expected:
        words.append("a layer, a block or a group")
    elif {"SHAPE", "NUMBER"} <= expected:
        words.append("a value")
        expected = expected - {"IN"}
    elif {"NUMBER", "NAME", "LPAR"} <= expected:
        words.append("a count: a number, a name or an expression in parentheses")
    elif {"NAME", "LPAR"} <= expected:
        words.append("a name")
    elif expected == {"CALL"}:
        words.append("a name and `(`")
    elif expected & {"NAME", "CALL"}:
        words.append("a name")
    if {"MINUS", "ARROW"} <= expected and "PLUS" not in expected:
        words.append("`-`")
    elif {"PLUS", "STAR"} <= expected:
        words.append("an operator")
    closers = [_WORDS[name] for name in _WORDS if name in expected and name not in ("COMMA", "$END", "_NL")]
    words += closers[:3] or [_WORDS[name] for name in ("_NL", "$END") if name in expected][:1]
    message = (
        f"{what} where {' or '.join(dict.fromkeys(words))} was expected" if words else f"{what} was not expected here"
    )
    return Diagnostic("E101", message, span)
