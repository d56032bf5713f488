"""Calls: an argument too many, and a parameter that a block does not name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.elaborate.arguments import kinds
from archdsl.elaborate.mentions import open_names_of
from archdsl.layers.registry import LAYERS, layer_class
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


def surplus(call: tree.Call) -> Iterator[Candidate]:
    """A call of an arm without its last argument, and without a number before its width, as PyTorch has it."""
    loose = [argument for argument in call.arguments if not argument.name]
    if len(loose) > 1:
        found = list(without_argument(call, 1))
        yield found[0]._replace(rank=2)
        if isinstance(loose[0].value, tree.Number):
            yield found[-1]._replace(rank=1)


def argument_more(statements: Iterable[Any], calls: Iterable[tree.Call | tree.Join]) -> Iterator[Candidate]:
    """Arguments that all other calls of the same name have; before the others in a call that holds the error."""
    held = list(calls)
    found: dict[str, list[tree.Call]] = {}
    for node in nodes(statements):
        if isinstance(node, tree.Call) and node.arguments:
            found.setdefault(node.name.id, []).append(node)
    for same in found.values():
        named = Counter(a.span.text for call in same for a in call.arguments if a.name)
        usual = [text for text, often in named.items() if often == len(same) - 1 > 1]
        first = dict.fromkeys(call.arguments[0].span.text for call in same if not call.arguments[0].name)
        behind: dict[int, Counter[str]] = {}  # what stands there in others, by the number of those before
        for call in same:
            have = {a.name for a in call.arguments}
            for text in usual:
                if text.split("=")[0].strip() not in have:
                    yield _insert(call.arguments[-1].span.end, call, f", {text}", text, 0)
            loose = [a for a in call.arguments if not a.name]
            many = len(loose)
            if many not in behind:
                behind[many] = Counter(a.span.text for c in same for a in c.arguments[many : many + 1] if not a.name)
            more = behind[many]
            if more and sum(more.values()) >= max(2, len(same) // 2):
                for text, _ in more.most_common(2):
                    yield _insert(
                        loose[-1].span.end if loose else call.arguments[0].span.start, call, f", {text}", text, 2
                    )
            if call in held:
                for text in first if len(same) > 1 else ():
                    yield _insert(call.arguments[0].span.start, call, f"{text}, ", text, 1)


def _insert(at: int, call: tree.Call, edit: str, text: str, rank: int) -> Candidate:
    return Candidate(Edit(Span(call.span.source, at, at), edit), f"write {text} in {call.name.id}", rank=rank)


def by_name(call: tree.Call | tree.Join) -> Iterator[Candidate]:
    """An argument that is called as a parameter is, and stands in the place of another one, given to it by name."""
    if call.name.id not in LAYERS:
        return
    names = list(kinds(layer_class(call.name.id)))
    given = {argument.name for argument in call.arguments}
    for place, argument in zip(names, call.arguments):
        text = argument.span.text
        if not argument.name and text != place and text in names and text not in given:
            at = Span(argument.span.source, argument.span.start, argument.span.start)
            if all(other.name for other in call.arguments if other.span.start > argument.span.start):
                yield Candidate(Edit(at, f"{text}="), f"write {text}={text}", rank=-1)


def apart(statements: Iterable[Any]) -> Iterator[Candidate]:
    """A `,` for the `=` between two parameters, or between the name of a definition and the argument behind it."""
    statements = list(statements)
    defined = {s.name.id for s in statements if isinstance(s, (tree.Block, tree.Function, tree.Constant))}
    for node in nodes(statements):
        if isinstance(node, tree.Parameter) and isinstance(node.default, tree.Name):
            value = node.default.span
        elif isinstance(node, tree.Argument) and node.name in defined:
            value = node.value.span
        else:
            continue
        at = Span(value.source, node.span.start + len(node.name), value.start)
        if at.text.strip() == "=" and value.text not in (*defined, "true", "false"):
            yield Candidate(Edit(at, ", "), f"write , behind {node.name}", rank=-2)


def without_last(call: tree.Call | tree.Join) -> Iterator[Candidate]:
    """The last two arguments of a call left out."""
    if len(call.arguments) > 2:
        kept, first, last = call.arguments[-3].span.end, call.arguments[-2].span.start, call.arguments[-1].span.end
        source = call.span.source
        title = f"leave {source.text[first:last]} out"
        yield Candidate(Edit(Span(source, kept, last), ""), title)


def parameter_more(file: tree.File, names: Iterable[str]) -> Iterator[Candidate]:
    """A parameter more, for a block or function that uses a name and does not have it."""
    missing = set(names)
    blocks = [s for s in file.statements if isinstance(s, (tree.Block, tree.Function))]
    defaults = {p.name: p.span.text for block in blocks for p in block.parameters if p.default is not None}
    for block in blocks:
        for name in sorted(missing & open_names_of(block)):
            title = f"give {block.name.id} a parameter {name}"
            text, source = defaults.get(name, name), file.span.source
            for parameter in block.parameters:
                at = Span(source, parameter.span.start, parameter.span.start)
                written = text if parameter.default is not None else name
                yield Candidate(Edit(at, f"{written}, "), title)
            if block.parameters:
                end = block.parameters[-1].span.end
                written = text if block.parameters[-1].default is not None else name
                yield Candidate(Edit(Span(source, end, end), f", {written}"), title)
            elif source.text[block.name.span.end :].startswith("()"):
                at = Span(source, block.name.span.end + 1, block.name.span.end + 1)
                yield Candidate(Edit(at, name), title)
