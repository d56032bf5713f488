"""A name that nothing defines: its definition may be misspelt, or what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from archdsl.diagnostics import Edit
from archdsl.elaborate.arguments import kinds
from archdsl.elaborate.suggest import near
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
    for word, span in defined:
        if word != name and near(name, [word]) == word and uses.get(word, 0) == 1:
            yield Candidate(Edit(span, name), f"write {name} here", f"{word} is defined, and {name} is asked for")


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
