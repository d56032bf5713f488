"""A block where it is called: its body with its arguments, as one level of the module tree."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.diagnostics import Related
from archdsl.elaborate.instances import First, again, key_of, spent
from archdsl.elaborate.labels import Level
from archdsl.elaborate.origins import values_of
from archdsl.elaborate.parameters import bind_parameters
from archdsl.elaborate.place import Place, Tail
from archdsl.elaborate.values import BlockValue, Names, fault
from archdsl.graph import Call, Module, Region
from archdsl.syntax import tree
from archdsl.syntax.source import Span

DEEPEST_BLOCKS = 40


def apply_block(
    place: Place,
    callee: BlockValue,
    span: Span,
    tail: Tail,
    label: str | None,
    body: Callable[[Place, tree.Body, Tail], None],
) -> Call | None:
    """Elaborate a block's body with its arguments as one level of the module tree; None behind a fault."""
    title = callee.node.name.id
    if title in place.blocks:
        way = " - ".join((*place.blocks[place.blocks.index(title) :], title))
        raise fault("E155", f"the block {title} leads back to itself ({way})", span)
    if len(place.blocks) >= DEEPEST_BLOCKS:
        raise fault("E103", f"blocks nested too deeply: more than {DEEPEST_BLOCKS} levels", span)
    key = key_of(place, callee, tail)
    first = place.run.firsts.get(key)
    if first is not None:
        copy = again(place, first, span, label or "")
        if copy is not None:
            return copy
    before = spent(place)
    arriving = place.value
    param = arriving.again() if arriving is not None else None
    region = Region(param)  # type: ignore[arg-type]  # None only behind a fault, where no graph is used
    names = Names(callee.names, choices=f"{title}.")
    inner = place.inside(
        names=names,
        level=Level(place.level, closed=True),
        region=region,
        value=param,
        blocks=(*place.blocks, title),
    )
    bind_parameters(title, callee.node.parameters, callee.arguments, inner.evaluator, span)
    arguments = tuple(names.own.items())
    inner.trail = (Related(span, f"in {title}{values_of(names.own)}"), *place.trail)
    body(inner, callee.node.body, tail)
    region.result = inner.value  # type: ignore[assignment]  # likewise
    place.memory = inner.memory
    if inner.value is None:
        place.advance(None)
        return None
    output = inner.value.again()
    made = Call(Module(title, region, inner.level.positional, arguments), arriving or output, output, span, label or "")
    place.region.steps.append(made)
    place.advance(output)
    if key is not None and arriving is not None:
        here, kept = inner.trail[0], callee.arguments
        place.run.firsts[key] = First(made, arriving, inner.level, here, place.memory, before, spent(place), kept)
    return made
