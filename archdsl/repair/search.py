"""Which repairs are tried for which error, and which of them mend it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from archdsl.diagnostics import Diagnostic, Edit, Fix
from archdsl.elaborate.mentions import open_names
from archdsl.elaborate.place import Run
from archdsl.layers.registry import LAYERS
from archdsl.repair.brackets import brackets, unbalanced
from archdsl.repair.calls import argument_more, around, parameter_more, without_argument
from archdsl.repair.candidates import SYNTAX, Candidate, pieces_of, within
from archdsl.repair.marks import comment, marks, quotes, words
from archdsl.repair.names import alike, definitions
from archdsl.repair.slopes import Slopes
from archdsl.repair.steps import arm_more, doubled, empty_arm, exchanged, left_out, pooled, unused
from archdsl.repair.telling import sure, told_at
from archdsl.repair.trials import Elaborate, Trials, key
from archdsl.repair.values import (
    COMMON,
    LAST,
    SMALL,
    counts,
    known_numbers,
    literals,
    nodes,
    operators,
    others,
    rows,
    series,
    unwrapped,
    wanted,
)
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span

ENOUGH = 4  # repairs that are looked for
VALUES = ("E120", "E121", "E122", "E136", "E140", "E141", "E143", "E144", "E147")
LONGEST = 4_000  # characters of a stretch that does not parse, for which repairs are looked for


def repair(run: Run, file: tree.File, closed: Mapping[str, int], elaborate: Elaborate) -> None:
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
    mending = [] if first.code in SYNTAX and first.fixes else _mending(trials, first)
    if mending and len(errors) > 1 and first.code not in SYNTAX and not mending[0].guess:
        first = _one_for_all(run, trials, first)
    said = _without(errors[0], first.fixes, all=True).help if mending else first.help
    found[found.index(first)] = told_at(replace(first, help=said), mending, trials)


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
    slopes = Slopes(trials)
    for candidate in _candidates(trials, first):
        if kept and (candidate.rank > kept[0].rank or len(kept) >= ENOUGH):
            break
        if candidate.edit in seen or slopes.hopeless(candidate):
            continue
        seen.add(candidate.edit)
        most = 0 if trials.before.total() == 1 else 100
        result = trials.check((candidate.edit,), most=most, last=candidate.rank == LAST)
        slopes.learn(candidate, result)
        if result is None:
            continue
        gone = candidate.guess and all(code != first.code for code, _ in result.keys)
        if gone or not result.errors:
            if first.code not in SYNTAX or trials.parses(candidate.edit):
                kept.append(candidate)
        elif all(code in SYNTAX for code in (first.code, *(code for code, _ in result.keys))) and (
            not trials.joined and result.keys <= trials.before - Counter([key(first)])
        ):
            partly.append(candidate)
    return kept or [candidate for candidate in partly if candidate.rank == partly[0].rank][:ENOUGH]


def _candidates(trials: Trials, first: Diagnostic) -> Iterator[Candidate]:
    """The candidates for an error, those of the lower ranks first."""
    assert first.span is not None
    source = first.span.source
    if first.code in SYNTAX:
        yield from _syntax(trials, source, first.span)
        return
    files = sorted(trials.files.values(), key=lambda file: file.span.source is not source)
    statements = [statement for file in files for statement in file.statements]
    held = any(isinstance(statement, tree.Assertion) for statement in statements)
    passed_on = first.span.text.isidentifier() and first.span.text not in LAYERS
    if first.code[:2] == "E2" and first.fixes and not held and not passed_on:
        yield from _striking(files)
        return  # the layer itself can be mended, and nothing else speaks for another place
    far = _distance(first, around(files[0].statements, first.span)[:1])
    for candidate in sorted(_of_values(first, files, statements), key=lambda c: (c.rank, far(c))):
        if held or candidate.rank <= (1 if first.fixes else 2):  # what is unlikely needs an assertion that tells
            yield candidate
    if first.code == "E301":
        asserted = [s for s in statements if isinstance(s, tree.Assertion) and s.span.start <= first.span.start]
        yield from wanted(asserted[-1], trials.run.failed)


def _distance(first: Diagnostic, calls: list[tree.Call | tree.Join]) -> Callable[[Candidate], int]:
    """How far a candidate is from an error of a layer: in its call or the one that it came by, its file, elsewhere."""
    near = [*(call.span for call in calls), *(related.span for related in first.related if related.text[:3] == "in ")]

    def distance(candidate: Candidate) -> int:
        at = candidate.edit.span
        if first.code == "E301" or first.span is None:
            return 0
        return 0 if any(within(at, span) for span in near) else 1 if at.source is first.span.source else 2

    return distance


def _striking(files: list[tree.File]) -> Iterator[Candidate]:
    """What is a likely slip wherever it stands: a batch in the input, a number such as 22 for 2."""
    for literal in literals(s for file in files for s in file.statements if isinstance(s, tree.Input)):
        if isinstance(literal, tree.ShapeLiteral) and len(literal.sizes) == 4 and literal.sizes[0] == 1:
            text = literal.span.text.split("x", 1)[1]
            yield Candidate(Edit(literal.span, text), f"write {text}: the batch is not written")
    numbers = [node for node in literals(files[0].statements) if isinstance(node, tree.Number)]
    for node in numbers:
        if node.value > SMALL and len(set(str(node.value))) == 1 and node.value not in COMMON:
            yield from others(node, known_numbers(numbers))


def _of_values(first: Diagnostic, files: list[tree.File], statements: list[Any]) -> Iterator[Candidate]:
    assert first.span is not None
    at = first.span
    calls = around(files[0].statements, at)[:2]
    passed = [related.span for related in first.related if related.text.startswith("in ")][:1]
    if first.code in ("E130", "E161"):
        for file in files:
            yield from definitions(file, at.text)
        if not first.fixes:
            yield from alike(files, at)
            yield from parameter_more(files[0], [at.text])
            yield from marks(at.source, pieces_of(at.source, *_line(at.source, at)), at.start)
    if first.code == "E146":
        known = {s.name.id for s in statements if isinstance(s, (tree.Block, tree.Function, tree.Constant))}
        for file in files:
            yield from parameter_more(file, open_names(file) - known - LAYERS.keys())
    named = first.code == "E120" and first.fixes  # its arguments have names, and none is one too many
    if not named and first.code in ("E120", "E121", "E145", "E146", "E203", "E122", "E202", "E225"):
        for call in calls:
            yield from without_argument(call, 0 if first.code in ("E120", "E121", "E145", "E146", "E203") else 2)
    if first.code == "E125":
        for call in calls:
            if isinstance(call, tree.Join) and len(call.arms) == 1:
                yield from arm_more(call)
    if first.code == "E144":
        many = re.search(r"into ([0-9]+) value", first.message)
        if many:
            yield from rows(statements, int(many[1]))
    if first.code in VALUES:
        yield from unwrapped(statements, first.message)
    if first.code == "E160":
        yield from series(statements)
    if first.code == "E301":
        yield from pooled(statements)
        yield from unused(statements)
    if first.code == "E301" and not re.search(r", not (?![!<>])", first.message):
        return  # any change would make what is only not to be
    if first.code[:2] == "E2" or first.code in ("E301", "E165", *VALUES):
        yield from counts(statements)
        yield from doubled(statements)
        yield from empty_arm(statements)
        yield from series(statements)
        yield from _numbers(first, statements, [*(call.span for call in calls[:1]), *passed])
        yield from argument_more(statements, calls[:1])
        if first.code in ("E220", "E221", "E222"):
            for join in calls[:1]:
                for call in nodes([join]):
                    if isinstance(call, tree.Call) and len(call.arguments) > 2:
                        yield from list(without_argument(call, 2))[:1]
        yield from exchanged(statements)
        yield from operators(statements, fraction=bool(re.search(r"not [0-9]*\.[0-9]", first.message)))
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
    stretches = trials.files[source].broken
    behind = [pieces_of(*span) for span in stretches if span.start > piece.start]
    if behind and any(any(unbalanced(part)) for part in (pieces, *behind)):
        piece = trials.join(source, piece)
        pieces = pieces_of(source, piece.start, piece.end)
    if not pieces:
        return
    yield from words(source, pieces, at.start)
    yield from quotes(source, at.start)
    yield from brackets(source, pieces)
    yield from marks(source, pieces, at.start)
    for candidate in comment(source, at.start):
        yield candidate._replace(rank=1)


def _numbers(first: Diagnostic, statements: list[Any], calls: list[Span]) -> Iterator[Candidate]:
    """Other numbers; those that the message tells of, those of the layer and of its call are the likelier."""
    found = literals(statements)
    held = [node for s in statements if isinstance(s, tree.Assertion) for node in nodes([s])]
    known = known_numbers([*found, *(node for node in held if isinstance(node, (tree.Number, tree.ShapeLiteral)))])
    told = {int(number.replace("_", "")) for number in re.findall(r"(?<![\w.])[0-9][0-9_]*(?![\w.])", first.message)}
    told |= {int(number) for number in re.findall(r"[0-9]+(?=x[0-9])|(?<=x)[0-9]+", first.message)}
    values = Counter(node.value for node in found if isinstance(node, tree.Number))
    found.sort(key=lambda node: values[node.value] if isinstance(node, tree.Number) and node.value in told else 999)
    for node in found:
        for candidate in others(node, known):
            at, rank = candidate.edit.span, candidate.rank
            if any(span.source is at.source and span.start <= at.start < span.end for span in calls):
                rank = min(rank, 1) if rank < 4 else rank
            elif first.code != "E301" and candidate.number in told - {1, 2} and isinstance(node, tree.Number):
                rank = min(rank, 1) if rank < 4 else rank
            yield candidate._replace(rank=rank)
