"""What a text asks for from outside: its open names and its choices, whether elaboration comes by them or not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archdsl.annotations import Any
from archdsl.syntax import tree
from archdsl.syntax.source import Span

_BINDS = (tree.Block, tree.Function, tree.Loop, tree.Comprehension, tree.Body)


def words(text: str) -> set[str]:
    """All names in a text, whatever they mean."""
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text))


def open_names(file: tree.File) -> set[str]:
    """The names that are used where nothing in the text around binds them: constants of the file are among them."""
    return set().union(*map(open_names_of, file.statements))


def open_names_of(statement: Any) -> set[str]:
    """The names that a part of a file uses and does not bind itself; what a definition defines is none of them."""
    found: set[str] = set()
    defines = isinstance(statement, (tree.Block, tree.Function, tree.Constant))
    first = [part for part in parts_of(statement) if part is not statement.name] if defines else [statement]
    inside = frozenset(binds(statement))
    waiting: list[tuple[Any, frozenset[str]]] = [(part, inside) for part in first]
    while waiting:
        node, bound = waiting.pop()
        if isinstance(node, tree.Name):
            if node.id not in bound:
                found.add(node.id)
        elif isinstance(node, tree.ShapeLiteral):
            found.update(size for size in node.sizes if isinstance(size, str) and size not in bound)
        else:
            inner = bound | frozenset(binds(node)) if isinstance(node, _BINDS) else bound
            waiting += [(part, inner) for part in parts_of(node)]
    return found


def binds(node: Any) -> Iterator[str]:
    """The names that hold inside a node."""
    if isinstance(node, (tree.Block, tree.Function)):
        yield from (parameter.name for parameter in node.parameters)
    elif isinstance(node, (tree.Loop, tree.Comprehension)):
        waiting = list(node.targets)
        while waiting:
            target = waiting.pop()
            if isinstance(target.names, str):
                yield target.names
            else:
                waiting += target.names
    elif isinstance(node, tree.Body):
        yield from (line.name.id for line in node.lines if isinstance(line, tree.Constant))


def parts_of(node: tuple[Any, ...]) -> list[Any]:
    """The nodes in a node of the tree, or in one of its fields that holds several; places are none."""
    return [part for part in node if isinstance(part, tuple) and type(part) is not Span]


def choice_labels(file: tree.File) -> Iterator[re.Pattern[str]]:
    """What the label of each choice that has one may read, as a pattern: values in it may be anything."""
    waiting: list[Any] = list(file.statements)
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Labelled):
            choice = isinstance(node.step, tree.Optional_)
            if choice or (isinstance(node.step, tree.Join) and node.step.name.id == "CHOOSE"):
                parts = (re.escape(part) if isinstance(part, str) else ".+" for part in node.label.parts)
                yield re.compile("".join(parts))
        waiting += parts_of(node)
