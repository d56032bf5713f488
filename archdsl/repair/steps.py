"""Steps of a chain that may stand in the wrong order, or twice; arms likewise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.layers.activation import Activation
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.repair.candidates import Candidate, short
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span


def exchanged(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Each two neighbours of a chain the other way round, and each two arms; first those that stand oddly.

    Odd are two layers in an order that is unusual, two that stand the other way round wherever else they do, and
    labels that count down.
    """
    statements = list(statements)
    chains = [node for node in nodes(statements) if isinstance(node, tree.Chain)]
    order = Counter((_sort(a), _sort(b)) for chain in chains for a, b in pairwise(chain.steps))
    for node in nodes(statements):
        if isinstance(node, tree.Chain):
            for a, b in pairwise(node.steps):
                odd = (_kind(_head(b)), _kind(_head(a))) in _USUAL and (_kind(_head(a)), _kind(_head(b))) not in _USUAL
                more = order[_sort(b), _sort(a)]
                odd |= (more > 1 or (more > 0 and _head(a) == _head(b))) and order[_sort(a), _sort(b)] == 1
                odd |= _counts_down(a, b)
                for candidate in _swap(a.span, b.span):
                    yield candidate._replace(rank=-1) if odd else candidate
        elif isinstance(node, tree.Join):
            for c, d in pairwise(node.arms):
                yield from _swap(c.span, d.span)


def _sort(step: Any) -> tuple[str, tuple[str, ...]]:
    """A step's layer or block, and the numbers among its arguments behind the first."""
    step = _bare(step)
    arguments = step.arguments[1:] if isinstance(step, tree.Call) else ()
    return _head(step), tuple(a.span.text for a in arguments if isinstance(a.value, tree.Number))


def _counts_down(a: Any, b: Any) -> bool:
    """Whether two labels differ in their last letter or number alone, and the second one comes before the first."""
    names = [step.label.span.text for step in (a, b) if isinstance(step, tree.Labelled)]
    found = [re.fullmatch(r"(.*?)([0-9]+|[a-z])", name) for name in names]
    if len(found) < 2 or found[0] is None or found[1] is None or found[0][1] != found[1][1]:
        return False
    return (len(found[0][2]), found[0][2]) > (len(found[1][2]), found[1][2])


def doubled(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Each step of a chain that is the same as the one before, left out."""
    for node in nodes(statements):
        if isinstance(node, tree.Chain):
            for a, b in pairwise(node.steps):
                if _same(a, b):
                    at = Span(a.span.source, a.span.end, b.span.end)
                    yield Candidate(Edit(at, ""), f"take one {short(b.span.text)} out")


def left_out(statements: Iterable[Any]) -> Iterator[Candidate]:
    """A step more, one that the file has elsewhere, between two that it has beside such a step."""
    pairs: set[tuple[str, str]] = set(_USUAL)
    texts: dict[str, dict[str, None]] = {"GAP": {"GAP": None}, "BN": {"BN": None}, "RELU": {"RELU": None}}
    counted: dict[tuple[str, str], int] = {}
    chains = [node for node in nodes(statements) if isinstance(node, tree.Chain)]
    for chain in chains:
        for before, after in zip((None, *chain.steps), chain.steps):
            pair = _head(before), _head(after)
            pairs.add(pair)
            counted[pair] = counted.get(pair, 0) + 1
            if pair[1].isupper() and isinstance(_bare(after), (tree.Name, tree.Call)):
                texts.setdefault(pair[1], {})[_bare(after).span.text] = None
    for chain in chains:
        for before, after in zip((None, *chain.steps), chain.steps):
            a, c = _head(before), _head(after)
            if counted[a, c] > 2:
                continue
            for head, written in texts.items():
                if (a, c) in _USUAL and not (counted.get((a, head)) and counted.get((head, c))):
                    continue
                fits = (head, c) in pairs or (head, _kind(c)) in _USUAL
                if (a, head) in pairs and fits and head not in (a, c):
                    for text in written:
                        start = after.span.start
                        at = Span(after.span.source, start, start)
                        title = f"write {short(text)} before {short(after.span.text)}"
                        yield Candidate(Edit(at, f"{text} - "), title, rank=2)


def pooled(statements: Iterable[Any]) -> Iterator[Candidate]:
    """GAP before the first FC or LINEAR behind another step, in a network that has none before such a one."""
    statements = list(statements)
    found = [node for node in nodes(statements) if isinstance(node, tree.Chain)]
    heads = [[_head(step) for step in chain.steps] for chain in found]
    if any(a == "GAP" and b in ("FC", "LINEAR", "DROPOUT", "FLATTEN") for row in heads for a, b in pairwise(row)):
        return
    for chain in found:
        for before, step in zip((None, *chain.steps), chain.steps):
            if _head(step) in ("FC", "LINEAR") and (before is not None or chain in statements):
                first = before if before is not None and _head(before) == "DROPOUT" else step
                at = Span(step.span.source, first.span.start, first.span.start)
                yield Candidate(Edit(at, "GAP - "), f"write GAP before {short(step.span.text)}")
                return


def unused(statements: Iterable[Any]) -> Iterator[Candidate]:
    """A last layer as wide as a constant that nothing uses."""
    body = [s for s in statements if isinstance(s, tree.Assertion)]
    used: dict[Source, Counter[str]] = {}  # how often each word stands there
    for constant in statements:
        if isinstance(constant, tree.Constant) and body:
            source, name = constant.span.source, constant.name.id
            if source not in used:
                used[source] = Counter(re.findall(r"\w+", re.sub("#[^\n]*", "", source.text)))
            if used[source][name] > 1:
                continue
            end = len(source.text[: body[0].span.start].rstrip())
            for text in (f"CONV({name}, 1)", f"CONV({name})", f"FC({name})"):
                title = f"write {text}, as nothing uses {name}"
                yield Candidate(Edit(Span(source, end, end), f"\n{text}"), title)


_USUAL = (
    ("CONV", "BN"), ("BN", "RELU"), ("CONV", "RELU"), ("RELU", "POOL"), ("POOL", "CONV"), ("RELU", "CONV"),
    ("RELU", "GAP"), ("GAP", "FC"), ("FC", "RELU"), ("BN", "CONV"),
)  # fmt: skip


def _kind(head: str) -> str:
    """RELU for all activations, which stand where it stands."""
    acts = head in LAYERS and head != "DROPOUT" and issubclass(layer_class(head), Activation)
    return "RELU" if acts else head


def _bare(step: Any) -> Any:
    while isinstance(step, tree.Labelled):
        step = step.step
    return step


def empty_arm(statements: Iterable[Any]) -> Iterator[Candidate]:
    """A `|` of two that nothing stands between, left out."""
    for node in nodes(statements):
        if isinstance(node, tree.Join):
            for a, b in pairwise(node.arms):
                gap = node.span.source.text[a.span.end : b.span.start]
                start = a.span.end + gap.find("||") + 1
                if "||" in gap:
                    yield Candidate(Edit(Span(node.span.source, start, start + 1), ""), "take one | out")


def arm_more(join: tree.Join) -> Iterator[Candidate]:
    """What arrives as one arm more of a join that has too few."""
    source, text = join.span.source, join.span.source.text
    start = text.index("{", join.arguments[-1].span.end if join.arguments else join.name.span.end) + 1
    found = Candidate(Edit(Span(source, start, start), " ID |"), "ID is what arrives, as an arm: ID |")
    yield found
    yield found._replace(guess=True, edit=found.edit._replace(text=" ID | "), title="an arm is missing", rank=1)


def _head(step: Any) -> str:
    """The name of a step's layer; "" where a chain begins."""
    while isinstance(step, (tree.Labelled, tree.Repeated, tree.Optional_)):
        step = step.step
    if step is None:
        return ""
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
        title = f"write {short(b.text)} before {short(a.text)}"
        yield Candidate(Edit(whole, f"{b.text}{between}{a.text}"), title, rank=2)
