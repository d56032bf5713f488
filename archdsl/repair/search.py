"""Which repairs mend an error."""

from __future__ import annotations

from collections import Counter

from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic, Fix
from archdsl.elaborate.place import Run
from archdsl.records import replace
from archdsl.repair.candidates import SYNTAX, Candidate, within
from archdsl.repair.parsing import early
from archdsl.repair.proposals import candidates_for
from archdsl.repair.slopes import Slopes
from archdsl.repair.telling import sure, told_at
from archdsl.repair.trials import Closed, Elaborate, Trials, key
from archdsl.repair.values import LAST
from archdsl.syntax import tree
from archdsl.syntax.source import Span

ENOUGH = 4  # repairs that are looked for
IDLE = 16  # steps put in at one place that change nothing of an error


def repair(run: Run, file: tree.File, closed: Closed, elaborate: Elaborate) -> None:
    """Try the fixes that errors offer, and look for others of the first error."""
    trials = Trials(run, file, closed, elaborate)
    found = run.findings.found
    errors = run.findings.errors
    for told in errors[:3]:
        kept = tuple(fix for fix in told.fixes if sure(fix) or _outside(fix, trials) or trials.mends(fix.edits, told))
        if kept != told.fixes:
            found[found.index(told)] = _without(told, kept, all=told.code.startswith("E2"))
    first = run.findings.errors[0]
    if first.span is None or first.span.source not in trials.files:
        return
    before = errors[0]
    if first.code not in SYNTAX and (unclosed := _unclosed(first, trials)) is not None:
        first = before = unclosed
    mending = [] if first.code in SYNTAX and first.fixes else _mending(trials, first)
    if mending and len(errors) > 1 and first.code not in SYNTAX and not mending[0].guess:
        first = _one_for_all(run, trials, first)
    said = _without(before, first.fixes, all=True).help if mending else first.help
    found[found.index(first)] = told_at(replace(first, help=said), mending, trials)


def _unclosed(first: Diagnostic, trials: Trials) -> Diagnostic | None:
    """The error of a bracket that was to close what holds the first error, put before it: that is no longer sure."""
    findings = trials.run.findings
    for told in findings.errors[1:]:
        if first.span is None or told.span is None or told.code not in SYNTAX or told.span.source not in trials.files:
            continue
        held = early(trials, told.span.source, told.span)
        if held is not None and within(first.span, held):
            findings.found.remove(told)
            findings.found.insert(findings.found.index(first), told)
            return told
    return None


def _one_for_all(run: Run, trials: Trials, first: Diagnostic) -> Diagnostic:
    """The first error where one edit mends all: what mends one error alone is offered no more."""
    found = run.findings.found
    for told in run.findings.errors:
        kept = tuple(f for f in told.fixes if told is first and not _errors_left(trials, f))
        help = tuple(text for text in told.help if not text.startswith("did you mean "))
        less = replace(_without(told, kept, all=True), help=help)
        found[found.index(told)] = less
        first = less if told is first else first
    return first


def _errors_left(trials: Trials, fix: Fix) -> bool:
    result = trials.check(fix.edits)
    return result is None or bool(result.errors)


def _without(told: Diagnostic, kept: tuple[Fix, ...], *, all: bool) -> Diagnostic:
    """An error without the fixes that do not mend it; with `all` without what says the same in words."""
    lost = {fix.title for fix in told.fixes if fix not in kept}
    rest = tuple(help for help in told.help if not all or (help not in lost and not _names(help, lost)))
    return replace(told, fixes=kept, help=rest)


def _outside(fix: Fix, trials: Trials) -> bool:
    """Whether it mends what was given on the command line, and no file."""
    return any(edit.span.source not in trials.files for edit in fix.edits)


def _names(help: str, lost: set[str]) -> bool:
    """Whether a help says no more than a fix that was taken back."""
    return any(help == f"did you mean {title.removeprefix('write ')}?" for title in lost)


def _mending(trials: Trials, first: Diagnostic) -> list[Candidate]:
    """The candidates of the lowest rank that leave no error; else those that take the first one away and bring none."""
    kept: list[Candidate] = []
    partly: list[Candidate] = []  # of two faults of syntax, which are told apart, one is mended
    seen: set[Any] = set()
    idle = Counter[Span]()  # by the place where something was put in, how often that changed nothing
    slopes = Slopes(trials)
    more = True  # whether one that is as good as certain may be tried when all is spent
    for candidate in candidates_for(trials, first, slopes):
        if kept and (candidate.rank > kept[0].rank or len(kept) >= ENOUGH):
            break
        last = candidate.rank == LAST or (candidate.rank < 0 and more)
        if trials.spent and not last:
            if first.code in SYNTAX:
                break
            continue
        if candidate.edit in seen or slopes.hopeless(candidate):
            continue
        if candidate.number != candidate.other and any(one.edit.span == candidate.edit.span for one in kept):
            continue  # one number more for the same place tells nothing
        at = candidate.edit.span
        if at.start == at.end and idle[at] >= IDLE and candidate.rank >= 0:
            continue  # whatever was put in here has changed nothing
        seen.add(candidate.edit)
        most = 0 if trials.before.total() == 1 else 100
        more = more and not trials.spent
        result = trials.check((candidate.edit,), most=most, last=last)
        slopes.learn(candidate, result)
        if result is None:
            continue
        idle[at] += slopes.unchanged(result)
        gone = candidate.guess and all(code != first.code for code, _ in result.keys)
        gone |= candidate.near and slopes.nearer(result)
        if gone or not result.errors:
            if first.code not in SYNTAX or trials.parses(candidate.edit):
                kept.append(candidate)
        elif all(code in SYNTAX for code in (first.code, *(code for code, _ in result.keys))) and (
            not trials.joined and result.keys <= trials.before - Counter([key(first)])
        ):
            partly.append(candidate)
    return kept or [candidate for candidate in partly if candidate.rank == partly[0].rank][:ENOUGH]
