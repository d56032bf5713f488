"""`share name`: a labelled submodule once more, with the same weights and the arguments of its first elaboration."""

from __future__ import annotations

from archdsl.diagnostics import Diagnostic
from archdsl.elaborate.origins import origins
from archdsl.elaborate.output import after, typed
from archdsl.elaborate.place import Place
from archdsl.elaborate.values import Fault, Poisoned, fault
from archdsl.graph import Apply, Call, Module, Region, Repeat, Run, Share, Step, Value
from archdsl.layers.arguments import Mismatch
from archdsl.layers.base import Layer, LayerError
from archdsl.syntax import tree
from archdsl.syntax.source import Span
from archdsl.tensor import TensorType, show_shape


def share(place: Place, node: tree.Share, label: str | None) -> None:
    """Apply again what the label names, to what arrives; raises E164 where it is no submodule, E165 where it cannot."""
    name = place.text(node.label)
    entry = place.find(name, node.span, "share ")
    if entry.left_out:  # what is not there changes nothing, here as there
        return
    if entry.step is None:
        if entry.value is None or entry.value.doubt:
            raise Poisoned
        raise fault("E164", f"{name} names a tensor and no submodule, so there is nothing to share", node.span)
    if place.value is None:
        raise Poisoned
    again = _again(place, entry.step, place.value, node.span, name)
    step = Share(entry.step, again, node.span, label or "")
    place.region.steps.append(step)
    place.memory = place.memory.again(again, entry.memory)
    place.advance(again.output)


def _again(place: Place, step: Apply | Call, arriving: Value, span: Span, name: str) -> Apply | Call:
    moved = {step.input: arriving} if isinstance(step, Call) else {step.inputs[0]: arriving} if step.inputs else {}
    made = _copy(place, step, moved, span, name)
    assert isinstance(made, (Apply, Call))
    return made


def _copy(place: Place, step: Step, moved: dict[Value, Value], span: Span, name: str) -> Step:
    """The step with the tensors of another place; `moved` says what stands for each value, and grows."""
    place.count(span)
    if isinstance(step, Apply):
        inputs = tuple(moved.get(value, value) for value in step.inputs)
        types = tuple(value.type for value in inputs)
        try:
            y = typed(step.layer, types)
            if _held(step.layer, types) != _held(step.layer, step.types):
                raise _other_weights(place, step, inputs, span, name)
        except (LayerError, Mismatch) as error:
            if any(value.doubt for value in inputs):
                raise Poisoned from None
            notes, related = origins(inputs, place.trail)
            message = f"{name} cannot be applied to {types[0]}: {error}"
            raise Fault(Diagnostic("E165", message, span, notes=notes, related=related)) from None
        doubt, layout = after(step.layer, inputs)
        way = place.trail[0] if place.trail else None
        output = Value(y, span, f"share {name}", step.output.hint, layout, doubt, way)
        moved[step.output] = output
        return Apply(step.layer, inputs, output, step.span, step.label, step.written, step.implied)
    if isinstance(step, Repeat):
        value = moved.get(step.input, step.input)
        runs = []
        for run in step.runs:
            for _ in range(1 if run.region.param.type == value.type else run.count):
                region = _region(place, run.region, value, moved, span, name)
                same = region.result.type == region.param.type
                if not same and run.count > 1 and run.region.param.type == value.type:
                    raise fault("E165", f"{name} cannot be applied to {value.type}: its copies would differ", span)
                runs.append(Run(run.count if run.region.param.type == value.type else 1, region))
                value = region.result.again()
        moved[step.output] = value
        return Repeat(runs, moved.get(step.input, step.input), value, step.span)
    if isinstance(step, Call):
        arriving = moved.get(step.input, step.input)
        region = _region(place, step.module.region, arriving, moved, span, name)
        output = region.result.again(step.output.hint)
        output.span, output.origin, output.way = span, f"share {name}", place.trail[0] if place.trail else None
        moved[step.output] = output
        module = Module(step.module.title, region, step.module.positional, step.module.arguments)
        return Call(module, arriving, output, step.span, step.label)
    again = _copy(place, step.again, moved, span, name)
    assert isinstance(again, (Apply, Call))
    return Share(step.target, again, step.span, step.label)


def _region(place: Place, region: Region, arriving: Value, moved: dict[Value, Value], span: Span, name: str) -> Region:
    param = arriving.again()
    moved[region.param] = param
    made = Region(param)
    made.steps = [_copy(place, step, moved, span, name) for step in region.steps]
    made.result = moved.get(region.result, region.result)
    return made


def _held(layer: Layer, types: tuple[TensorType, ...]) -> tuple[object, ...]:
    """All that a module holds: weights, and buffers such as running statistics."""
    return layer.weights(*types), layer.buffers(*types)


def _other_weights(place: Place, step: Apply, inputs: tuple[Value, ...], span: Span, name: str) -> Fault:
    arrives, before = inputs[0].type, step.types[0]
    notes, related = origins(inputs[:1], place.trail)
    message = f"{name} has weights for {show_shape(before.shape)} at {step.layer.spec}"
    message += f", and {show_shape(arrives.shape)} arrives"
    return Fault(Diagnostic("E165", message, span, notes=notes, related=related))
