"""Calls in expressions: functions, and layers and blocks with arguments, which are values as well."""

from __future__ import annotations

from archdsl.annotations import TYPE_CHECKING, Any
from archdsl.elaborate.arguments import check_names
from archdsl.elaborate.code import Code, Ready, Words
from archdsl.elaborate.functions import BadValue, checked
from archdsl.elaborate.lookup import found
from archdsl.elaborate.parameters import bind_parameters
from archdsl.elaborate.parts import listed
from archdsl.elaborate.values import BlockValue, Builtin, Lambda, LayerValue, Names, describe, fault, same
from archdsl.elaborate.words import argument
from archdsl.layers.registry import LAYERS
from archdsl.records import new
from archdsl.syntax import tree
from archdsl.syntax.source import Span

if TYPE_CHECKING:
    from archdsl.elaborate.evaluate import Evaluator
    from archdsl.elaborate.place import Place

Given = tuple[tuple[str, Any, Span], ...]
"""Name, value and place of each argument."""

DEEPEST_CALLS = 40  # functions that call functions
MOST_KNOWN = 10_000  # calls of functions whose values are kept
CALL = 4  # what a call of a function costs beside its values
CALLED = "a block is defined by block {0}(…), or comes from another file: use {0} from …"


def call(node: tree.Call, ready: Ready) -> Code:
    """`min(a, b)`, `RELU(0.1)` as a part of an expression."""
    arguments = [(a.name, ready(a.value), a.value.span) for a in node.arguments]
    plain = [(name, code.run, span) for name, code, span in arguments]

    def run(place: Evaluator, words: Words) -> Any:
        callee = _callee(place, node)
        if isinstance(callee, LayerValue):
            return _layer(place, callee, node)
        own = callee.words if isinstance(callee, Builtin) else None
        return _value(place, callee, tuple([(name, of(place, own), at) for name, of, at in plain]), node)

    return Code(run, sum(code.cost for _, code, _ in arguments) + 1)


def called(place: Evaluator, node: tree.Call, *, step: bool) -> Any:
    """`CONV(64)` by itself, as a step or a value, which is not made ready: most are there once."""
    callee = _callee(place, node, step=step)
    if isinstance(callee, LayerValue):
        return _layer(place, callee, node)
    own = callee.words if isinstance(callee, Builtin) else None
    return _value(
        place, callee, tuple([(a.name, place.value(a.value, own), a.value.span) for a in node.arguments]), node
    )


def is_layer(names: Names, name: str) -> bool:
    """Whether a name is that of a layer, and no other name here."""
    return name in LAYERS and names.get(name, names) is names


def layer_step(place: Place, node: tree.Name | tree.Call) -> LayerValue:
    """`RELU`, `CONV(64)` as a step, where the name is a layer's; arguments that are whole numbers are just taken."""
    if isinstance(node, tree.Name):
        place.run.work.count(node.span)
        return LayerValue(node.id, node.span)
    span, (_, name), parts = node
    check_names(name, parts)
    evaluator: Evaluator | None = None
    given, numbers = [], 0
    for part in parts:
        value = part.value
        if type(value) is tree.Number and type(value.value) is int:
            numbers += 1
            given.append((part.name, value.value, value.span))
        else:
            evaluator = evaluator or place.evaluator
            given.append(argument(evaluator, name, part))
    place.run.work.count(span, numbers + 1)
    layer: LayerValue = new(LayerValue, (name, span, (*given,)))
    return layer


def _layer(place: Evaluator, layer: LayerValue, node: tree.Call) -> LayerValue:
    return LayerValue(layer.name, node.span, tuple([argument(place, layer.name, a) for a in node.arguments]))


def _callee(place: Evaluator, node: tree.Call, *, step: bool = False) -> Any:
    """What is called; raises E145 where it is nothing of the kind."""
    callee = found(place, node.name, None, CALLED, step=step)
    if isinstance(callee, (LayerValue, BlockValue)):
        if not callee.arguments:
            if isinstance(callee, LayerValue):
                check_names(callee.name, node.arguments)
            return callee
        what = describe(callee) + " with its arguments"
    elif isinstance(callee, (Builtin, Lambda)):
        return callee
    else:
        what = describe(callee)
    raise fault("E145", f"{node.name.id} is {what}, which cannot be called", node.name.span)


def _value(place: Evaluator, callee: Any, given: Given, node: tree.Call) -> Any:
    if isinstance(callee, BlockValue):
        return callee._replace(arguments=given)
    return _apply(place, callee, given, node) if isinstance(callee, Lambda) else _builtin(place, callee, given, node)


def _builtin(place: Evaluator, function: Builtin, given: Given, node: tree.Call) -> Any:
    """What a function of the language gives; raises E145 for another number of arguments, E140."""
    least, most = function.least, function.most
    if len(given) < least or (most is not None and len(given) > most) or any(name for name, _, _ in given):
        takes = "" if most == least else " or more" if most is None else f" to {most}"
        values = "value" if (least, most) == (1, 1) else "values"
        from archdsl.elaborate.signatures import signature  # a right spec does without it

        counts = f"{least}{takes} {values} without a name"
        raise fault(
            "E145", f"{function.word} takes {counts}, not {len(given)}", node.span, help=signature(function.word)
        )
    try:
        return listed(place, checked(function.call(*[value for _, value, _ in given])), node.span)
    except BadValue as error:
        raise fault("E140", str(error), node.span) from None
    except OverflowError:
        raise fault("E140", "the number is too large", node.span) from None


def _apply(place: Evaluator, function: Lambda, given: Given, node: tree.Call) -> Any:
    """What a function of the spec gives, worked out once for each list of arguments, unless it asks for more."""
    work = place.work
    key = (id(function.node), tuple([(name, same(value)) for name, value, _ in given]))
    if key in work.known:
        return work.known[key][1]
    asked = work.asked
    value = _worked_out(place, function, given, node)
    if work.asked == asked and len(work.known) < MOST_KNOWN:
        work.known[key] = given, value  # which keeps the arguments, and so what `same` says of them
    return value


def _worked_out(place: Evaluator, function: Lambda, given: Given, node: tree.Call) -> Any:
    work, inner = place.work, place.within(Names(function.names), closed=True)
    title = function.node.name.id
    bind_parameters(title, function.node.parameters, given, inner, node.span)
    work.calls += 1
    work.count(node.span, CALL)
    try:
        if work.calls > DEEPEST_CALLS:
            raise fault("E151", f"{title} leads back to itself, or calls nest too deeply", node.span)
        return inner.value(function.node.value)
    finally:
        work.calls -= 1
