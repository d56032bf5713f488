"""Brackets: one too many, one too few, one of the wrong kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from archdsl.diagnostics import Edit
from archdsl.layers.initialization import MAKERS
from archdsl.layers.registry import LAYERS
from archdsl.repair.candidates import Candidate, Piece, inserted, removed, replaced
from archdsl.syntax.source import Source, Span

_CLOSES = {"(": ")", "[": "]", "{": "}"}
_OPENS = {close: open for open, close in _CLOSES.items()}
_HEAD = re.compile(r"[A-Za-z_]\w*")
_MOST = 8  # brackets without a partner that are looked at


def unbalanced(pieces: Sequence[Piece]) -> tuple[list[int], list[int]]:
    """The opening brackets that nothing closes, and the closing ones that nothing opens, by their numbers."""
    stack: list[int] = []
    open: list[int] = []
    close: list[int] = []
    waiting = Counter[str]()  # by kind, so that the stack is gone down only where there is one to be found
    for index, piece in enumerate(pieces):
        if piece.text in _CLOSES:
            stack.append(index)
            waiting[piece.text] += 1
        elif piece.text in _OPENS:
            opener = _OPENS[piece.text]
            if not waiting[opener]:
                close.append(index)
                continue
            while pieces[stack[-1]].text != opener:
                open.append(stack.pop())
                waiting[pieces[open[-1]].text] -= 1
            stack.pop()
            waiting[opener] -= 1
    return sorted(open + stack), close


def brackets(source: Source, pieces: Sequence[Piece]) -> Iterator[Candidate]:
    """Edits that leave all brackets balanced, the plainest first."""
    open, close = unbalanced(pieces)
    if not open and not close:
        return
    yield from _kinds(source, pieces)
    for index in (*open, *close)[:_MOST]:
        yield from _doubled(source, pieces, index)
    if len(open) > 1 or len(close) > 1:
        for index in _odd_in_line(source, pieces):
            yield from _opened(source, pieces, index)
            yield _without(source, pieces[index])
        return
    for index in close:
        yield from _opened(source, pieces, index)
        yield _without(source, pieces[index])
    for index in open:
        yield from _closed(source, pieces, index, close[0] if close else len(pieces))
        yield _without(source, pieces[index])


def _odd_in_line(source: Source, pieces: Sequence[Piece]) -> Iterator[int]:
    """Closing brackets that nothing on their line opens, though they do not begin it."""
    lines: dict[int, list[int]] = {}
    for index, piece in enumerate(pieces):
        lines.setdefault(source.position(piece.start)[0], []).append(index)
    for line in lines.values():
        open, close = unbalanced([pieces[index] for index in line])
        if len(close) == 1 and not open and close[0] > 0:
            yield line[close[0]]


def _kinds(source: Source, pieces: Sequence[Piece]) -> Iterator[Candidate]:
    """Two brackets that belong together and differ, wherever the first such pair is."""
    stack: list[Piece] = []
    for b in pieces:
        if b.text in _CLOSES:
            stack.append(b)
        elif b.text in _OPENS and stack:
            a = stack.pop()
            if _CLOSES[a.text] != b.text:
                right, left = _CLOSES[a.text], _OPENS[b.text]
                message = f"`{b.text}` where `{right}` closes the `{a.text}` at {_place(source, a)}"
                edits = [
                    replaced(source, a, left, f"`{a.text}` where `{b.text}` closes it at {_place(source, b)}"),
                    replaced(source, b, right, message),
                ]
                yield from edits[::-1] if a.text == "[" and _labelled(source, a.start) else edits
                return


def _labelled(source: Source, at: int) -> bool:
    """Whether a label stands before, behind which `[` opens a module."""
    return source.text[:at].rstrip(" ").endswith(":")


def _doubled(source: Source, pieces: Sequence[Piece], index: int) -> Iterator[Candidate]:
    """A bracket beside one of its kind, the nearest one before it first."""
    text = pieces[index].text
    twice = [i for i in range(1, len(pieces)) if text == pieces[i].text == pieces[i - 1].text]
    for i in sorted(twice, key=lambda i: abs(i - index)):
        if pieces[i - 1].end == pieces[i].start:
            piece = pieces[i]
            yield removed(source, piece.start, piece.end, f"take one {text} out", f"`{text}` stands twice")


def _without(source: Source, piece: Piece) -> Candidate:
    what = "opens" if piece.text in _OPENS else "closes"
    return removed(source, piece.start, piece.end, f"take {piece.text} out", f"nothing {what} this `{piece.text}`")


def _closed(source: Source, pieces: Sequence[Piece], open: int, end: int) -> Iterator[Candidate]:
    """Places where the bracket may close: before the indentation falls back, at the ends of lines, then anywhere."""
    piece = pieces[open]
    mark = _CLOSES[piece.text]
    own = _indentation(source, piece.start)
    alone = source.text[piece.end :].split("\n", 1)[0].strip() == ""
    places: dict[int, None] = {}
    lines = [
        i for i in range(open, end) if i + 1 >= len(pieces) or "\n" in source.text[pieces[i].end : pieces[i + 1].start]
    ]
    for i in lines:
        following = _indentation(source, pieces[i + 1].start) if i + 1 < len(pieces) else -1
        if following <= own and i >= open:
            places[i] = None
    places.update(dict.fromkeys(reversed(range(open, min(end, lines[0] + 1 if lines else end)))))
    places.update(dict.fromkeys(lines))
    places.update(dict.fromkeys(range(open, end)))
    ends = set(lines)
    for i in places:
        broken = alone and i in ends
        text = f"\n{' ' * own}{mark}" if broken else f" {mark}" if mark == "}" else mark
        message = f"nothing closes the `{piece.text}` at {_place(source, piece)}"
        yield inserted(source, pieces[i].end, text, f"close it with {mark} behind {pieces[i].text}", message)


def _opened(source: Source, pieces: Sequence[Piece], close: int) -> Iterator[Candidate]:
    """Places before a closing bracket where one may open: behind and within names first, from right to left."""
    mark = _OPENS[pieces[close].text]
    called = _called(source.text)
    message = f"nothing opens the `{pieces[close].text}` at {_place(source, pieces[close])}"
    for index in range(close - 1, max(-1, close - 80), -1):
        piece = pieces[index]
        title = f"open it with {mark} behind "
        if mark == "(" and _HEAD.fullmatch(piece.text):
            yield inserted(source, piece.end, mark, title + piece.text, message)
            for cut in range(2, len(piece.text)):
                head = piece.text[:cut]
                if head in LAYERS or head in MAKERS or head in called:
                    yield inserted(source, piece.start + cut, mark, title + head, message)
        if mark == "[":
            number = re.search(r"[0-9]+$", piece.text)
            if number and _HEAD.match(piece.text):
                yield inserted(
                    source, piece.start + number.start(), mark, title + piece.text[: number.start()], message
                )
    before = range(close - 1, max(-1, close - 80), -1)

    def unlikely(index: int) -> bool:
        row = index > 1 and pieces[index - 1].text == "," and pieces[index - 2].text == ")"
        return not (row if mark == "(" else mark == "[" and _labelled(source, pieces[index].start))

    if mark == "{":
        yield from _headless(source, pieces, close, message)
    for index in sorted(before, key=unlikely):
        piece = pieces[index]
        text = f"{mark} " if mark == "{" else mark
        if mark == "{" and _deeper(source, pieces, index):
            title = f"write a head with {{ before line {source.position(piece.start)[0]}"
            found = inserted(source, piece.start, "for _ in [1] {\n", title, message)
            yield found._replace(guess=True)
        yield inserted(source, piece.start, text, f"open it with {mark} before {piece.text}", message)
        if mark == "{":
            yield inserted(source, piece.end, f" {mark}", f"open it with {mark} behind {piece.text}", message)


@lru_cache(maxsize=2)  # a text with many brackets too many asks for each
def _called(text: str) -> frozenset[str]:
    """All names that stand before a parenthesis."""
    return frozenset(re.findall(r"\b(\w+)\s*\(", text))


def _headless(source: Source, pieces: Sequence[Piece], close: int, message: str) -> Iterator[Candidate]:
    """A head before the lines that stand deeper than the bracket that closes them, though they parse without it."""
    own = _indentation(source, pieces[close].start)
    first = source.position(pieces[close].start)[0]
    while first > 1 and (not source.line(first - 1).strip() or _depth(source.line(first - 1)) > own):
        first -= 1
    lines = source.text.splitlines(keepends=True)
    start = sum(map(len, lines[: first - 1]))
    start += len(source.text[start:]) - len(source.text[start:].lstrip())
    if start >= pieces[0].start or start >= pieces[close].start:
        return
    whole = Span(source, start, pieces[close].end)
    title = f"write a head with {{ before line {source.position(start)[0]}"
    yield Candidate(
        Edit(whole, f"for _ in [1] {{\n{whole.text}"), title, message, True, place=Span(source, start, start + 1)
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _deeper(source: Source, pieces: Sequence[Piece], index: int) -> bool:
    """Whether a line begins here that stands deeper than the one before, which opens nothing."""
    piece, before = pieces[index], pieces[index - 1] if index else None
    own = _indentation(source, piece.start)
    if piece.start - own != source.text.rfind("\n", 0, piece.start) + 1:
        return False
    if before is None:
        return own > 0
    return before.text not in _CLOSES and own > _indentation(source, before.start)


def _indentation(source: Source, at: int) -> int:
    line = source.line(source.position(at)[0])
    return len(line) - len(line.lstrip())


def _place(source: Source, piece: Piece) -> str:
    line, column = source.position(piece.start)
    return f"{line}:{column}"
