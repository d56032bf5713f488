"""Marks between steps and values: one dropped, doubled, or another one; a word of the language misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from archdsl.diagnostics import Edit
from archdsl.elaborate.suggest import is_slip, near
from archdsl.repair.candidates import Candidate, Piece, inserted, removed, replaced, word_counts
from archdsl.repair.names import is_argument
from archdsl.syntax.source import Source, Span

WORDS = (
    "input output model let block default use assert for if else in of from share and or not training".split()
)  # fmt: skip
_MARKS = {
    " - ": "`-` is missing",
    ", ": "`,` is missing",
    ": ": "`:` is missing",
    " | ": "`|` is missing",
    "=": "`=` is missing",
    "*": "`*` is missing",
    ".": "`.` is missing",
    '"': "a quote is missing",
}
_OTHERS = ("-", ",", ":", "|", "=", "*", "==", "{", "(", "//")
_NAME = re.compile(r"@?[A-Za-z_]\w*")
LONGEST_NAME = 60  # of what may be two names with nothing between


def marks(source: Source, pieces: Sequence[Piece], at: int) -> Iterator[Candidate]:
    """Edits at and before the token that starts at or behind `at`."""
    here = next((i for i, piece in enumerate(pieces) if piece.end > at), len(pieces) - 1)
    near_by = [i for i in (here, here - 1, here + 1, here - 2) if 0 <= i < len(pieces)]
    for i in near_by:
        yield from _word(source, pieces, i)
    for i in near_by:
        yield from _within(source, pieces[i])
    for i in near_by[:2]:
        yield from _twice(source, pieces, i)
    for i in near_by:
        if not _plain(pieces[i].text):
            both = i + 1 < len(pieces) and pieces[i + 1].text == pieces[i].text
            whole = Piece(source.text[pieces[i].start : pieces[i + both].end], pieces[i].start, pieces[i + both].end)
            for mark in _OTHERS:
                if mark != pieces[i].text:
                    yield replaced(source, whole, mark, f"`{whole.text}` where `{mark}` was expected")
    for i in (here, here - 1, here + 1):
        if 0 < i < len(pieces):
            before, after = pieces[i - 1], pieces[i]
            between = source.text[before.end : after.start]
            if "\n" in between and "#" not in between:
                yield _joined(source, before, after)
            for mark, message in _MARKS.items():
                text = mark if between.strip(" ") else mark.strip() if mark == " - " and not between else mark
                title = f"write {mark.strip()} between {before.text} and {after.text}"
                if mark in (" - ", " | ") and between == " ":
                    text = mark.lstrip()
                    yield inserted(source, after.start, text, title, message)
                else:
                    yield inserted(source, before.end, text.rstrip() if between == " " else text, title, message)
            if between == " ":
                yield Candidate(
                    _edit(source, before.end, after.start, "\n"), "begin a line here", "two lines stand in one"
                )
    for i in near_by[:3]:
        if not _plain(pieces[i].text):
            end = pieces[i + 1].start if i + 1 < len(pieces) else pieces[i].end
            text = pieces[i].text
            yield removed(source, pieces[i].start, end, f"take {text} out", f"`{text}` is one too many")


def words(source: Source, pieces: Sequence[Piece], at: int) -> Iterator[Candidate]:
    """Words of the language that are misspelt, on the line of the error and before it."""
    line = source.position(at)[0]
    for i, piece in enumerate(pieces):
        if piece.start <= at and source.position(piece.start)[0] >= line - 1:
            yield from _word(source, pieces, i)


def labels(source: Source, pieces: Sequence[Piece], at: int) -> Iterator[Candidate]:
    """The `:` of a label, instead of a `=` or missing behind braces, on the line of the error."""
    line = source.position(at)[0]
    for before, piece in pairwise(pieces):
        if source.position(piece.start)[0] != line:
            continue
        if piece.text == "=" and _NAME.fullmatch(before.text):
            edit, place = _edit(source, before.end, piece.end, ":"), Span(source, piece.start, piece.end)
            yield Candidate(edit, "write :", "`=` where a label has its `:`", place=place)
        steps = piece.text[0].isalpha() or piece.text in ("[", "(")
        if before.text == "}" and steps and source.text[before.end : piece.start] == " ":
            yield inserted(source, before.end, ":", "write : behind the label", "`:` is missing behind a label")


def spaces(source: Source, pieces: Sequence[Piece], at: int) -> Iterator[Candidate]:
    """A space between a name and its bracket, on the line of the error, left out."""
    line = source.position(at)[0]
    for before, piece in pairwise(pieces):
        gap = source.text[before.end : piece.start]
        if piece.text in ("(", "{") and gap and not gap.strip(" ") and _NAME.fullmatch(before.text):
            if source.position(piece.start)[0] == line:
                title = f"write no space before the {piece.text}"
                message = f"`{piece.text}` stands apart from `{before.text}`"
                yield removed(source, before.end, piece.start, title, message)


def _edit(source: Source, start: int, end: int, text: str) -> Edit:
    return Edit(Span(source, start, end), text)


def _plain(text: str) -> bool:
    return bool(re.match(r'[\w@"]', text))


def _word(source: Source, pieces: Sequence[Piece], i: int) -> Iterator[Candidate]:
    text = pieces[i].text
    if re.fullmatch(r"[a-z]+", text):
        meant = [word for word in WORDS if word != text and is_slip(word, text)] or [near(text, WORDS)]
        for word in meant:
            if word and word != text:
                yield replaced(source, pieces[i], word, f"`{text}` where `{word}` was expected")


def _within(source: Source, piece: Piece) -> Iterator[Candidate]:
    """A product written as in mathematics: 4xwidth, 2filters, x2."""
    text = piece.text
    product = re.fullmatch(r"([0-9]+)[xX\u00d7.]?([A-Za-z_]\w*)", text)
    if product:
        yield replaced(source, piece, f"{product[1]}*{product[2]}", f"`{text}` is no product: that is `*`")
    times = re.fullmatch(r"[xX]([0-9]+)", text)
    if times and source.text[: piece.start].rstrip().endswith((")", "]", "}")):
        start = len(source.text[: piece.start].rstrip())
        yield Candidate(
            _edit(source, start, piece.end, f"*{times[1]}"), f"write *{times[1]}", "copies are counted by `*`"
        )
    if text in ("x", "X", "\u00d7", "^", "\u00b7", ".", "**"):
        start = len(source.text[: piece.start].rstrip())
        rest = source.text[piece.end :]
        end = piece.end + len(rest) - len(rest.lstrip(" "))
        yield Candidate(_edit(source, start, end, "*"), "write *", f"`{text}` where `*` was expected")
    if text in ("\u2013", "\u2014", "\u2212", "--", "\u2192", "=>", ">", "~"):
        yield replaced(source, piece, "-", f"`{text}` where `-` was expected")
    if text in (";", "\u3001"):
        yield replaced(source, piece, ",", f"`{text}` where `,` was expected")
    if text == "@" and source.text[piece.end : piece.end + 1] == " ":
        yield removed(source, piece.end, piece.end + 1, "a name follows its @", "`@` stands apart from its name")
    apart = re.search(r"\w+$", source.text[max(0, piece.start - 60) : piece.start])
    if text[0] == "@" and apart:
        start = piece.start - len(apart[0])
        meant = f"@{apart[0]}{text[1:]}"
        yield Candidate(_edit(source, start, piece.end, meant), f"write {meant}", "`@` stands before a name")
    if text == "@" and source.text[piece.end : piece.end + 1] == "@":
        yield removed(source, piece.start, piece.end, "take one @ out", "`@` stands twice")
    if text.startswith("in") and text[2:] in ("channels", "features", "height", "width", "size", "shape"):
        yield inserted(source, piece.start + 2, ".", f"write in.{text[2:]}", "`.` is missing")
    for cut in range(1, len(text)) if text.isidentifier() and len(text) <= LONGEST_NAME else ():
        digits = text[cut:].isdigit() and text[cut - 1].isalpha()
        if is_argument(text[:cut]) or digits or (text[cut:].isidentifier() and _stands(source, text[:cut], text[cut:])):
            fraction = re.match(r"[.][0-9]+", source.text[piece.end : piece.end + 20]) if digits else None
            title = f"write {text[:cut]}={text[cut:]}{fraction[0] if fraction else ''}"
            yield inserted(source, piece.start + cut, "=", title, f"`=` is missing behind {text[:cut]}")
    if text == "." and source.text[piece.end : piece.end + 1] == " ":
        yield replaced(source, piece, ",", "`.` where `,` was expected")
    head = source.text[: piece.start].rstrip(" ")
    if text == "(" and len(head) < piece.start and _NAME.fullmatch(head[-1:]):
        yield removed(source, len(head), piece.start, "write no space before the (", "`(` stands apart from its name")
    number = re.fullmatch(r"([0-9]+)\.([0-9]+)", text)
    if number:
        yield replaced(source, piece, f"{number[1]}, {number[2]}", "`.` where `,` was expected")


def _stands(source: Source, *words: str) -> bool:
    """Whether all words stand in the text by themselves."""
    known = word_counts(source.text)
    return all(word in known for word in words)


def _twice(source: Source, pieces: Sequence[Piece], i: int) -> Iterator[Candidate]:
    """A mark that stands twice."""
    if i and pieces[i].text == pieces[i - 1].text and not _plain(pieces[i].text):
        text = pieces[i].text
        start = pieces[i - 1].end
        yield removed(source, start, pieces[i].end, f"take one {text} out", f"`{text}` stands twice")


def _joined(source: Source, before: Piece, after: Piece) -> Candidate:
    if after.text == "{":
        title = "an opening brace stands on the line of its head"
    else:
        title = f"write {before.text} and {after.text} on one line"
    return Candidate(_edit(source, before.end, after.start, " "), title, "the line ends too early")
