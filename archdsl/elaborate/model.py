"""What the network is called, and the block that it is where `model` says so."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence

from archdsl.annotations import Any, Optional
from archdsl.elaborate.parameters import bind_parameters
from archdsl.elaborate.place import Place, Tail
from archdsl.elaborate.steps import body
from archdsl.elaborate.values import BlockValue, Fault, Limit, Names, Poisoned, describe, fault
from archdsl.syntax import tree
from archdsl.syntax.source import Span


def named_model(place: Place, statements: Sequence[tree.Model]) -> Optional[tree.Model]:
    """The `model` of the text, None where it has none; a fault is reported."""
    for node in statements:
        if keyword.iskeyword(node.name):
            place.run.report(
                fault("E116", f"{node.name} is a word of Python, and so no name of a class", node.name_span)
            )
    if len(statements) > 1:
        first = statements[0].span.place
        place.run.report(fault("E116", f"the network has a name already, at {first}", statements[1].span))
    return statements[0] if statements else None


def class_name(name: str) -> str:
    """A class's name made from a file's: `my-net.arch` gives MyNet."""
    stem = re.split(r"[/\\]", name)[-1].rsplit(".", 1)[0]
    parts = re.findall(r"[A-Za-z0-9]+", stem) if stem not in ("<text>", "<stdin>", "-") else []
    text = "".join(part[:1].upper() + part[1:] for part in parts)
    return text if text[:1].isalpha() and not keyword.iskeyword(text) else f"Net{text}"


def be_block(place: Place, name: str, node: tree.Value) -> None:
    """Elaborate a block as the network itself, with no level of the module tree between; a fault is reported."""
    try:
        value = place.evaluator.value(node)
        if not isinstance(value, BlockValue):
            raise fault("E134", f"{name} is to be a block, and {node.span.text} is {describe(value)}", node.span)
        title = value.node.name.id
        place.names = Names(value.names, choices=f"{title}.")
        place.blocks = (title,)
        given = (*value.arguments, *_outside(place, value, node.span))
        bind_parameters(title, value.node.parameters, given, place.evaluator, node.span)
    except Limit:
        raise
    except Fault as error:
        place.run.report(error)
        place.advance(None)
    except Poisoned:
        place.advance(None)
    else:
        body(place, value.node.body, Tail(True, True))


def _outside(place: Place, block: BlockValue, span: Span) -> Iterator[tuple[str, Any, Span]]:
    """The arguments set from outside (`-D classes=10`), for parameters that the text leaves at their defaults."""
    run = place.run
    told = {p.name for p, (name, _, _) in zip(block.node.parameters, block.arguments) if not name}
    told |= {name for name, _, _ in block.arguments}
    for parameter in block.node.parameters:
        name = parameter.name
        if parameter.default is not None and name in run.given and name not in told | run.used:
            yield name, run.missing(name), span
