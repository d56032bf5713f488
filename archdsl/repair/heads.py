"""Lines that open brackets and are missing, as the indentation of what they held shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.diagnostics import Edit
from archdsl.repair.candidates import Candidate, Piece
from archdsl.repair.layout import OPENS, unbalanced
from archdsl.syntax.source import Source, Span

_Forms = dict[tuple[str, ...], tuple[str, ...]]
_FORMS: _Forms = {
    ("{",): ("for _ in [1] {", "ADD{", "CONCAT{"),
    ("[",): ("_ = [", "_: ["),
    ("[", "{"): ("_: [for _ in [1] {",),
    ("(", "["): ("_ = max([",),
    ("{", "{"): ("for _ in [1] { for _ in [1] {",),
}  # lines that open brackets, as one of those that may be missing
_JOINS: _Forms = {("{",): ("ADD{ ID", "CONCAT{ ID")}  # the same before an arm


def heads(
    source: Source, pieces: Sequence[Piece], inner: range, kinds: Sequence[str]
) -> Iterator[tuple[int, Candidate]]:
    """A line that opens brackets before one that stands deeper than what is around it."""
    for index in inner:
        piece = pieces[index]
        if index and "\n" not in source.text[pieces[index - 1].end : piece.start]:
            continue
        own = indentation(source, piece.start)
        if own == 0:
            continue
        lead = source.text[source.text.rfind("\n", 0, piece.start) + 1 : piece.start]
        around = lead[: max(0, own - 2)]
        message = "a line is missing that opens " + " and ".join(f"`{kind}`" for kind in kinds)
        title = f"write a head with {' '.join(kinds)} before line {source.position(piece.start)[0]}"
        for form in (_JOINS if piece.text == "|" else _FORMS).get(tuple(kinds), ()):
            edit = Edit(Span(source, piece.start - len(lead), piece.start), f"{around}{form}\n{lead}")
            yield 0, Candidate(edit, title, message, True, place=Span(source, piece.start, piece.start + 1))


def headless(source: Source, pieces: Sequence[Piece]) -> Iterator[Candidate]:
    """A head before the lines that stand deeper than the bracket that closes them, though they parse without it."""
    close = [index for index in unbalanced(pieces)[1] if pieces[index].text in "}]"]
    if len(close) != 1:
        return
    start = _deeper(source, pieces[close[0]])
    if start < pieces[0].start:
        whole = Span(source, start, pieces[close[0]].end)
        mark, head = ("{", "for _ in [1] {") if pieces[close[0]].text == "}" else ("[", "_: [")
        edit = Edit(whole, f"{head}\n{whole.text}")
        title = f"write a head with {mark} before line {source.position(start)[0]}"
        message = f"a line is missing that opens `{mark}`"
        yield Candidate(edit, title, message, True, place=Span(source, start, start + 1))


def closed_early(source: Source, pieces: Sequence[Piece]) -> int | None:
    """Where the line starts that opens what the first bracket without a partner closes, as its lines stand.

    It ends with an opening bracket, and stands as deep as the closing one, with deeper lines alone between the two:
    its partner was taken by a bracket of one of these.
    """
    close = unbalanced(pieces)[1]
    if not close:
        return None
    end = pieces[close[0]]
    head = source.text[: _deeper(source, end)].rstrip()
    start = head.rfind("\n") + 1
    same = indentation(source, end.start) == len(head[start:]) - len(head[start:].lstrip())
    return start if same and head.endswith(OPENS[end.text]) and start < pieces[0].start else None


def _deeper(source: Source, end: Piece) -> int:
    """Where the lines start that stand deeper than that of a bracket, up to it."""
    own = indentation(source, end.start)
    first = source.position(end.start)[0]
    while first > 1 and (not (line := source.line(first - 1)).strip() or len(line) - len(line.lstrip()) > own):
        first -= 1
    start = sum(map(len, source.text.splitlines(keepends=True)[: first - 1]))
    return start + len(source.text[start:]) - len(source.text[start:].lstrip())


def indentation(source: Source, at: int) -> int:
    """How deep the line of a place stands."""
    line = source.line(source.position(at)[0])
    return len(line) - len(line.lstrip())
