"""Steps of a chain that may stand in the wrong order, or twice; arms likewise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from archdsl.diagnostics import Edit
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span


def exchanged(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Each two neighbours of a chain the other way round, and each two arms."""
    for node in nodes(statements):
        if isinstance(node, tree.Chain):
            for a, b in pairwise(node.steps):
                yield from _swap(a.span, b.span)
        elif isinstance(node, tree.Join):
            for c, d in pairwise(node.arms):
                yield from _swap(c.span, d.span)


def doubled(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Each step of a chain that is the same as the one before, left out."""
    for node in nodes(statements):
        if isinstance(node, tree.Chain):
            for a, b in pairwise(node.steps):
                if _same(a, b):
                    at = Span(a.span.source, a.span.end, b.span.end)
                    yield Candidate(Edit(at, ""), f"take one {_short(b.span.text)} out")


def left_out(statements: Iterable[Any]) -> Iterator[Candidate]:
    """A step more between two others, one that the file has between such steps elsewhere."""
    follows: dict[tuple[str, str], set[str]] = {}
    chains = [node for node in nodes(statements) if isinstance(node, tree.Chain)]
    for chain in chains:
        for a, b, c in zip(chain.steps, chain.steps[1:], chain.steps[2:]):
            if not isinstance(b, tree.Labelled):
                follows.setdefault((_head(a), _head(c)), set()).add(b.span.text)
    for chain in chains:
        for a, c in pairwise(chain.steps):
            for text in sorted(follows.get((_head(a), _head(c)), ())):
                at = Span(a.span.source, a.span.end, a.span.end)
                yield Candidate(Edit(at, f" - {text}"), f"write {_short(text)} behind {_short(a.span.text)}", rank=4)


def arm_more(join: tree.Join) -> Iterator[Candidate]:
    """What arrives as one arm more of a join that has too few."""
    source, text = join.span.source, join.span.source.text
    start = text.index("{", join.arguments[-1].span.end if join.arguments else join.name.span.end) + 1
    yield Candidate(Edit(Span(source, start, start), " ID |"), "ID is what arrives, as an arm: ID |")


def _head(step: Any) -> str:
    """The name of a step's layer."""
    while isinstance(step, (tree.Labelled, tree.Repeated, tree.Optional_)):
        step = step.step
    if isinstance(step, tree.Name):
        return step.id
    return step.name.id if isinstance(step, (tree.Call, tree.Join)) else type(step).__name__


def _same(a: Any, b: Any) -> bool:
    while isinstance(a, tree.Labelled):
        a = a.step
    while isinstance(b, tree.Labelled):
        b = b.step
    return bool(a.span.text == b.span.text)


def _swap(a: Span, b: Span) -> Iterator[Candidate]:
    text = a.source.text
    between = text[a.end : b.start]
    if a.text != b.text and a.text.strip() and b.text.strip() and len(a.text) + len(b.text) < 200:
        whole = Span(a.source, a.start, b.end)
        title = f"write {_short(b.text)} before {_short(a.text)}"
        yield Candidate(Edit(whole, f"{b.text}{between}{a.text}"), title, rank=2)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"
