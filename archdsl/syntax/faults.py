"""What is said of a text that does not parse: in words what was expected where, and how to mend it."""

from __future__ import annotations

import re

from archdsl.diagnostics import Diagnostic, Edit, Fix
from archdsl.records import replace
from archdsl.syntax.lexer import END, NEWLINE, NONE
from archdsl.syntax.machine import Unexpected
from archdsl.syntax.newlines import DEEPEST, TooDeep
from archdsl.syntax.source import Source, Span
from archdsl.syntax.values import BadToken

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
    NEWLINE: "a new line",
    END: "the end",
}


def explain(error: Exception, source: Source, shift: int, end: int) -> Diagnostic:
    """The diagnostic for a fault in the stretch of a source from `shift` to `end`."""
    if isinstance(error, BadToken):
        return Diagnostic("E102", str(error), error.span)
    if isinstance(error, TooDeep):
        at = error.token.start() + shift
        return Diagnostic(
            "E103",
            f"nested too deeply: more than {DEEPEST} levels",
            Span(source, at, at + 1),
            help=("name a part as a block",),
        )
    assert isinstance(error, Unexpected)
    at, kind = error.token.start() + shift, error.token.lastgroup or ""
    if kind == NONE:
        return _character(source, at, error.expected)
    if kind == END:
        return _ended(source, shift, end, error.expected)
    text = error.token[0]
    what = "a new line" if kind == NEWLINE else f"`{_short(text)}`"
    found = _unexpected(what, error.expected, Span(source, at, at + max(1, len(text.rstrip()))))
    help, fixes = _remedy(kind, source, at, error.expected)
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
    if token == "EQUAL" and {"PLUS", "STAR"} <= expected:
        return ("`=` names a value; values are compared by ==, !=, <, <=, > and >=",), ()
    if token == "PLUS" and "ARROW" in expected:
        return ("steps follow each other by `-`; tensors are added by ADD{ a | b }",), ()
    if token in ("SLASH", "DOUBLESLASH") and "ARROW" in expected:
        fixes = _edit("a comment starts with #", source, at, at + 2, "#") if token == "DOUBLESLASH" else ()
        return ("a comment starts with #",), fixes
    if token == NEWLINE and "LBRACE" in expected:
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
    closers = [_WORDS[name] for name in _WORDS if name in expected and name not in ("COMMA", END, NEWLINE)]
    words += closers[:3] or [_WORDS[name] for name in (NEWLINE, END) if name in expected][:1]
    message = (
        f"{what} where {' or '.join(dict.fromkeys(words))} was expected" if words else f"{what} was not expected here"
    )
    return Diagnostic("E101", message, span)
