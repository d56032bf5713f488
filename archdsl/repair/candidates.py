"""What is common to all repairs: an edit that may be what was meant, and the tokens of a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from archdsl.diagnostics import Edit
from archdsl.records import NamedTuple
from archdsl.syntax.source import Source, Span

_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|@?[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE]-[0-9]+)?'
    r"|->|[=!<>]=|//|\*\*|\.\.|[^\s#]"
)
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*')

_WORD = re.compile(r"\w+")

SYNTAX = ("E101", "E102")


class Candidate(NamedTuple):
    """An edit that may be what was meant.

    `title` is the help; `message` says what is wrong where the edit is, if that is plainer than the error's own.
    `guess`: the edit gives the place of the fault, and its text is nothing that one could mean. Of a lower `rank`
    is what is more likely; `number` and `other` are those that stand there and instead; `gain` says how
    much more like the rest of the spec it is, `place` where the fault stands if not
    where the edit does. `near`: such a guess is told where it comes far nearer to what an assertion wants.
    """

    edit: Edit
    title: str
    message: str = ""
    guess: bool = False
    rank: int = 0
    number: int = 0
    other: int = 0
    gain: int = 0
    place: Span | None = None
    near: bool = False


class Piece(NamedTuple):
    """A token: its text and its place."""

    text: str
    start: int
    end: int


def pieces_of(source: Source, start: int, end: int) -> list[Piece]:
    """The tokens of a stretch, comments left out."""
    return list(_pieces(source.text, start, end))


def pieces_in(text: str) -> list[Piece]:
    """The tokens of a text that is no file's."""
    return list(_pieces(text, 0, len(text)))


def _pieces(text: str, start: int, end: int) -> Iterator[Piece]:
    plain = _COMMENT.sub(lambda m: " " * len(m[0]) if m[0][0] == "#" else m[0], text[start:end])
    for match in _TOKEN.finditer(plain):
        yield Piece(match[0], match.start() + start, match.end() + start)


def replaced(source: Source, piece: Piece, text: str, message: str = "") -> Candidate:
    """A token replaced by another text."""
    return Candidate(Edit(Span(source, piece.start, piece.end), text), f"write {text}", message)


def inserted(source: Source, at: int, text: str, title: str, message: str) -> Candidate:
    """A text put in."""
    return Candidate(Edit(Span(source, at, at), text), title, message)


def removed(source: Source, start: int, end: int, title: str, message: str) -> Candidate:
    """A stretch taken out."""
    return Candidate(Edit(Span(source, start, end), ""), title, message)


def within(a: Span, b: Span) -> bool:
    """Whether the first stretch lies in the second."""
    return a.source is b.source and b.start <= a.start and a.end <= b.end


@lru_cache(maxsize=4)  # a large text is asked for many words
def word_counts(text: str) -> Counter[str]:
    """How often each word stands in a text."""
    return Counter(_WORD.findall(text))


def short(text: str) -> str:
    """A text as a title has it: on one line, and cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"


def lines_of(source: Source, start: int, end: int) -> tuple[int, int]:
    """Where the lines of a stretch start and end."""
    last = source.text.find("\n", end)
    return source.text.rfind("\n", 0, start) + 1, last if last >= 0 else len(source.text)
