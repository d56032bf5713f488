"""Marks between steps and values: one dropped, doubled, or another one; a word of the language misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from archdsl.diagnostics import Edit
from archdsl.elaborate.suggest import is_slip, near
from archdsl.layers.registry import LAYERS
from archdsl.repair.candidates import Candidate, Piece, inserted, removed, replaced
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


def comment(source: Source, at: int) -> Iterator[Candidate]:
    """The line of the error as a comment, where it is no line of a spec."""
    start = source.text.rfind("\n", 0, at) + 1
    end = source.text.find("\n", at)
    line = source.text[start : end if end >= 0 else len(source.text)]
    foreign = re.match(r"\s*(//|--|%+|;+|\"\"\"|/\*)\s?", line)
    if foreign:
        message = f"`{foreign[1]}` begins no comment"
        yield Candidate(
            _edit(source, start + foreign.start(1), start + foreign.end(), "# "), "a comment starts with #", message
        )
    elif re.match(r"[^=]*\w[\w,-]*( [^\s=]+){2}[^=]*$", line) and not any(
        word in LAYERS for word in re.findall(r"\w+", line)
    ):
        lead = len(line) - len(line.lstrip())
        yield inserted(source, start + lead, "# ", "a comment starts with #", "this line reads as a comment")


def sizes(source: Source, at: int) -> Iterator[Candidate]:
    """The sizes of an input with commas between them, as Python writes a shape."""
    start = source.text.rfind("\n", 0, at) + 1
    line = re.compile(r"\s*input\s+(?:[a-z]\w*\s*:\s*)?[(\[]?((?:[0-9]+|[A-Z])(?:\s*,\s*(?:[0-9]+|[A-Z]))+)[)\]]?")
    found = line.match(source.text, start)
    if found:
        text = re.sub(r"\s*,\s*", "x", found[1])
        whole = len(found[0]) - len(found[0].rstrip(")]"))
        begin = found.start(1) - (source.text[found.start(1) - 1] in "([")
        yield Candidate(
            _edit(source, begin, found.end(1) + whole, text),
            f"write {text}",
            "the sizes of a shape stand with an x between",
        )


def quotes(source: Source, at: int) -> Iterator[Candidate]:
    """A quote more, on a line that has an odd number of them."""
    start = source.text.rfind("\n", 0, at) + 1
    end = source.text.find("\n", at)
    line = source.text[start : end if end >= 0 else len(source.text)]
    if line.count('"') % 2:
        only = line.index('"') if line.count('"') == 1 else -1
        spots = [m.start() for m in re.finditer(r"(?<=[\w)\]}])(?=\W|$)|(?<=[(,=\s])(?=[\w(])", line)]
        for spot in sorted(spots, key=lambda s: (abs(s - only), s) if only >= 0 else (s, s)):
            yield inserted(
                source, start + spot, '"', 'texts stand in "double quotes"', "a text in quotes has one quote"
            )


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
    if text.startswith("in") and text[2:] in ("channels", "features", "height", "width", "size", "shape"):
        yield inserted(source, piece.start + 2, ".", f"write in.{text[2:]}", "`.` is missing")
    for cut in range(3, len(text)):
        if is_argument(text[:cut]):
            title = f"write {text[:cut]}={text[cut:]}"
            yield inserted(source, piece.start + cut, "=", title, f"`=` is missing behind {text[:cut]}")
    if text == "." and source.text[piece.end : piece.end + 1] == " ":
        yield replaced(source, piece, ",", "`.` where `,` was expected")
    head = source.text[: piece.start].rstrip(" ")
    if text == "(" and len(head) < piece.start and _NAME.fullmatch(head[-1:]):
        yield removed(source, len(head), piece.start, "write no space before the (", "`(` stands apart from its name")
    number = re.fullmatch(r"([0-9]+)\.([0-9]+)", text)
    if number:
        yield replaced(source, piece, f"{number[1]}, {number[2]}", "`.` where `,` was expected")


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
