"""Which repairs are tried for which error, and what is made of those that mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from archdsl.diagnostics import Diagnostic, Fix, Related
from archdsl.elaborate.mentions import open_names
from archdsl.elaborate.place import Run
from archdsl.layers.registry import LAYERS
from archdsl.repair.brackets import brackets
from archdsl.repair.calls import around, parameter_more, without_argument
from archdsl.repair.candidates import Candidate, pieces_of
from archdsl.repair.marks import comment, marks, quotes, words
from archdsl.repair.names import definitions
from archdsl.repair.steps import arm_more, doubled, exchanged, left_out
from archdsl.repair.trials import Elaborate, Result, Trials, key
from archdsl.repair.values import known_numbers, literals, operators, others, rows, unwrapped, wanted
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
            rest = tuple(help for help in told.help if help not in lost and not _names(help, told, lost))
            found[found.index(told)] = replace(told, fixes=kept, help=rest)
    first = run.findings.errors[0]
    if first.span is None or first.span.source not in trials.files:
        return
    mending = _mending(trials, first)
    found[found.index(first)] = _told(first, mending, trials)


def _sure(fix: Fix) -> bool:
    """Whether it was tried already: other sizes of the input are found by trying them."""
    return fix.title.startswith("an input of ")


def _names(help: str, told: Diagnostic, lost: set[str]) -> bool:
    """Whether a help says no more than a fix that was taken back."""
    return any(help == f"did you mean {title.removeprefix('write ')}?" for title in lost)


def _mending(trials: Trials, first: Diagnostic) -> list[Candidate]:
    """The candidates of the lowest rank that take the first error away and bring no other."""
    kept: list[Candidate] = []
    seen: set[Any] = set()
    slopes = Slopes(trials)
    for candidate in _candidates(trials, first):
        if kept and (candidate.rank > kept[0].rank or len(kept) >= ENOUGH):
            break
        if candidate.edit in seen or slopes.hopeless(candidate):
            continue
        seen.add(candidate.edit)
        result = trials.check((candidate.edit,), most=0 if len(trials.before) == 1 else 100)
        slopes.learn(candidate, result)
        if result is None:
            if trials.spent:
                break
        elif result.keys <= trials.before - {key(first)} or (candidate.guess and key(first) not in result.keys):
            kept.append(candidate)
    return kept


def _candidates(trials: Trials, first: Diagnostic) -> Iterator[Candidate]:
    """The candidates for an error, those of the lower ranks first."""
    assert first.span is not None
    source = first.span.source
    if first.code in SYNTAX:
        yield from _syntax(trials, source, first.span)
        return
    files = sorted(trials.files.values(), key=lambda file: file.span.source is not source)
    statements = [statement for file in files for statement in file.statements]
    yield from sorted(_of_values(first, files, statements), key=lambda candidate: candidate.rank)
    if first.code == "E301":
        asserted = [s for s in statements if isinstance(s, tree.Assertion) and s.span.start <= first.span.start]
        yield from wanted(asserted[-1], trials.run.failed)


def _of_values(first: Diagnostic, files: list[tree.File], statements: list[Any]) -> Iterator[Candidate]:
    assert first.span is not None
    at = first.span
    calls = around(files[0].statements, at)[:2]
    if first.code == "E130":
        for file in files:
            yield from definitions(file, at.text)
        yield from parameter_more(files[0], [at.text])
        yield from marks(at.source, pieces_of(at.source, *_line(at.source, at)), at.start)
    if first.code == "E146":
        known = {s.name.id for s in statements if isinstance(s, (tree.Block, tree.Function, tree.Constant))}
        for file in files:
            yield from parameter_more(file, open_names(file) - known - LAYERS.keys())
    if first.code in ("E120", "E121", "E145", "E146", "E203", "E122", "E123", "E202", "E225"):
        for call in calls:
            yield from without_argument(call)
    if first.code == "E125":
        for call in calls:
            if isinstance(call, tree.Join) and len(call.arms) == 1:
                yield from arm_more(call)
    if first.code == "E144":
        many = re.search(r"into ([0-9]+) value", first.message)
        if many:
            yield from rows(statements, int(many[1]))
    if first.code in VALUES:
        yield from unwrapped(statements)
    if first.code[:2] == "E2" or first.code in ("E301", "E165", *VALUES):
        yield from doubled(statements)
        yield from _numbers(first, statements, calls)
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
    for candidate in comment(source, at.start):
        yield candidate._replace(rank=1)


def _numbers(first: Diagnostic, statements: list[Any], calls: list[tree.Call | tree.Join]) -> Iterator[Candidate]:
    """Other numbers; those that the message tells of and those of the layer itself are the likelier."""
    found = literals(statements)
    known = known_numbers(found)
    told = {int(number.replace("_", "")) for number in re.findall(r"(?<![\w.])[0-9][0-9_]*(?![\w.])", first.message)}
    told |= {int(number) for number in re.findall(r"[0-9]+(?=x[0-9])|(?<=x)[0-9]+", first.message)}
    inside = calls[0].span if calls else None
    for node in found:
        for candidate in others(node, known):
            at, rank = candidate.edit.span, candidate.rank
            if inside is not None and inside.source is at.source and inside.start <= at.start < inside.end:
                rank = min(rank, 1)
            elif first.code != "E301" and candidate.number in told and isinstance(node, tree.Number):
                rank = min(rank, 1)
            yield candidate._replace(rank=rank)


class Slopes:
    """What is known of numbers that were tried: one that changes nothing of an error is no cause of it."""

    def __init__(self, trials: Trials) -> None:
        self._base = trials.check(())
        self._known: dict[Span, float | None] = {}  # how a number moves what the assertion measures; None: not at all

    def learn(self, candidate: Candidate, result: Result | None) -> None:
        """Keep what a trial has shown."""
        base = self._base
        if base is None or result is None or candidate.number == candidate.other or candidate.edit.span in self._known:
            return
        if result.errors and _alike(base, result):
            self._known[candidate.edit.span] = None
            return
        before, after = _measured(base), _measured(result)
        if before is not None and after is not None:
            self._known[candidate.edit.span] = (after[0] - before[0]) / (candidate.other - candidate.number)

    def hopeless(self, candidate: Candidate) -> bool:
        """Whether another number cannot do it, as far as the effect is about linear."""
        if candidate.edit.span not in self._known or candidate.number == candidate.other:
            return False
        slope = self._known[candidate.edit.span]
        base = _measured(self._base) if self._base is not None else None
        if slope is None or base is None:
            return True
        wanted, moved = base[1] - base[0], slope * (candidate.other - candidate.number)
        return not (wanted * moved > 0 and abs(wanted) / 5 <= abs(moved) <= abs(wanted) * 5)


def _measured(result: Result) -> tuple[float, float] | None:
    """What the first assertion that fails finds and wants, where both are numbers."""
    if len(result.errors) != 1 or result.errors[0].code != "E301" or not result.failed:
        return None
    numbers = [pair for pair in result.failed if all(isinstance(n, (int, float)) for n in pair)]
    return numbers[-1] if numbers else None


def _alike(a: Result, b: Result) -> bool:
    """Whether an edit has changed nothing of what is wrong."""
    return [(key(e), e.span) for e in a.errors] == [(key(e), e.span) for e in b.errors] and a.failed == b.failed


def _told(first: Diagnostic, mending: list[Candidate], trials: Trials) -> Diagnostic:
    """The error with the repairs as help, at the place that they agree on."""
    if not mending:
        return first
    best = mending[0]
    assert first.span is not None
    agreed = all(_meet(best.edit.span, other.edit.span) for other in mending[1:])
    fixes = tuple(Fix(c.title, (c.edit,)) for c in mending if not c.guess)[: 1 if first.code in SYNTAX else 2]
    fixes = tuple(f for f in fixes if all(f.edits != g.edits for g in first.fixes))
    told = replace(
        first,
        help=(*first.help, *(fix.title for fix in fixes if fix.title not in first.help)),
        fixes=(*first.fixes, *fixes),
    )
    if best.rank == 9 or not (agreed or first.code in SYNTAX) or _meet(best.edit.span, first.span):
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
    short = best.edit.text and len(best.edit.text) < 20 and not best.guess
    label = f"with {best.edit.text} here all is right" if short else ""
    note = f"it shows at {trials.run.where(told.span)}" + (f": {told.label}" if told.label else "")
    related = (shows, *told.related)
    return replace(told, span=at, label=label, notes=(note, *told.notes), related=related)
