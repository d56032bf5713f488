"""Which repairs are tried for which error, and what is made of those that mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from archdsl.diagnostics import Diagnostic, Fix, Related
from archdsl.elaborate.place import Run
from archdsl.repair.brackets import brackets
from archdsl.repair.candidates import Candidate, pieces_of
from archdsl.repair.marks import comment, marks, quotes, words
from archdsl.repair.names import definitions
from archdsl.repair.steps import doubled, exchanged, left_out
from archdsl.repair.trials import Elaborate, Result, Trials, key
from archdsl.repair.values import known_numbers, literals, operators, others, rows
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span

ENOUGH = 4  # repairs that are looked for
SYNTAX = ("E101", "E102")
VALUES = ("E120", "E121", "E122", "E136", "E140", "E141", "E143", "E144", "E147")
LONGEST = 4_000  # characters of a stretch that does not parse, for which repairs are looked for


def repair(run: Run, file: tree.File, closed: Mapping[str, int], elaborate: Elaborate) -> None:
    """Try the fixes that errors offer, and look for others of the first error."""
    trials = Trials(run, file, closed, elaborate)
    found = run.findings.found
    errors = run.findings.errors
    for told in errors[:3]:
        kept = tuple(fix for fix in told.fixes if _sure(fix) or trials.mends(fix.edits, told))
        if kept != told.fixes:
            lost = {fix.title for fix in told.fixes if fix not in kept}
            others = tuple(help for help in told.help if help not in lost and not _names(help, told, lost))
            found[found.index(told)] = replace(told, fixes=kept, help=others)
    first = run.findings.errors[0]
    if first.span is None or first.span.source not in trials.files:
        return
    mending = list(_mending(trials, first))
    found[found.index(first)] = _told(first, mending, trials)


def _sure(fix: Fix) -> bool:
    """Whether it was tried already: other sizes of the input are found by trying them."""
    return fix.title.startswith("an input of ")


def _names(help: str, told: Diagnostic, lost: set[str]) -> bool:
    """Whether a help says no more than a fix that was taken back."""
    return any(help == f"did you mean {title.removeprefix('write ')}?" for title in lost)


def _mending(trials: Trials, first: Diagnostic) -> Iterator[Candidate]:
    """The candidates that take the first error away and bring no other, the plainest first."""
    count = 0
    seen: set[tuple[Any, ...]] = set()
    for candidate in _candidates(trials, first):
        if trials.spent or count >= ENOUGH:
            return
        edit = candidate.edit
        mark = (edit.span.source, edit.span.start, edit.span.end, edit.text)
        if mark in seen:
            continue
        seen.add(mark)
        if trials.mends((edit,), first):
            count += 1
            yield candidate


def _candidates(trials: Trials, first: Diagnostic) -> Iterator[Candidate]:
    assert first.span is not None
    source = first.span.source
    if first.code in SYNTAX:
        yield from _syntax(trials, source, first.span)
        return
    statements = [*trials.files[source].statements, *(trials.main.statements if source is not trials.main.span.source else ())]
    if first.code == "E130":
        pieces = pieces_of(source, *_line(source, first.span))
        for file in trials.files.values():
            yield from definitions(file, first.span.text)
        yield from marks(source, pieces, first.span.start)
    if first.code == "E144":
        wanted = re.search(r"into ([0-9]+) value", first.message)
        if wanted:
            yield from rows(statements, int(wanted[1]))
    if first.code[:2] == "E2" or first.code in ("E301", "E165", *VALUES):
        yield from doubled(statements)
        yield from _numbers(trials, statements, first)
        yield from operators(statements)
        yield from exchanged(statements)
        yield from left_out(statements)


def _line(source: Source, span: Span) -> tuple[int, int]:
    start = source.text.rfind("\n", 0, span.start) + 1
    end = source.text.find("\n", span.end)
    return start, end if end >= 0 else len(source.text)


def _syntax(trials: Trials, source: Source, at: Span) -> Iterator[Candidate]:
    broken = [span for span in trials.files[source].broken if span.start <= at.start <= span.end]
    if not broken or broken[0].end - broken[0].start > LONGEST:
        return
    piece = broken[0]
    pieces = pieces_of(source, piece.start, piece.end)
    if not pieces:
        return
    yield from words(source, pieces, at.start)
    yield from quotes(source, at.start)
    yield from brackets(source, pieces)
    yield from marks(source, pieces, at.start)
    yield from comment(source, at.start)


def _numbers(trials: Trials, statements: Iterable[Any], first: Diagnostic) -> Iterator[Candidate]:
    """Other numbers, those first that are less usual than what they may be a slip of."""
    found = literals(statements)
    known = known_numbers(found)
    base = trials.check(())
    for node in found:
        relevant: Result | None = None
        for candidate, before, after in others(node, known):
            if relevant is None:
                relevant = trials.check((candidate.edit,))
                if relevant is not None and not relevant.errors:
                    yield candidate
                    continue
                if base is not None and relevant is not None and _alike(base, relevant):
                    break
            yield candidate


def _alike(a: Result, b: Result) -> bool:
    """Whether an edit has changed nothing of what is wrong."""
    return [(key(e), e.span) for e in a.errors] == [(key(e), e.span) for e in b.errors] and a.failed == b.failed


def _told(first: Diagnostic, mending: list[Candidate], trials: Trials) -> Diagnostic:
    """The error with the repairs as help, at the place that they agree on."""
    if not mending:
        return first
    best = mending[0]
    sure = all(_meet(best.edit.span, other.edit.span) for other in mending[1:])
    own = [edit.span for fix in first.fixes for edit in fix.edits if edit.span.start < edit.span.end]
    if first.code not in SYNTAX and not (sure and all(_meet(best.edit.span, span) for span in own)):
        best_place = None
    else:
        best_place = best.edit.span
    fixes = tuple(Fix(c.title, (c.edit,)) for c in mending if not c.guess)[:1 if first.code in SYNTAX else 2]
    fixes = tuple(f for f in fixes if all(f.edits != g.edits for g in first.fixes))
    help = (*first.help, *(fix.title for fix in fixes if fix.title not in first.help))
    told = replace(first, help=help, fixes=(*first.fixes, *fixes))
    if best_place is None or (first.span is not None and _meet(best_place, first.span)):
        return told
    return _moved(told, best, trials)


def _meet(a: Span, b: Span) -> bool:
    return a.source is b.source and a.start <= b.end and b.start <= a.end


def _moved(told: Diagnostic, best: Candidate, trials: Trials) -> Diagnostic:
    """The error at the place of its repair; where it shows is told beside."""
    assert told.span is not None
    at = best.edit.span
    if at.start == at.end:
        at = Span(at.source, max(0, at.start - 1), at.start)
    shows = Related(told.span, "it shows here")
    if told.code in SYNTAX:
        return replace(told, message=best.message or told.message, span=at, related=(*told.related, shows))
    label = f"with {best.edit.text} here all is right" if best.edit.text and len(best.edit.text) < 20 else ""
    note = f"it shows at {trials.run.where(told.span)}"
    related = (shows, *told.related)
    return replace(told, span=at, label=label, notes=(note, *told.notes), related=related)
