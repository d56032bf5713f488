"""What statements define: blocks and functions for the whole file, constants and defaults from their place on."""

from __future__ import annotations

from archdsl.elaborate.arguments import bind_arguments, check_names
from archdsl.elaborate.place import Place
from archdsl.elaborate.suggest import unknown
from archdsl.elaborate.use import import_names
from archdsl.elaborate.values import BlockValue, Lambda, LayerValue, Wrong, describe, fault
from archdsl.elaborate.words import argument
from archdsl.layers.registry import LAYERS
from archdsl.syntax import tree


def define_names(place: Place, file: tree.File) -> None:
    """The file's blocks and functions, which may stand behind their first use."""
    for statement in file.heads:
        if isinstance(statement, tree.Constant):
            place.names.later.setdefault(statement.name.id, statement.name.span)
        if not isinstance(statement, (tree.Block, tree.Function)):
            continue
        name = statement.name
        value = (
            BlockValue(statement, place.names) if isinstance(statement, tree.Block) else Lambda(statement, place.names)
        )
        if name.id in place.names.own or name.id in LAYERS:
            what = "a layer of the language" if name.id in LAYERS else "defined already"
            place.run.report(fault("E133", f"{name.id} is {what}", name.span, help="give it another name"))
            continue
        place.names.own[name.id] = value
        seen: set[str] = set()
        for parameter in statement.parameters:
            if parameter.name in seen:
                place.run.report(fault("E133", f"{name.id} has two parameters called {parameter.name}", parameter.span))
                place.names.own[name.id] = Wrong()
            seen.add(parameter.name)


def state(place: Place, statement: tree.Statement) -> None:
    """A constant, a default or a `use`; all others are looked at elsewhere."""
    if isinstance(statement, tree.Constant):
        _constant(place, statement)
    elif isinstance(statement, tree.Default):
        _default(place, statement)
    elif isinstance(statement, tree.Use):
        import_names(place, statement)


def _constant(place: Place, node: tree.Constant) -> None:
    name = node.name.id
    if name in place.names.own or name in LAYERS:
        raise fault(
            "E133", f"{name} is {'a layer of the language' if name in LAYERS else 'defined already'}", node.name.span
        )
    place.names.own[name] = Wrong()
    value = place.evaluator.value(node.value)
    if node.range is not None:
        allowed = place.evaluator.value(node.range)
        if not isinstance(allowed, (range, list, tuple)):
            raise fault("E137", f"{name} ranges over a..b or a list, not {describe(allowed)}", node.range.span)
    if name in place.run.given and node.name.span.source is place.run.main:
        place.run.used.add(name)
        value = place.run.given[name]
        if isinstance(value, str) and value.isidentifier() and isinstance(place.names.own.get(value), BlockValue):
            value = place.names.own[value]
        if isinstance(value, LayerValue):  # its defaults are those of the constant's place
            value = value._replace(span=node.value.span)
    place.names.own[name] = value


def _default(place: Place, node: tree.Default) -> None:
    layer = node.name.id
    if layer not in LAYERS:
        raise unknown("E138", f"{layer} is no layer, so it has no defaults", layer, node.name.span, LAYERS)
    check_names(layer, node.arguments)
    given = tuple(argument(place.evaluator, layer, a) for a in node.arguments)
    values = bind_arguments(layer, given).values
    for name in ("POOL", "MAXPOOL") if layer in ("POOL", "MAXPOOL") else (layer,):  # two names of one layer
        place.run.scopes[node.span.source].set_defaults(name, node.span.start, values)
