"""What stands alone in how it is written, or what an assertion of a size tells to a letter.

An operator where the same two values stand with another one elsewhere, two maps that are the same with nothing
between them, an arm that ends as the arms beside it begin, a comma between the steps of one, an empty arm beside one
that weighs; and an operator of constants, or a width more, with which a size is what an assertion wants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.repair.candidates import Candidate, pieces_of, replaced
from archdsl.repair.gaps import bare, head
from archdsl.repair.values import LARGEST, nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

ODD = -2  # the rank of what stands alone, behind what is unusual everywhere
_MOST = 12  # candidates of a kind
_LONGEST = 100  # characters of an expression
_MAPS = frozenset(("CONV", "LINEAR", "FC", "UPCONV"))
_OPERATORS = ("+", "-", "*", "//")
_LARGEST_PART = 10**6  # of the numbers of an expression


def odd(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Edits after which what stands alone is like the rest."""
    statements = [s for s in statements if not isinstance(s, tree.Assertion)]
    every = list(nodes(statements))
    for found in (_operators(every), _doubled(every), _begun_alike(every), _one_arm(every)):
        for _, candidate in zip(range(_MOST), found):
            yield candidate._replace(rank=ODD)


def _operators(every: list[Any]) -> Iterator[Candidate]:
    """The operator that two values have at least twice elsewhere, where they have another one once."""
    found = [node for node in every if isinstance(node, tree.Binary) and _short(node)]
    found = [node for node in found if _gap(node).text.strip() == node.operator]
    often: dict[tuple[str, str], Counter[str]] = {}
    for node in found:
        often.setdefault((node.left.span.text, node.right.span.text), Counter())[node.operator] += 1
    for node in found:
        have = often[node.left.span.text, node.right.span.text]
        other, times = have.most_common(1)[0]
        if have[node.operator] == 1 and times > 1:
            title = f"write {other} instead of {node.operator}, as elsewhere"
            yield Candidate(Edit(_gap(node), _gap(node).text.replace(node.operator, other)), title)


def _short(node: tree.Binary) -> bool:
    """Whether an expression is none that only a program writes."""
    return node.span.end - node.span.start <= _LONGEST


def _gap(node: tree.Binary) -> Span:
    """What stands between two values."""
    return Span(node.span.source, node.left.span.end, node.right.span.start)


def _doubled(every: list[Any]) -> Iterator[Candidate]:
    """A map that is the same as the one before, with nothing between them, left out."""
    for chain in (node for node in every if isinstance(node, tree.Chain)):
        for a, b in pairwise(chain.steps):
            if head(a) in _MAPS and bare(a).span.text == bare(b).span.text:
                at = Span(a.span.source, a.span.end, b.span.end)
                yield Candidate(Edit(at, ""), f"take one {b.span.text[:40]} out")


def _begun_alike(every: list[Any]) -> Iterator[Candidate]:
    """The two steps of an arm the other way round, where the second is one that another arm begins with."""
    for join in (node for node in every if isinstance(node, tree.Join)):
        arms = [line.steps for line in _single(join)]
        first = Counter(head(steps[0]) for steps in arms)
        for steps in (steps for steps in arms if len(steps) == 2):
            a, b = steps
            if head(a) != head(b) and first[head(b)] and first[head(a)] == 1 and head(b).isupper():
                whole = Span(a.span.source, a.span.start, b.span.end)
                between = whole.text[a.span.end - whole.start : b.span.start - whole.start]
                title = f"write {b.span.text[:40]} before {a.span.text[:40]}, as in the arm beside it"
                yield Candidate(Edit(whole, f"{b.span.text}{between}{a.span.text}"), title)


def _single(join: tree.Join) -> list[tree.Chain]:
    """The chains of the arms of a join that have one line."""
    lines = [arm.lines[0] for arm in join.arms if len(arm.lines) == 1]
    return [line for line in lines if isinstance(line, tree.Chain) and line.steps]


def _one_arm(every: list[Any]) -> Iterator[Candidate]:
    """A `|` instead of the comma between two steps of an arm."""
    arms = (arm for node in every if isinstance(node, tree.Join) for arm in node.arms)
    for line in (line for arm in arms for line in arm.lines if isinstance(line, tree.Chain)):
        for a, b in pairwise(line.steps):
            between = pieces_of(a.span.source, a.span.end, b.span.start)
            if [piece.text for piece in between] == [","]:
                yield replaced(a.span.source, between[0], " |")._replace(title="write | instead of the comma")


def empty_beside(statements: Iterable[Any]) -> Iterator[Candidate]:
    """An arm before the first `|` of two, which is empty, filled like the one beside it: something is missing there."""
    for join in (node for node in nodes(statements) if isinstance(node, tree.Join)):
        if len(join.arms) != 2 or join.arms[0].lines or not join.arms[1].lines:
            continue
        arm = join.arms[1].span
        bar = join.span.source.text.rfind("|", join.span.start, arm.start)
        if bar >= 0:
            at = Span(join.span.source, bar, bar)
            title = f"something like {' '.join(arm.text.split())[:60]} is missing before |"
            place = Span(join.span.source, bar, bar + 1)
            yield Candidate(Edit(at, f"{arm.text} "), title, guess=True, rank=0, place=place)


def narrowed(statements: Iterable[Any]) -> Iterator[Candidate]:
    """A map to half or a quarter of the width before the only one of an arm of an ADD, as residuals most often have."""
    joins = [node for node in nodes(statements) if isinstance(node, tree.Join) and node.name.id == "ADD"]
    calls = [bare(line.steps[0]) for join in joins for line in _single(join) if len(line.steps) == 1]
    for call in [call for call in calls if isinstance(call, tree.Call) and call.arguments][:_MOST]:
        width = call.arguments[0]
        if isinstance(width.value, tree.Name) and not width.name:
            at = Span(call.span.source, call.span.start, call.span.start)
            for part in (2, 4):
                text = f"{call.name.id}({width.span.text}//{part}, 1)"
                yield Candidate(Edit(at, f"{text} - "), f"write {text} before {call.span.text}", rank=-1)


def sized(statements: Iterable[Any], failed: Iterable[tuple[Any, Any]]) -> Iterator[Candidate]:
    """What makes a size that is found the one that is wanted: another operator of constants, a width more."""
    statements = [s for s in statements if not isinstance(s, tree.Assertion)]
    values = {
        s.name.id: s.value.value
        for s in statements
        if isinstance(s, tree.Constant) and isinstance(s.value, tree.Number) and isinstance(s.value.value, int)
    }
    wanted = set()
    for found, meant in failed:
        if isinstance(found, tuple) and isinstance(meant, tuple) and len(found) == len(meant):
            differ = [(a, b) for a, b in zip(found, meant) if a != b]
            wanted |= set(differ) if len(differ) == 1 else set()
    wanted = {pair for pair in wanted if all(isinstance(n, int) and 0 < n < LARGEST for n in pair)}
    if len(wanted) != 1:
        return
    ((found, meant),) = wanted
    for call in (node for node in nodes(statements) if isinstance(node, tree.Call) and node.arguments):
        width = call.arguments[0]
        if isinstance(width.value, tree.Number) and width.value.value == found and not width.name:
            at = Span(call.span.source, width.span.start, width.span.start)
            yield Candidate(Edit(at, f"{meant}, "), f"write {meant} before {width.span.text}", rank=ODD)
        elif isinstance(width.value, tree.Binary) and _short(width.value) and _value(width.value, values) == found:
            for node in (node for node in nodes([width.value]) if isinstance(node, tree.Binary)):
                if _gap(node).text.strip() != node.operator:
                    continue
                for other in _OPERATORS:
                    if other != node.operator and _value(width.value, values, node, other) == meant:
                        text = _gap(node).text.replace(node.operator, other)
                        title = f"write {other} instead of {node.operator}"
                        yield Candidate(Edit(_gap(node), text), title, rank=ODD)


def _value(node: Any, values: dict[str, int], changed: Any = None, operator: str = "") -> int | None:
    """What an expression of whole numbers and constants comes to, with another operator at one place."""
    if isinstance(node, tree.Number):
        return node.value if isinstance(node.value, int) else None
    if isinstance(node, tree.Name):
        return values.get(node.id)
    if not isinstance(node, tree.Binary):
        return None
    a, b = _value(node.left, values, changed, operator), _value(node.right, values, changed, operator)
    if a is None or b is None or max(abs(a), abs(b)) > _LARGEST_PART:
        return None
    sign = operator if node is changed else node.operator
    if sign == "//":
        return a // b if b else None
    return {"+": a + b, "-": a - b, "*": a * b}.get(sign)
