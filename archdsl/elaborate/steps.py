"""Chains become steps of a graph: one function for each form that a step may take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archdsl.annotations import Any
from archdsl.diagnostics import Related
from archdsl.elaborate.apply import apply_layer, reference
from archdsl.elaborate.blocks import apply_block
from archdsl.elaborate.calls import is_layer, layer_step
from archdsl.elaborate.choices import arm_of, choice_key, is_on
from archdsl.elaborate.endings import parts_of, tails
from archdsl.elaborate.joins import arms
from archdsl.elaborate.labels import Entry, check_label
from archdsl.elaborate.levels import Label, module, name_output
from archdsl.elaborate.operations import truth
from archdsl.elaborate.origins import values_of
from archdsl.elaborate.place import MOST_STEPS, ON, Place, Tail, too_many
from archdsl.elaborate.repetition import count_of, repeat
from archdsl.elaborate.sharing import share
from archdsl.elaborate.values import (
    BlockValue,
    Fault,
    LayerValue,
    Limit,
    Names,
    Poisoned,
    Tensor,
    Wrong,
    describe,
    fault,
)
from archdsl.layers.registry import LAYERS
from archdsl.syntax import tree
from archdsl.syntax.source import Span


def body(place: Place, node: tree.Body, tail: Tail) -> None:
    """The lines of a body, one after the other; its constants hold to its end."""
    inner = place.inside(names=Names(place.names))
    sequence(inner, [part for line in node.lines for part in parts_of(line)], tail)
    place.value, place.memory, place.here = inner.value, inner.memory, inner.here


def sequence(place: Place, parts: Sequence[tree.Step | tree.Constant], tail: Tail) -> None:
    """Steps in sequence. A step at fault is reported, and the rest is held to what can still be said of it."""
    following = tails(place, parts, tail) if tail.ends else None
    for part in parts:
        try:
            if isinstance(part, tree.Constant):
                define_constant(place, part)
            else:
                step(place, part, next(following) if following is not None else ON)
        except Limit:
            raise
        except Fault as error:
            place.run.report(error, place.trail)
            if not isinstance(part, tree.Constant):
                place.advance(None)
        except Poisoned:
            place.advance(None)


def define_constant(place: Place, node: tree.Constant) -> None:
    """A constant inside a body."""
    if node.name.id in place.names.own or node.name.id in LAYERS:
        raise fault("E133", f"{node.name.id} is defined already", node.name.span)
    place.names.own[node.name.id] = Wrong()
    place.names.own[node.name.id] = place.evaluator.value(node.value)


def step(place: Place, node: tree.Step, tail: Tail, label: Label = None) -> None:
    """One step; `label` is the one that stands before it."""
    run = place.run
    run.steps += 1
    if run.steps > MOST_STEPS:
        raise too_many(node.span)
    _FORMS[type(node)](place, node, tail, label)


def _labelled(place: Place, node: tree.Labelled, tail: Tail, label: Label) -> None:
    name = place.text(node.label)
    check_label(name, node.label.span)
    place.level.positional = False
    try:
        step(place, node.step, tail, (name, node.label.span))
    except (Fault, Poisoned):  # `@name` is no fault of its own then
        if name not in place.level.labels:
            place.level.enter(name, Entry(None, None, node.label.span))
        raise


def _called(place: Place, node: tree.Name | tree.Call | tree.Number, tail: Tail, label: Label) -> None:
    if isinstance(node, tree.Number):
        raise fault("E134", f"{describe(node.value)} is no step: a number may only be an arm", node.span)
    name = node if isinstance(node, tree.Name) else node.name
    if is_layer(place.names, name.id):  # as most are
        _apply(place, layer_step(place, node), name.span, tail, label)
        return
    if name.id == "INPUT" and not _defined(place, "INPUT"):
        if isinstance(node, tree.Call):
            raise fault(
                "E120", "INPUT takes no arguments", node.span, help="the input's shape stands in `input 3x32x32`"
            )
        name_output(place, label)
        return
    if name.id == "CHOOSE":
        raise fault("E125", "CHOOSE needs arms", name.span, help="CHOOSE{ CONV | POOL }")
    value = place.evaluator.value(node, hint="")
    if isinstance(value, LayerValue):
        _apply(place, value, name.span, tail, label)
    elif isinstance(value, BlockValue):
        made_call = apply_block(place, value, node.span, tail, label and label[0], body)
        name_output(place, label, made_call)
    elif isinstance(value, Tensor):
        reference(place, value.value)
        name_output(place, label)
    else:
        written = node.span.text if len(node.span.text) <= 30 else name.id
        raise fault("E134", f"{written} is {describe(value)}, which is no step", name.span)


def _apply(place: Place, layer: LayerValue, span: Span, tail: Tail, label: Label) -> None:
    made = apply_layer(place, layer, span, tail, label and label[0])
    if label is not None:
        name_output(place, label, made)


def _defined(place: Place, name: str) -> bool:
    return name in place.names.known()


def _reference(place: Place, node: tree.Reference, tail: Tail, label: Label) -> None:
    reference(place, place.lookup(node).value)
    name_output(place, label)


def _group(place: Place, node: tree.Group, tail: Tail, label: Label) -> None:
    module(place, node.span, label, lambda inner: body(inner, node.body, tail))


def _repeated(place: Place, node: tree.Repeated, tail: Tail, label: Label) -> None:
    count = count_of(place, node)

    def copies(inner: Place) -> None:
        repeat(inner, node, count, tail, lambda copy, last: step(copy, node.step, last))

    if count:
        module(place, node.span, label, copies)
    else:
        name_output(place, label, left_out=True)


def _optional(place: Place, node: tree.Optional_, tail: Tail, label: Label) -> None:
    if is_on(place, choice_key(place, node.mark, label and label[0]), node.mark):
        step(place, node.step, tail, label)
    else:
        name_output(place, label, left_out=True)


def _join(place: Place, node: tree.Join, tail: Tail, label: Label) -> None:
    name = node.name
    if name.id == "CHOOSE" and not _defined(place, "CHOOSE"):
        chosen = arm_of(place, choice_key(place, name.span, label and label[0]), len(node.arms), name.span)
        module(place, node.span, label, lambda inner: body(inner, node.arms[chosen], tail))
        return
    callee = place.evaluator.value(tree.Call(node.span, name, node.arguments) if node.arguments else name, hint="")
    if not isinstance(callee, LayerValue):
        raise fault("E126", f"{name.id} is {describe(callee)}, which joins no arms", name.span)
    place.level.positional = False
    values, place.memory = arms(place, node, body)
    made = apply_layer(place, callee, name.span, tail, label and label[0], values)
    name_output(place, label, made)


def _share(place: Place, node: tree.Share, tail: Tail, label: Label) -> None:
    place.level.positional = False
    share(place, node, label and label[0])
    name_output(place, label)


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def _loop(place: Place, node: tree.Loop, tail: Tail, label: Label) -> None:
    passes = list(place.evaluator.bindings(node.targets, node.values))
    if not passes:
        name_output(place, label, left_out=True)
        return

    head = node.span._replace(end=node.values.span.end)

    def fill(around: Place) -> None:
        for number, names in enumerate(passes, 1):
            place.run.work.count(node.span, 8)  # what a pass costs beside its steps
            here = Related(head, f"{_ordinal(number)} pass of the loop{values_of(names.own)}")
            inner = around.inside(names=names, trail=(here, *place.trail))
            body(inner, node.body, tail if number == len(passes) else Tail())
            around.value, around.memory, around.here = inner.value, inner.memory, inner.here

    module(place, node.span, label, fill)


def _ordinal(number: int) -> str:
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _condition(place: Place, node: tree.Condition, tail: Tail, label: Label) -> None:
    for branch in node.branches:
        if branch.test is None or truth(place.evaluator.value(branch.test), branch.test.span):
            break
    else:
        name_output(place, label, left_out=True)
        return
    module(place, node.span, label, lambda inner: body(inner, branch.body, tail))


_FORMS: dict[type, Callable[[Place, Any, Tail, Label], None]] = {
    tree.Name: _called,
    tree.Call: _called,
    tree.Number: _called,
    tree.Labelled: _labelled,
    tree.Group: _group,
    tree.Repeated: _repeated,
    tree.Optional_: _optional,
    tree.Join: _join,
    tree.Reference: _reference,
    tree.Share: _share,
    tree.Loop: _loop,
    tree.Condition: _condition,
}
