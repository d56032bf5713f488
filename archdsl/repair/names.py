"""A name that nothing defines: its definition may be misspelt, or what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.elaborate.arguments import kinds
from archdsl.elaborate.functions import FUNCTIONS
from archdsl.elaborate.suggest import is_slip, near
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

_NAME = re.compile(r"[A-Za-z_]\w*")


def definitions(file: tree.File, name: str) -> Iterator[Candidate]:
    """Definitions of a name that is near to this one, and that nothing uses."""
    text = file.span.source.text
    defined = [(word, span) for node in nodes(file.statements) for word, span in _defines(node)]
    uses: dict[str, int] = {}
    for word in _NAME.findall(text):
        uses[word] = uses.get(word, 0) + 1
    if uses.get(name, 0) < 2 and not is_argument(name):
        return  # a slip where it is used, and not where it is defined
    for word, span in defined:
        if word != name and near(name, [word]) == word and uses.get(word, 0) == 1:
            line, column = span.source.position(span.start)
            yield Candidate(Edit(span, name), f"write {name} at {line}:{column}, where it is defined")


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


def is_argument(name: str) -> bool:
    """Whether some layer has an argument of this name."""
    return name in _arguments()


@cache
def _arguments() -> frozenset[str]:
    return frozenset(name for layer in LAYERS for name in kinds(layer_class(layer)))
