"""Places drawn in the user's own text: the lines that they stand on, marks below, and what is said beside them.

 --> net.arch:2:28
  |
2 | block Stage(w) { CONV(w) - POOL }
  |                  ----      ^^^^ (5 - 2)/2 + 1 = 2.50, in both directions
  |                  |
  |                  the 8x5x5 comes from CONV
3 | Stage(8)*3
  | -------- in Stage, w = 8
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from archdsl.annotations import ClassVar
from archdsl.records import NamedTuple
from archdsl.syntax.source import Source, Span

WIDEST = 160
"""Characters of a line that are shown; a longer one is cut around its first mark."""


class Style:
    """How parts of a message are painted; this one leaves them plain."""

    def paint(self, text: str, role: str) -> str:
        """`role` is "error", "warning", "gutter", "help" or "strong"."""
        return text


class Ansi(Style):
    """Colours for a terminal."""

    _CODES: ClassVar[dict[str, str]] = {"error": "1;31", "warning": "1;33", "gutter": "34", "help": "32", "strong": "1"}

    def paint(self, text: str, role: str) -> str:
        return f"\x1b[{self._CODES[role]}m{text}\x1b[0m"


PLAIN = Style()


def visible(text: str) -> str:
    """Tabs as one space, control characters as `?`: a hostile spec must not drive the terminal."""
    return "".join(" " if c == "\t" else c if c.isprintable() else "?" for c in text)


class Mark(NamedTuple):
    """A stretch of one line as it is shown: columns from 0, `end` exclusive; `role` is painted, "gutter" hangs back."""

    start: int
    end: int
    text: str
    role: str


def draw(places: Sequence[tuple[Span, str]], role: str, style: Style) -> tuple[list[str], int]:
    """The lines that show the places, file by file, and how wide their numbers are; the first place is the finding's.

    It is marked with carets in the colour of `role`, the others with dashes.
    """
    margin = max(len(str(span.source.position(span.start)[0])) for span, _ in places)
    bar = style.paint(" " * (margin + 2) + "|", "gutter")
    drawn: list[str] = []
    for source in dict.fromkeys(span.source for span, _ in places):
        here = [(span, text, role if n == 0 else "gutter") for n, (span, text) in enumerate(places)]
        here = [one for one in here if one[0].source is source]
        number, column = source.position(here[0][0].start)
        arrow = "-->" if source is places[0][0].source else ":::"
        drawn.append(style.paint(" " * margin + f"{arrow} ", "gutter") + f"{visible(source.name)}:{number}:{column}")
        drawn.append(bar)
        shown = 0
        for number in sorted({source.position(span.start)[0] for span, _, _ in here}):
            if shown and number == shown + 2:  # dots would take as much room
                drawn.append(_line(source, shown + 1, 1, margin, style)[0])
            elif shown and number > shown + 2:
                drawn.append(style.paint("...", "gutter"))
            spans = [one for one in here if source.position(one[0].start)[0] == number]
            line, shift = _line(source, number, source.position(spans[0][0].start)[1], margin, style)
            drawn.append(line)
            drawn += [f"{bar} {row}" for row in _below([_mark(*one, shift) for one in spans], style)]
            shown = number
    return drawn, margin


def _line(source: Source, number: int, column: int, margin: int, style: Style) -> tuple[str, int]:
    """A line with its number, and how many of its characters were cut before what is shown."""
    text, shift = source.line(number), 0
    if len(text) > WIDEST:
        shift = max(0, min(column - 1 - WIDEST // 2, len(text) - WIDEST))
        text = text[shift : shift + WIDEST]
    return style.paint(f" {number:>{margin}} |", "gutter") + f" {visible(text)}".rstrip(), shift


def _mark(span: Span, text: str, role: str, shift: int) -> Mark:
    """Where a place lies in a line that is shown from `shift` on: to the line's end where it goes on in the next."""
    number, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    length = len(span.source.line(number))
    end = end_column - 1 if end_line == number else length
    last = min(length - shift, WIDEST)  # just behind what is shown
    start = min(max(column - 1 - shift, 0), max(last, 0))
    return Mark(start, max(start + 1, min(end - shift, last)), visible(text), role)


def _below(marks: Sequence[Mark], style: Style) -> list[str]:
    """The rows below a line: the marks, the text of the rightmost beside it, those of the others hanging below."""
    roles: list[str] = [""] * max(mark.end for mark in marks)
    for mark in sorted(marks, key=lambda mark: mark.role != "gutter"):  # the finding's own over all others
        roles[mark.start : mark.end] = [mark.role] * (mark.end - mark.start)
    row = "".join(_dashes(role, len(list(group)), style) for role, group in groupby(roles))
    texts = sorted((mark for mark in marks if mark.text), key=lambda mark: mark.start, reverse=True)
    if texts and texts[0].end == len(roles):
        row += f" {texts.pop(0).text}"
    if not texts:
        return [row]
    rows = [row, _row(_bars(texts, len(roles)), style)]
    for n, mark in enumerate(texts, 1):
        rows.append(_row([*_bars(texts[n:], mark.start), (mark.start, mark.text, "")], style))
    return rows


def _dashes(role: str, count: int, style: Style) -> str:
    return style.paint(("-" if role == "gutter" else "^") * count, role) if role else " " * count


def _bars(marks: Sequence[Mark], before: int) -> list[tuple[int, str, str]]:
    """A bar for each column left of `before` from which a text still hangs."""
    return [(start, "|", role) for start, role in {mark.start: mark.role for mark in marks}.items() if start < before]


def _row(parts: Sequence[tuple[int, str, str]], style: Style) -> str:
    """Texts at their columns, each with its role."""
    row, reached = "", 0
    for start, text, role in sorted(parts):
        row += " " * (start - reached) + (style.paint(text, role) if role else text)
        reached = start + len(text)
    return row
