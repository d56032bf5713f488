"""A name that nothing defines: its definition may be misspelt, or what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.elaborate.arguments import kinds
from archdsl.elaborate.functions import FUNCTIONS
from archdsl.elaborate.mentions import open_names_of
from archdsl.elaborate.suggest import is_slip, near
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

_COMMENT = re.compile(r"#[^\n]*")
_THRICE = re.compile(r"([a-z])\1\1")  # no word has a letter three times
_NAME = re.compile(r"[A-Za-z_]\w*")


def definitions(file: tree.File, name: str) -> Iterator[Candidate]:
    """Definitions of a name that is near to this one, and that nothing uses."""
    text = _COMMENT.sub("", file.span.source.text)
    defined = [(word, span) for node in nodes(file.statements) for word, span in _defines(node)]
    uses: dict[str, int] = {}
    for word in _NAME.findall(text):
        uses[word] = uses.get(word, 0) + 1
    often = uses.get(name, 0) > 1 or is_argument(name)
    for word, span in defined:
        if not often and not _likelier(name, word, _parts(uses, name, word)):
            continue  # a slip where it is used, and not where it is defined
        if word != name and near(name, [word]) == word and uses.get(word, 0) == 1:
            line, column = span.source.position(span.start)
            yield Candidate(Edit(span, name), f"write {name} at {line}:{column}, where it is defined")


def _parts(uses: Mapping[str, int], *but: str) -> set[str]:
    """The parts of all names but these: `five` of `five_in`."""
    return {part for word in uses if word not in but for part in word.split("_")}


def _likelier(a: str, b: str, known: set[str]) -> bool:
    """Whether a name is made of parts that other names have as well, or of letters that words have, and another not."""

    def strange(name: str) -> int:
        return sum(part not in known for part in name.split("_")) + 9 * bool(_THRICE.search(name))

    return strange(a) < strange(b)


def alike(files: Iterable[tree.File], told: Span) -> Iterator[Candidate]:
    """Names and labels of which the one at fault may be a slip, several as well."""
    stem = re.match(r"(?:@|share[ \t]+)?\"?([A-Za-z_]\w*)", told.text)
    if stem is None:
        return
    known = {word for file in files for node in nodes(file.statements) for word, _ in _defines(node)}
    known |= {str(word) for file in files for node in nodes(file.statements) for word in _stems(node)}
    known |= LAYERS.keys() | FUNCTIONS.keys()
    at = Span(told.source, told.start + stem.start(1), told.start + stem.end(1))
    for word in sorted(known):
        if word != stem[1] and (is_slip(stem[1], word) or near(stem[1], [word]) == word):
            yield Candidate(Edit(at, word), f"did you mean {word}?")


def _stems(node: Any) -> Iterator[Any]:
    """How a label with values in it begins."""
    if isinstance(node, tree.Labelled) and isinstance(node.label.parts[0], str):
        yield node.label.parts[0]


def _defines(node: Any) -> Iterator[tuple[str, Span]]:
    if isinstance(node, (tree.Constant, tree.Function, tree.Block)):
        yield node.name.id, node.name.span
    elif isinstance(node, tree.Parameter):
        yield node.name, Span(node.span.source, node.span.start, node.span.start + len(node.name))
    elif isinstance(node, tree.Target) and isinstance(node.names, str):
        yield node.names, node.span
    elif isinstance(node, tree.Labelled) and all(isinstance(part, str) for part in node.label.parts):
        start = node.label.span.start
        yield str(node.label.parts[0]), Span(node.span.source, start, start + len(str(node.label.parts[0])))
    elif isinstance(node, tree.Input) and node.name:
        start = node.span.source.text.index(node.name, node.span.start + len("input"))
        yield node.name, Span(node.span.source, start, start + len(node.name))


def target_more(statements: Iterable[Any], name: str) -> Iterator[Candidate]:
    """A name more that a loop binds, where what it repeats uses one that nothing defines; "" for any such name."""
    statements = list(statements)
    known = (
        {word for node in nodes(statements) for word, _ in _defines(node)} | LAYERS.keys() | FUNCTIONS.keys() | _words()
    )
    for node in nodes(statements):
        if not isinstance(node, (tree.Loop, tree.Comprehension)):
            continue
        missing = {name} & open_names_of(node) if name else open_names_of(node) - known
        for word in sorted(missing)[:2]:
            for target in node.targets:
                at = Span(target.span.source, target.span.start, target.span.start)
                yield Candidate(Edit(at, f"{word}, "), f"write {word} among the names of the loop")
            end = node.targets[-1].span.end
            at = Span(node.span.source, end, end)
            yield Candidate(Edit(at, f", {word}"), f"write {word} among the names of the loop")


def label_more(statements: Iterable[Any], at: Span) -> Iterator[Candidate]:
    """A label for a group in a loop, without which the steps of all passes are of one module."""
    for loop in nodes(statements):
        if not isinstance(loop, tree.Loop) or not isinstance(loop.targets[0].names, str):
            continue
        for chain in nodes([loop]):
            for step in chain.steps if isinstance(chain, tree.Chain) else ():
                if isinstance(step, tree.Group) and step.span.text[:1] == "[" and _holds(step.span, at):
                    start = Span(at.source, step.span.start, step.span.start)
                    label = f"group{{{loop.targets[0].names}}}: "
                    yield Candidate(Edit(start, label), f"give the group a label: {label}[…]")


def label_other(statements: Iterable[Any], written: str) -> Iterator[Candidate]:
    """The label that is missing, instead of one that is there twice."""
    name = re.search(r"[A-Za-z_]\w*$", written)
    labelled: dict[str, list[tree.Labelled]] = {}
    for node in nodes(statements):
        if isinstance(node, tree.Labelled):
            labelled.setdefault(node.label.span.text, []).append(node)
    for node in (node for same in labelled.values() if name and len(same) > 1 for node in same):
        at = node.label.span
        if name:
            inside = any(_holds(other.span, at) for other in labelled[at.text] if other is not node)
            title = f"write {name[0]}: {at.text} is a label already"
            yield Candidate(Edit(at, name[0]), title, rank=0 if inside else 1)


def _holds(whole: Span, part: Span) -> bool:
    return whole.source is part.source and whole.start <= part.start and part.end <= whole.end


def is_argument(name: str) -> bool:
    """Whether some layer has an argument of this name."""
    return name in _arguments()


@cache
def _arguments() -> frozenset[str]:
    return frozenset(name for layer in LAYERS for name in kinds(layer_class(layer)))


@cache
def _words() -> frozenset[str]:
    """The bare words that arguments take."""
    return frozenset(word for layer in LAYERS for kind in kinds(layer_class(layer)).values() for word in kind.words)
