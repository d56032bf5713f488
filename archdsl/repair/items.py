"""Items in brackets: a comma that is missing or another mark, an item too many or behind what has a name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archdsl.diagnostics import Edit
from archdsl.repair.candidates import Candidate, Piece, inserted, removed, replaced
from archdsl.repair.names import is_argument
from archdsl.syntax.source import Source, Span

_NAME = re.compile(r"@?[A-Za-z_]\w*")


def commas(source: Source, pieces: Sequence[Piece], at: int) -> Iterator[Candidate]:
    """The `,` before what has a name, where another mark stands instead, and before a list behind a name."""
    for before, name, piece in zip(pieces, pieces[1:], pieces[2:]):
        named = piece.text == "=" and piece.start <= at < piece.end and _NAME.fullmatch(name.text)
        if named and not re.match(r'[\w@"]', before.text) and before.text not in ("(", ","):
            start = len(source.text[: before.start].rstrip(" "))
            message = f"`{before.text}` where `,` was expected"
            edit, place = Edit(Span(source, start, before.end), ","), Span(source, before.start, before.end)
            yield Candidate(edit, "write ,", message, place=place)
    here = next((i for i, piece in enumerate(pieces) if piece.end > at), 0)
    start = next((i for i in range(here - 1, 0, -1) if pieces[i].text in ("[", "]")), 0)
    before, list_ = pieces[start - 1 : start + 1] if start else (pieces[0], pieces[0])
    if pieces[here].text == "," and list_.text == "[" and _NAME.fullmatch(before.text):
        mark = "," if before.end < list_.start else ", "
        yield inserted(source, before.end, mark, f"write , behind {before.text}", "`,` is missing")


def surplus_items(source: Source, pieces: Sequence[Piece], at: int) -> Iterator[Candidate]:
    """What stands at the error in parentheses, before what has a name, or left out: alone, and with what follows."""
    here = next((i for i, piece in enumerate(pieces) if piece.end > at), len(pieces) - 1)
    start = here
    while start > 0 and pieces[start - 1].text not in (",", "("):
        start -= 1
    depth, end = 0, here
    while start > 0 and end < len(pieces):
        text = pieces[end].text
        if text in (",", ")") and not depth:
            first, comma = pieces[start], pieces[start - 1].text == ","
            begin = pieces[start - 1].start if comma else first.start
            until = pieces[end].start if comma or text == ")" else pieces[end + 1].start if end + 1 < len(pieces) else 0
            if begin < until:
                what = source.text[first.start : pieces[end - 1].end]
                named = _first_named(pieces, start)
                if named is not None and not is_argument(named.text):
                    sign = pieces[pieces.index(named) + 1]
                    message = f"`=` where `,` was expected behind `{named.text}`"
                    yield replaced(source, sign, ", ", message)._replace(title=f"write , behind {named.text}")
                if named is not None:
                    whole = Span(source, named.start, pieces[end - 1].end)
                    text = f"{what}, {source.text[named.start : pieces[start - 1].start]}"
                    title = f"write {what} before what has a name"
                    place = Span(source, first.start, pieces[end - 1].end)
                    yield Candidate(Edit(whole, text), title, f"`{what}` stands behind what has a name", place=place)
                yield removed(source, begin, until, f"leave {what} out", f"`{what}` cannot stand here")
            if text == ")":
                return
        depth += (text in "([{") - (text in ")]}")
        end += 1


def _first_named(pieces: Sequence[Piece], start: int) -> Piece | None:
    """The first argument with a name, of those before a number of a piece in the same parentheses."""
    depth, found = 0, None
    for i in range(start - 1, -1, -1):
        depth += (pieces[i].text in ")]}") - (pieces[i].text in "([{")
        if depth < 0:
            return found
        if depth == 0 and pieces[i + 1].text == "=" and _NAME.fullmatch(pieces[i].text):
            found = pieces[i]
    return None
