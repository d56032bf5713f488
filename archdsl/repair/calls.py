"""Calls: an argument too many, and a parameter that a block does not name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from archdsl.diagnostics import Edit
from archdsl.elaborate.mentions import open_names_of
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span


def around(statements: Iterable[Any], at: Span) -> list[tree.Call | tree.Join]:
    """The calls and joins that hold a place, the innermost first."""
    found = [
        node
        for node in nodes(statements)
        if isinstance(node, (tree.Call, tree.Join))
        and node.span.source is at.source
        and node.span.start <= at.start < node.span.end
    ]
    return found[::-1]


def without_argument(call: tree.Call | tree.Join, rank: int) -> Iterator[Candidate]:
    """Each argument of a call left out, the last ones first; PyTorch's first number comes before all others."""
    foreign = call.name.id in ("CONV", "UPCONV", "LINEAR", "FC")
    text, arguments = call.span.source.text, call.arguments
    for index, argument in reversed(list(enumerate(arguments))):
        start, end = argument.span.start, argument.span.end
        if index + 1 < len(arguments):
            end = arguments[index + 1].span.start
        elif index:
            start = arguments[index - 1].span.end
        else:  # the only one, with its parentheses
            start, close = call.name.span.end, text.find(")", end)
            end = close + 1 if close >= 0 else end
        title = f"leave {argument.span.text} out"
        lower = rank + (0 < index < len(arguments) - 1) + (foreign and index > 0)
        yield Candidate(Edit(Span(call.span.source, start, end), ""), title, rank=lower)


def parameter_more(file: tree.File, names: Iterable[str]) -> Iterator[Candidate]:
    """A parameter more, for a block or function that uses a name and does not have it."""
    missing = set(names)
    for block in file.statements:
        if not isinstance(block, (tree.Block, tree.Function)):
            continue
        for name in sorted(missing & open_names_of(block)):
            title = f"give {block.name.id} a parameter {name}"
            for parameter in block.parameters:
                at = Span(parameter.span.source, parameter.span.start, parameter.span.start)
                yield Candidate(Edit(at, f"{name}, "), title)
            if block.parameters:
                end = block.parameters[-1].span.end
                yield Candidate(Edit(Span(file.span.source, end, end), f", {name}"), title)
