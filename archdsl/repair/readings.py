"""Marks with which a text parses, as something else than was meant.

A `|` between arms, a `:` behind a label, a `*` between numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.layers.registry import LAYERS
from archdsl.repair.candidates import Candidate, word_counts
from archdsl.repair.gaps import head
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

_STEP = re.compile(r"[A-Z]\w+")
_COMMA = re.compile(r"(?<=\n)([ \t]*),[ \t]*$")  # with which a line begins


def arms_apart(join: tree.Join) -> Iterator[Candidate]:
    """A `|` between two steps of the only arm of a join; most likely behind a tensor that is given."""
    for body in join.arms[:1]:
        steps = [step for line in body.lines if isinstance(line, tree.Chain) for step in line.steps]
        given = {b.span.start for a, b in pairwise(steps) if head(a) in ("PARAM", "CONST")}
        for candidate in _apart(steps):
            yield candidate._replace(rank=-1) if candidate.edit.span.end in given else candidate


def labels_apart(joins: Iterable[Any]) -> Iterator[Candidate]:
    """A `:` for the `|` between a name that is no layer's and a step: the name is its label."""
    for join in joins:
        for a, b in pairwise(join.arms) if isinstance(join, tree.Join) else ():
            if a.span.text.islower() and a.span.text.isidentifier():
                later = next((arm for arm in join.arms if arm.span.start > a.span.end and arm.span.text.strip()), b)
                gap = Span(a.span.source, a.span.end, later.span.start)
                yield Candidate(Edit(gap, ": "), "write : behind a label")


def lines_apart(statements: Iterable[Any]) -> Iterator[Candidate]:
    """A `|` before a line in a join whose other arms begin with lines of their own."""
    for join in nodes(statements):
        if not isinstance(join, tree.Join) or len(join.arms) < 2:
            continue
        source = join.span.source
        begun = [source.text[arm.span.start - 40 : arm.span.start].split("\n")[-1].strip() for arm in join.arms[1:]]
        if begun.count("|") == len(begun):
            for arm in join.arms:
                lines = [line for line in arm.lines if isinstance(line, tree.Chain)]
                yield from _apart(lines)
                for line in lines:
                    for a, b in pairwise(line.steps):
                        if _COMMA.search(source.text[a.span.end : b.span.start]):
                            yield from _apart([a, b])


def _apart(steps: list[Any]) -> Iterator[Candidate]:
    for a, b in pairwise(steps):
        gap = Span(a.span.source, a.span.end, b.span.start)
        if re.sub(r"#[^\n]*", "", gap.text).strip(" \t\n,->"):
            continue
        rank = -1 if _whole(a) else 0
        text = b.span.text.splitlines()[0]
        title = f"write | before {text if len(text) <= 30 else text[:29] + '…'}"
        if "\n" in gap.text:
            comma = _COMMA.search(gap.text)
            start = gap.start + comma.end(1) if comma else gap.end
            yield Candidate(Edit(Span(gap.source, start, gap.end), "| "), title, rank=rank)
        else:
            yield Candidate(Edit(gap, " | "), title, rank=rank)


def _whole(step: Any) -> bool:
    """Whether a step is most often an arm by itself: what arrives, or a tensor that is made of nothing."""
    while isinstance(step, tree.Labelled):
        step = step.step
    name = step.name if isinstance(step, tree.Call) else step
    return isinstance(name, tree.Name) and name.id in ("ID", "PARAM", "CONST")


def label_before(name: Span) -> Iterator[Candidate]:
    """A `:` for the `,` between a name that nothing defines, in small letters as labels are, and the step behind it."""
    found = re.match(r",[ ]*(?=[\[A-Z])", name.source.text[name.end :])
    line = name.source.text[name.source.text.rfind("\n", 0, name.start) + 1 : name.start]
    if found and name.text.islower() and re.search(r"(?:^|[-\[{|])[ ]*$", line):
        at = Span(name.source, name.end, name.end + 1)
        yield Candidate(Edit(at, ":"), "write : behind a label", rank=-1)


def label_meant(statements: Iterable[Any], at: Span | None) -> Iterator[Candidate]:
    """A `:` for the `=` of a constant that holds steps: around a place, else of any that nothing uses."""
    for node in nodes(statements):
        if not isinstance(node, tree.Constant) or not any(
            name.id in LAYERS or _STEP.fullmatch(name.id) for name in nodes([node.value]) if isinstance(name, tree.Name)
        ):
            continue
        source, start = node.span.source, node.name.span.end
        end = source.text.index("=", start) + 1
        inside = at is not None and at.source is source and node.span.start <= at.start < node.span.end
        unused = at is None and word_counts(source.text)[node.name.id] == 1
        if inside or unused:
            yield Candidate(Edit(Span(source, start, end), ":"), "write : behind a label")


def products(statements: Iterable[Any], at: Span) -> Iterator[Candidate]:
    """The product of two numbers for a shape of two sizes: 64*2 for 64x2."""
    for node in nodes(statements):
        if isinstance(node, tree.ShapeLiteral) and len(node.sizes) == 2 and _around(node.span, at):
            text = "*".join(map(str, node.sizes))
            yield Candidate(Edit(node.span, text), f"write {text}: a shape is no number")


def _around(a: Span, b: Span) -> bool:
    return a.source is b.source and a.start < b.end and b.start < a.end
