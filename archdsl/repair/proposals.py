"""Which repairs are tried for which error, the likeliest first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic, Edit
from archdsl.elaborate.mentions import open_names
from archdsl.layers.registry import LAYERS
from archdsl.repair.calls import (
    apart,
    argument_more,
    around,
    by_name,
    parameter_more,
    surplus,
    without_argument,
    without_last,
)
from archdsl.repair.candidates import SYNTAX, Candidate, lines_of, pieces_of, within
from archdsl.repair.conventions import conventional, unusual
from archdsl.repair.habits import Habits
from archdsl.repair.lost import arguments_left, left_behind, reckoned
from archdsl.repair.marks import marks
from archdsl.repair.more import adapters, holes, step_more
from archdsl.repair.names import alike, definitions, label_more, label_other, of_the_language, target_more
from archdsl.repair.oddities import empty_beside, narrowed, odd, sized
from archdsl.repair.parsing import of_syntax
from archdsl.repair.readings import arms_apart, label_before, label_meant, labels_apart, lines_apart, products
from archdsl.repair.slopes import Slopes
from archdsl.repair.steps import arm_more, doubled, empty_arm, exchanged, left_out, pooled, unused
from archdsl.repair.tables import odd_kinds, odd_rows, rows, series
from archdsl.repair.trials import Trials
from archdsl.repair.values import (
    COMMON,
    LARGEST,
    LAST,
    SMALL,
    attributes,
    counts,
    known_numbers,
    literals,
    nodes,
    odd_shapes,
    operators,
    orders,
    others,
    unwrapped,
    wanted,
)
from archdsl.repair.widths import widths
from archdsl.syntax import tree
from archdsl.syntax.source import Span

VALUES = ("E120", "E121", "E122", "E136", "E140", "E141", "E143", "E144", "E147")
MOST_NODES = 4_000  # parts of the files that are looked at, those nearest to the error; specs by hand have fewer
MOST = 10_000  # candidates that are put in order


def candidates_for(trials: Trials, first: Diagnostic, slopes: Slopes) -> Iterator[Candidate]:
    """The candidates for an error, those of the lower ranks first."""
    assert first.span is not None
    source = first.span.source
    if first.code in SYNTAX:
        yield from of_syntax(trials, source, first.span, first.code == "E101" or "without a name" in first.message)
        return
    files = list(_nearest(trials, first.span))
    statements = [statement for file in files for statement in file.statements]
    held = any(isinstance(statement, tree.Assertion) for statement in statements)
    if first.code[:2] == "E2" or first.code in VALUES or _tells(first):
        yield from unusual(statements)
        yield from odd(statements)
    if first.code == "E301":
        yield from sized(statements, trials.run.failed)
    passed_on = first.span.text.isidentifier() and first.span.text not in LAYERS
    if first.code[:2] == "E2" and first.fixes and not held and not passed_on:
        yield from left_behind(statements)
        for home in _homes(first, statements):
            yield from step_more(statements, home)
        yield from _striking(files)
        if all(edit.text for fix in first.fixes for edit in fix.edits):  # nothing is one too many
            yield from _of_call(first, files)
        return  # the layer itself can be mended, and nothing else speaks for another place
    if first.code[:2] == "E2":
        yield from (candidate for candidate in _striking(files) if not candidate.number and not candidate.other)
    missing = slopes.missing() if _tells(first) and "params" in first.message else None
    if missing is not None:
        yield from reckoned(statements, *missing)
        yield from widths(trials, statements)
    far = _distance(first, around(files[0].statements, first.span)[:1])
    habits = Habits(statements)
    ranked = filter(None, map(slopes.ranked, _of_values(first, files, statements)))
    usual = set(map(conventional, (node for node in nodes(statements) if isinstance(node, tree.Parameter))))
    kept = (c._replace(rank=max(c.rank, 3)) if c.edit.span in usual else c for c in ranked)
    found = _in_turns(islice(map(habits.weighed, kept), MOST))
    for candidate, _ in sorted(found, key=lambda pair: (pair[0].rank, far(pair[0]), -pair[0].gain, pair[1])):
        if held or candidate.rank <= (1 if first.fixes else 2):  # what is unlikely needs an assertion that tells
            yield candidate
    if first.code == "E301":
        asserted = [s for s in statements if isinstance(s, tree.Assertion) and s.span.start <= first.span.start]
        equal = (pair for pair in slopes.failed if pair[0] == pair[1])  # whatever the open sizes are
        yield from wanted(asserted[-1], trials.run.failed or equal)


def _homes(first: Diagnostic, statements: list[Any]) -> list[Span]:
    """The blocks that an error and what arrives there came through, the innermost first."""
    way = [first.span, *(related.span for related in first.related)]
    blocks = [s.span for s in statements if isinstance(s, tree.Block)]
    return list(dict.fromkeys(block for at in way if at is not None for block in blocks if within(at, block)))


def _unless_far(candidate: Candidate, homes: list[Span], first: Diagnostic) -> Candidate:
    """The candidate, of a lower rank where a misfit did not come through the block that it changes."""
    near = not homes or first.code[:2] != "E2" or any(within(candidate.edit.span, home) for home in homes)
    return candidate if near else candidate._replace(rank=max(candidate.rank, 2))


def _tells(first: Diagnostic) -> bool:
    """Whether an assertion says what is to be, and not only what is not."""
    return first.code == "E301" and bool(re.search(r", not (?![!<>])", first.message))


def _nearest(trials: Trials, at: Span) -> Iterator[tree.File]:
    """The files with the statements that are nearest to an error, that of the error first; all, unless they are many.

    Where nothing more may be tried these are the assertions alone, whose own values are told all the same.
    """
    left = asserted = MOST_NODES
    for file in sorted(trials.files.values(), key=lambda file: file.span.source is not at.source):
        kept = []
        for s in sorted(file.statements, key=lambda s: max(s.span.start - at.start, at.start - s.span.end, 0)):
            if isinstance(s, tree.Assertion):
                asserted -= sum(1 for _ in islice(nodes([s]), max(asserted, 0) + 1))
                if asserted < 0:
                    continue
            else:
                left -= MOST_NODES if trials.spent else sum(1 for _ in islice(nodes([s]), left + 1))
            if left < 0:
                break
            kept.append(s)
        yield file._replace(statements=tuple(sorted(kept, key=lambda s: s.span.start)))


def _in_turns(candidates: Iterable[Candidate]) -> Iterator[tuple[Candidate, int]]:
    """Each with its turn: two of each place come before the third of any, as the first are the likeliest."""
    seen: Counter[Span] = Counter()
    for candidate in candidates:
        yield candidate, seen[candidate.edit.span] // 2
        seen[candidate.edit.span] += 1


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
        elif isinstance(literal, tree.ShapeLiteral):
            yield from odd_shapes(literal)
    numbers = [node for node in literals(files[0].statements) if isinstance(node, tree.Number)]
    known = known_numbers(numbers)
    for node in numbers:
        if SMALL < node.value <= LARGEST and len(set(str(node.value))) == 1 and node.value not in COMMON:
            yield from others(node, known)


def _of_call(first: Diagnostic, files: list[tree.File]) -> Iterator[Candidate]:
    """Other numbers in the call of the layer at fault, else in the call of the block that it came by."""
    statements = [statement for file in files for statement in file.statements]
    calls = [call.span for call in around(files[0].statements, first.span)[:1]] if first.span is not None else []
    passed = [related.span for related in first.related if related.text.startswith("in ")][:1]
    for span in (*calls, *passed):
        found = [node for node in literals(statements) if within(node.span, span)]
        if found:
            known = known_numbers(literals(statements))
            yield from (candidate._replace(rank=2) for node in found for candidate in others(node, known))
            return


def _of_values(first: Diagnostic, files: list[tree.File], statements: list[Any]) -> Iterator[Candidate]:
    assert first.span is not None
    at = first.span
    calls = around(files[0].statements, at)[:2]
    passed = [related.span for related in first.related if related.text.startswith("in ")][:1]
    source = [related.span for related in first.related if " comes from " in related.text]
    passed += [call.span for span in source for call in around(statements, span)[:1] if call.span.start == span.start]
    home = _homes(first, statements)
    if first.code[:2] == "E2" or first.code in ("E301", "E145", "E120", "E121", *VALUES):
        yield from arguments_left(statements)
    if first.code in ("E130", "E161", "E182"):
        yield from definitions(files, at, at.text)
        yield from label_before(at)
        if first.code != "E182" and not first.fixes:
            yield from alike(files, at)
            yield from parameter_more(files[0], [at.text])
            if at.source.text[at.start - 1 : at.start] != "*":  # a count may stay open
                found = marks(at.source, pieces_of(at.source, *lines_of(at.source, at.start, at.end)), at.start)
                yield from (candidate for candidate in found if candidate.edit.text.strip() != "*")
    if first.code == "E146":
        yield from apart(statements)
        for file in files:
            for candidate in parameter_more(file, open_names(file) - _known(statements)):
                yield candidate._replace(rank=-1)
    named = first.code == "E120" and first.fixes  # its arguments have names, and none is one too many
    if not named and first.code in ("E120", "E121", "E145", "E146", "E203", "E122", "E202", "E225"):
        for call in calls:
            if first.code == "E203" and not (call.arguments and isinstance(call.arguments[0].value, tree.Number)):
                continue
            yield from without_argument(call, 0 if first.code in ("E120", "E121", "E145", "E146", "E203") else 2)
    if first.code[:2] == "E2" or first.code in VALUES:
        for call in calls[:1]:
            yield from by_name(call)
    if first.code == "E154":
        yield from empty_arm(statements)
    if first.code in ("E140", "E142", "E145", "E146"):
        held = [call for call in nodes(statements) if isinstance(call, tree.Call) and call.span in passed]
        for call in calls[:1] if first.code != "E142" else held:
            yield from without_last(call)
            if first.code == "E142":
                yield from without_argument(call, 0)
    if first.code == "E125":
        yield from empty_arm(calls)
        yield from labels_apart(calls)
        for call in calls:
            if isinstance(call, tree.Join) and len(call.arms) == 1:
                yield from arms_apart(call)
                yield from arm_more(call)
    if first.code == "E301" or first.code[:2] == "E2":
        yield from lines_apart(statements)
        yield from label_meant(statements, None)
    if first.code == "E140":
        yield from label_meant(statements, at)
        yield from products(statements, at)
    if first.code == "E142":
        yield from attributes(statements, at)
        for file in files:
            yield from parameter_more(file, open_names(file) - _known(statements))
    if first.code == "E144":
        many = re.search(r"into ([0-9]+) value", first.message)
        if many:
            yield from rows(statements, int(many[1]))
    if first.code in (*VALUES, "E130", "E142", "E163"):
        yield from odd_rows(statements)
        yield from odd_kinds(statements)
        if not first.fixes:
            yield from target_more(statements, at.text if first.code == "E130" else "")
    if first.code in VALUES:
        for file in files:
            yield from parameter_more(file, open_names(file) - _known(statements))
        for candidate in unwrapped(statements, first.message):
            own = any(within(candidate.edit.span, span) for span in (*(call.span for call in calls[:1]), *passed))
            text = candidate.edit.span.text
            told = text in first.message and (own or text[0] == '"')
            yield candidate._replace(rank=-2) if told else candidate
    if first.code == "E160":
        yield from series(statements)
        yield from label_more(statements, at)
    if first.code == "E161":
        yield from label_other(statements, at.text)
    if first.code == "E301" and not _tells(first):
        return  # any change would make what is only not to be
    if first.code == "E301":
        yield from pooled(statements)
        yield from unused(statements)
        yield from empty_beside(statements)
        yield from narrowed(statements)
        yield from holes(statements)
        for candidate in step_more(statements, None):
            yield candidate._replace(rank=1 if candidate.rank <= 0 else 3)
        blocks = [s for s in statements if isinstance(s, tree.Block)]
        needed = {s.name.id: sum(p.default is None for p in s.parameters) for s in blocks}
        for call in nodes(statements):
            if isinstance(call, tree.Call) and call.name.id not in LAYERS:
                loose = [argument for argument in call.arguments if not argument.name]
                if len(loose) > needed.get(call.name.id, 0):
                    yield from surplus(call)
    if first.code == "E131":  # weights hang on an open size where the channels are left out
        inputs = (node for node in literals(statements) if isinstance(node, tree.ShapeLiteral))
        yield from (candidate for node in inputs for candidate in others(node, frozenset()))
    if first.code == "E140":
        yield from orders(statements, at)
    if first.code[:2] == "E2" or first.code in ("E301", "E165", *VALUES):
        yield from (_unless_far(candidate, home, first) for candidate in left_behind(statements))
        yield from counts(statements)
        yield from doubled(statements)
        yield from empty_arm(statements)
        yield from series(statements)
        yield from _numbers(first, statements, [*(call.span for call in calls[:1]), *passed], home)
        yield from argument_more(statements, calls[:1])
        if first.code in ("E220", "E221", "E222"):
            for join in calls[:1]:
                inner = [call for call in nodes([join]) if isinstance(call, tree.Call) and call.arguments]
                for call in inner:
                    yield from surplus(call)
                yield from argument_more(statements, inner)
                yield from step_more(statements, join.span, [join.span])
        if first.code in ("E205", "E220", "E221"):
            way = [at, *(related.span for related in first.related if related.text[:3] == "in ")]
            yield from step_more([s for s in statements if isinstance(s, tree.Chain)], None, way)
        if first.code in ("E205", "E225", "E122"):
            for span in home:
                yield from step_more(statements, span)
        if first.code == "E224":
            yield from adapters(statements, at)
        around_it = [at, *(related.span for related in first.related if related.text[:3] == "in ")]
        for candidate in exchanged(statements):
            span = candidate.edit.span
            close = any(within(place, span) for place in around_it) or any(within(span, c.span) for c in calls[:1])
            if close and first.code != "E301":
                candidate = candidate._replace(rank=min(candidate.rank, 1))
            yield candidate if close else _unless_far(candidate, home, first)
        fraction = bool(re.search(r"not [0-9]*\.[0-9]", first.message))
        truth = first.code in VALUES and bool(re.search(r"\b(true|false)\b", first.message))
        for candidate in operators(statements, fraction=fraction, truth=truth):
            near_by = any(within(candidate.edit.span, span) for span in (*(call.span for call in calls[:1]), *passed))
            here = any(within(candidate.edit.span, span) for span in home)
            if first.code == "E301" and candidate.rank == 2:  # the contrary of a condition, of which there are few
                near_by = True
            end = candidate.edit.span.end
            odd = re.match(r"[1357]\b", candidate.edit.span.source.text[end : end + 2])  # as kernels are
            if first.code == "E203" and near_by and odd and candidate.edit.text == ", ":
                candidate = candidate._replace(rank=-1)
            yield candidate._replace(rank=min(candidate.rank, 1 if near_by else 2 if here else LAST))
        yield from left_out(statements)


def _known(statements: list[Any]) -> set[str]:
    """The names that a file defines, and those of the language."""
    known = {s.name.id for s in statements if isinstance(s, (tree.Block, tree.Function, tree.Constant))}
    return known | of_the_language()


def _numbers(first: Diagnostic, statements: list[Any], calls: list[Span], home: list[Span]) -> Iterator[Candidate]:
    """Other numbers; those that the message tells of, those of the layer and of its call are the likelier.

    Behind them come those of its block, which is `home`.
    """
    found = literals(statements)
    held = [node for s in statements if isinstance(s, tree.Assertion) for node in nodes([s])]
    known = known_numbers([*found, *(node for node in held if isinstance(node, (tree.Number, tree.ShapeLiteral)))])
    told = {int(number.replace("_", "")) for number in re.findall(r"(?<![\w.])[0-9][0-9_]*(?![\w.])", first.message)}
    told |= {int(number) for number in re.findall(r"[0-9]+(?=x[0-9])|(?<=x)[0-9]+", first.message)}
    few = told if first.code == "E203" else told - {1, 2}  # numbers that stand everywhere say nothing
    values = Counter(node.value for node in found if isinstance(node, tree.Number))
    found.sort(key=lambda node: values[node.value] if isinstance(node, tree.Number) and node.value in told else 999)
    for node in found:
        for candidate in others(node, known):
            at, rank = candidate.edit.span, candidate.rank
            if any(span.source is at.source and span.start <= at.start < span.end for span in calls):
                rank = min(rank, -1 if first.code in VALUES and candidate.number in told else 1) if rank < 4 else rank
            elif first.code != "E301" and candidate.number in few and isinstance(node, tree.Number):
                rank = min(rank, 1) if rank < 4 else rank
            elif first.code != "E301" and any(within(at, span) for span in home):
                rank = min(rank, 2) if rank < 4 else rank
            yield candidate._replace(rank=rank)
