"""Which repairs are tried for a text that does not parse, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.repair.brackets import brackets
from archdsl.repair.candidates import Candidate, pieces_of
from archdsl.repair.heads import closed_early
from archdsl.repair.items import commas, surplus_items
from archdsl.repair.layout import unbalanced
from archdsl.repair.lines import comment, quotes, remark, sizes
from archdsl.repair.marks import labels, marks, spaces, words
from archdsl.repair.trials import Trials
from archdsl.syntax.source import Source, Span

LONGEST = 4_000  # characters of a stretch that does not parse, for which repairs are looked for
LONGEST_JOINED = 16_000  # the same for all between two such stretches


def of_syntax(trials: Trials, source: Source, at: Span, surplus: bool) -> Iterator[Candidate]:
    """Edits for a text that does not parse; `surplus` where something may be one too many in parentheses."""
    broken = [span for span in trials.files[source].broken if span.start <= at.start <= span.end]
    if not broken or broken[0].end - broken[0].start > LONGEST:
        return
    piece = broken[0]
    pieces = pieces_of(source, piece.start, piece.end)
    stretches = trials.files[source].broken
    behind = [pieces_of(*span) for span in stretches if span.start > piece.start]
    short = stretches[-1].end - piece.start <= LONGEST_JOINED
    if behind and short and any(any(unbalanced(part)) for part in (pieces, *behind)):
        piece = trials.join(source, piece)
        pieces = pieces_of(source, piece.start, piece.end)
    elif (held := early(trials, source, at)) is not None:
        piece = trials.join(source, held)
        pieces = pieces_of(source, piece.start, piece.end)
    if not pieces:
        return
    yield from sizes(source, at.start)
    yield from words(source, pieces, at.start)
    yield from commas(source, pieces, at.start)
    yield from quotes(source, at.start)
    yield from remark(source, at.start)
    yield from brackets(source, pieces)
    yield from marks(source, pieces, at.start)
    yield from spaces(source, pieces, at.start)
    yield from labels(source, pieces, at.start)
    if surplus:
        yield from surplus_items(source, pieces, at.start)
    for candidate in comment(source, at.start):
        yield candidate._replace(rank=1)


def early(trials: Trials, source: Source, at: Span) -> Span | None:
    """The statement that a bracket in the stretch of an error was to close; None where its lines do not say so."""
    file = trials.files[source]
    for stretch in file.broken:
        if stretch.start <= at.start <= stretch.end and stretch.end - stretch.start <= LONGEST:
            start = closed_early(source, pieces_of(source, stretch.start, stretch.end))
            for held in (s.span for s in file.statements):
                holds = start is not None and held.start <= start < held.end
                if holds and stretch.end - held.start <= LONGEST_JOINED:
                    return held
    return None
