"""Brackets: one too many, one too few, one of the wrong kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from archdsl.elaborate.functions import FUNCTIONS
from archdsl.layers.initialization import MAKERS
from archdsl.layers.registry import LAYERS
from archdsl.repair.candidates import Candidate, Piece, inserted, removed, replaced
from archdsl.repair.heads import headless, heads, indentation
from archdsl.repair.layout import CLOSES, LOOSE, OPENS, oddness, unbalanced
from archdsl.repair.names import is_argument
from archdsl.syntax.source import Source, Span

_HEAD = re.compile(r"[A-Za-z_]\w*")
_CALLED = re.compile(r"(?<!\w)([A-Za-z_]\w*)\(")  # from the start of a word: no long one is read from each letter
_USED = re.compile(r"^use ([\w, ]+) from", re.MULTILINE)
_INFIX = frozenset(("and", "or", "not", "in", "if", "else", "for"))  # behind these a value goes on
_MOST = 400  # edits that are looked at
_MOST_READ = 150_000  # characters that are read to put them in order


def brackets(source: Source, pieces: Sequence[Piece]) -> Iterator[Candidate]:
    """Edits that give each bracket its partner, those first with which the text looks as one writes."""
    open, close = unbalanced(pieces)
    if not open and not close:
        return
    start, end = source.text.rfind("\n", 0, pieces[0].start) + 1, pieces[-1].end
    callable = _callable(source)
    found: dict[str, tuple[int, int, Candidate]] = {}
    rest: list[Candidate] = []
    read = 0
    for cost, candidate in islice(_edits(source, pieces), _MOST):
        edit = candidate.edit
        read += end - start
        if read > _MOST_READ:
            rest.append(candidate)
            continue
        text = source.text[start : edit.span.start] + edit.text + source.text[edit.span.end : end]
        odd = oddness(text, callable)
        same = found.get(text)  # of two alike beside each other, what stands between belongs to the first
        if odd < LOOSE and (same is None or same[2].edit.span.start < edit.span.start):
            found[text] = (2 * odd + cost, same[1] if same else len(found), candidate)
    yield from headless(source, pieces)
    yield from (candidate for _, _, candidate in sorted(found.values(), key=lambda one: one[:2]))
    yield from rest
    if not found:  # there is more than one fault
        for index in _odd_in_line(source, pieces):
            yield from (
                candidate for _, candidate in _opened(source, pieces, "(", index - 1, max(0, index - 80), index)
            )
            yield _without(source, pieces[index])


def _edits(source: Source, pieces: Sequence[Piece]) -> Iterator[tuple[int, Candidate]]:
    """Edits of one bracket with what speaks against them: of the kind that is one too many, where it may be."""
    excess = Counter[str]()
    for piece in pieces:
        if piece.text in CLOSES:
            excess[piece.text] += 1
        elif piece.text in OPENS:
            excess[OPENS[piece.text]] -= 1
    more = [kind for kind in CLOSES if excess[kind] > 0]
    less = [kind for kind in CLOSES if excess[kind] < 0]
    first, last = _first_odd(pieces, CLOSES, OPENS), len(pieces) - 1 - _first_odd(pieces[::-1], OPENS, CLOSES)
    inner = range(max(0, last), min(first + 1, len(pieces)))  # a partner is missing behind the one, before the other
    if len(more) == len(less) == 1:
        yield from _kinds(source, pieces, inner, more[0], less[0])
    elif not less and len(more) == 1 and excess[more[0]] == 1:
        yield from _taken(source, pieces, inner, more[0])
        yield from _closed(source, pieces, more[0], inner)
    elif not more and len(less) == 1 and excess[less[0]] == -1:
        yield from _taken(source, pieces, inner, CLOSES[less[0]])
        yield from heads(source, pieces, inner, less)
        yield from _opened(source, pieces, less[0], min(first, len(pieces)) - 1, max(0, last), first)
    elif not more and sum(excess.values()) >= -3:
        yield from heads(source, pieces, inner, [OPENS[p.text] for p in _ends(pieces)])


def _first_odd(pieces: Sequence[Piece], opens: Mapping[str, str], closes: Mapping[str, str]) -> int:
    """The number of the first bracket that closes another one than is open; of pieces where there is none."""
    stack = []
    for index, piece in enumerate(pieces):
        if piece.text in opens:
            stack.append(piece.text)
        elif piece.text in closes and (not stack or stack.pop() != closes[piece.text]):
            return index
    return len(pieces)


def _ends(pieces: Sequence[Piece]) -> list[Piece]:
    """The closing brackets that nothing opens, the outermost first."""
    return [pieces[index] for index in unbalanced(pieces)[1]][::-1]


def _odd_in_line(source: Source, pieces: Sequence[Piece]) -> Iterator[int]:
    """Closing brackets that nothing on their line opens, though they do not begin it."""
    lines: dict[int, list[int]] = {}
    for index, piece in enumerate(pieces):
        lines.setdefault(source.position(piece.start)[0], []).append(index)
    for line in lines.values():
        open, close = unbalanced([pieces[index] for index in line])
        if len(close) == 1 and not open and close[0] > 0:
            yield line[close[0]]


def _kinds(
    source: Source, pieces: Sequence[Piece], inner: range, more: str, less: str
) -> Iterator[tuple[int, Candidate]]:
    """A bracket of another kind: an opening one of which there is one more, or the closing one of the other kind."""
    for index in inner:
        piece = pieces[index]
        if piece.text == more:
            message = f"`{more}` where `{CLOSES[less]}` closes it"
            yield 0, replaced(source, piece, less, message)
        elif piece.text == CLOSES[less]:
            message = f"`{piece.text}` where `{CLOSES[more]}` closes what `{more}` opens"
            yield 0, replaced(source, piece, CLOSES[more], message)


def _taken(source: Source, pieces: Sequence[Piece], inner: range, text: str) -> Iterator[tuple[int, Candidate]]:
    """A bracket taken out, which is likely where it stands twice."""
    for index in inner:
        piece = pieces[index]
        if piece.text == text:
            twice = [i for i in (index - 1, index + 1) if 0 <= i < len(pieces) and pieces[i].text == text]
            if any(piece.start in (pieces[i].end, pieces[i].start - 1) for i in twice):
                a, b = piece.start, piece.end
                while source.text[a - 1 : a] == text:
                    a -= 1
                while source.text[b : b + 1] == text:
                    b += 1
                found = removed(
                    source, piece.start, piece.end, f"take one {text} out", f"`{text}` stands once too often"
                )
                yield 0, found._replace(place=Span(source, a, b))
            else:
                yield 3, _without(source, piece)


def _without(source: Source, piece: Piece) -> Candidate:
    what = "opens" if piece.text in OPENS else "closes"
    return removed(source, piece.start, piece.end, f"take {piece.text} out", f"nothing {what} this `{piece.text}`")


def _closed(source: Source, pieces: Sequence[Piece], kind: str, inner: range) -> Iterator[tuple[int, Candidate]]:
    """Places where a bracket may close, by what is open there."""
    mark = CLOSES[kind]
    stack: list[Piece] = []
    found: list[tuple[int, Candidate]] = []
    for index, piece in enumerate(pieces[: inner.stop]):
        if piece.text in CLOSES:
            stack.append(piece)
        elif piece.text in OPENS and stack:
            stack.pop()
        if (
            index < inner.start
            or not stack
            or stack[-1].text != kind
            or not (_ends_value(piece) or piece.text == kind == "(")
        ):
            continue
        behind = pieces[index + 1] if index + 1 < len(pieces) else None
        ends = behind is None or "\n" in source.text[piece.end : behind.start]
        if behind is not None and not ends and _begins_value(behind) and behind.text not in "-{":
            continue
        opener = stack[-1]
        own = indentation(source, opener.start)
        alone = source.text[opener.end :].split("\n", 1)[0].strip() == ""
        text = f"\n{' ' * own}{mark}" if alone and ends else f" {mark}" if mark == "}" else mark
        message = f"nothing closes the `{kind}` at {_place(source, opener)}"
        found.append((0, inserted(source, piece.end, text, f"close it with {mark} behind {piece.text}", message)))
    yield from found[::-1]


def _opened(
    source: Source, pieces: Sequence[Piece], mark: str, start: int, end: int, close: int
) -> Iterator[tuple[int, Candidate]]:
    """Places where a bracket may open, from right to left: behind, within and before words."""
    message = f"nothing opens the `{CLOSES[mark]}`"
    if close < len(pieces):
        message += f" at {_place(source, pieces[close])}"
    called = _callable(source)
    words = set(_HEAD.findall(source.text)) | called
    title = f"open it with {mark} behind "
    for index in range(start, end - 1, -1):
        piece = pieces[index]
        if _HEAD.fullmatch(piece.text.lstrip("@")):
            if mark != "(" or piece.text in called:
                yield 0, inserted(source, piece.end, " {" if mark == "{" else mark, title + piece.text, message)
            once = source.text.count(piece.text) == 1
            for cut in range(1, len(piece.text)):
                head, tail = piece.text[:cut], piece.text[cut:]
                known = tail.isdigit() or tail in words or is_argument(tail)
                if known and (mark == "{" or head in words):
                    yield -2 if once else 0, inserted(source, piece.start + cut, mark, title + head, message)
        elif mark == "{" and piece.text in (")", "]"):
            yield 0, inserted(source, piece.end, " {", title + piece.text, message)
        before = pieces[index - 1] if index else None
        labelled = before is not None and before.text == ":" and piece.text in ("for", "if")
        if not (_begins_value(piece) or labelled) or (
            mark != "{" and before and _ends_value(before) and _beside(source, before, piece)
        ):
            continue
        text = f"{mark} " if mark == "{" else mark
        yield 0, inserted(source, piece.start, text, f"open it with {mark} before {piece.text}", message)


def _callable(source: Source) -> set[str]:
    """The names that `(` may follow: those of the language, those that are called, and those that `use` brings."""
    used = {name for names in _USED.findall(source.text) for name in _HEAD.findall(names)}
    return LAYERS.keys() | MAKERS.keys() | FUNCTIONS.keys() | used | set(_CALLED.findall(source.text))


def _ends_value(piece: Piece) -> bool:
    return piece.text not in _INFIX and (piece.text in OPENS or piece.text[-1].isalnum() or piece.text[-1] in '_"?')


def _begins_value(piece: Piece) -> bool:
    text = piece.text
    return text not in _INFIX and (text in CLOSES or text == "-" or text[0].isalnum() or text[0] in '_"@')


def _beside(source: Source, a: Piece, b: Piece) -> bool:
    return "\n" not in source.text[a.end : b.start]


def _place(source: Source, piece: Piece) -> str:
    line, column = source.position(piece.start)
    return f"{line}:{column}"
