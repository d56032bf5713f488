"""A layer or a block where it stands: arguments, defaults, the shape that comes out, and what is said of a misfit."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archdsl.annotations import Any
from archdsl.elaborate.arguments import Applied, Made, bind_layer, kinds
from archdsl.elaborate.memory import Memory
from archdsl.elaborate.misfit import misfit, shift, swapped_width
from archdsl.elaborate.output import after, doubt_of, guessed, silent, typed
from archdsl.elaborate.place import NONE, Place, Run, Tail
from archdsl.elaborate.values import LayerValue, fault
from archdsl.elaborate.warnings import warn
from archdsl.elaborate.widths import complete
from archdsl.graph import Apply, Value
from archdsl.layers.arguments import Mismatch, show
from archdsl.layers.base import Layer, LayerError
from archdsl.layers.registry import layer_class
from archdsl.records import NamedTuple
from archdsl.syntax.source import Span
from archdsl.tensor import TensorType, show_shape

Values = Sequence[Value | None]


def apply_layer(
    place: Place, callee: LayerValue, span: Span, tail: Tail, label: str | None, arms: Values | None = None
) -> Apply | None:
    """Apply a layer to what arrives or to its arms, and go on with what it gives; None behind a fault."""
    run, arriving = place.run, place.value
    scope = run.scopes.get(callee.span.source)  # none where it was written outside, in a list of layers
    defaults = scope.defaults_at(callee.name, callee.span.start) if scope is not None and scope.defaults else NONE
    if run.fit:
        defaults = _with_fit(run, callee.name, defaults)
    one, fresh = bind_layer(callee.name, callee.arguments, defaults, span, arriving, run.made)
    inputs: tuple[Value, ...]
    # Equal where the layer gives the same. None where that hangs on more, on the network's end or what is sure; and the
    # first time, since most layers stand once.
    key: object
    if arms is None and one.form.single:  # as most are
        if arriving is None:
            place.advance(None)
            return None
        inputs = (arriving,)
        known = not (fresh or tail.ends or arriving.doubt)
        key = (one.layer, place.memory, arriving.type, arriving.layout) if known else None
    else:
        found = _inputs(one, arriving, arms, span)
        inputs = tuple([value for value in found if value is not None])
        if len(inputs) < len(found):
            place.advance(None)
            return None
        known = not (fresh or tail.ends or any(value.doubt for value in inputs))
        key = (one.layer, place.memory, *[(value.type, value.layout) for value in inputs]) if known else None
    applied = run.applied.get(key) if key is not None else None
    if applied is None:
        return _derive(place, callee, one, inputs, tail, span, label, key)
    way = place.trail[0] if place.trail else None
    output = Value(applied.type, span, applied.layer.spec, "", applied.layout, 0, way)
    place.memory = applied.memory
    return _append(place, applied.layer, inputs, output, span, label, one, applied.implied)


def _derive(
    place: Place,
    callee: LayerValue,
    one: Made,
    inputs: tuple[Value, ...],
    tail: Tail,
    span: Span,
    label: str | None,
    key: object,
) -> Apply | None:
    """What a layer gives by its rules and those of the language, kept by its key; a misfit is reported."""
    arriving = place.value
    layer, implied, inputs = complete(place, one.layer, inputs, tail, span, _before)
    swapped = swapped_width(callee, arriving, layer, inputs) if len(callee.arguments) > 1 else ""
    output, fits = _output(place, callee, layer, one, inputs, span, swapped)
    if output is None or not fits:  # the run has an error, so that nobody reads the graph
        if output is not None and layer.spec == "CONV":
            place.memory = Memory(output.type.channels, False, True)
        place.advance(output)
        return None
    if implied:
        implied = tuple([(k, v) for k, v in implied if k not in one.form.fields])
    place.memory = memory = place.memory.behind(layer, inputs, output)
    told = not output.doubt and warn(place, layer, inputs, span, swapped, shift(callee) if swapped else None)
    if key is not None and not told:
        place.run.applied[key] = Applied(layer, output.type, output.layout, memory, implied)
    return _append(place, layer, inputs, output, span, label, one, implied)


def _append(
    place: Place,
    layer: Layer,
    inputs: tuple[Value, ...],
    output: Value,
    span: Span,
    label: str | None,
    one: Made,
    implied: tuple[tuple[str, object], ...],
) -> Apply:
    """The layer as a step."""
    made = Apply(layer, inputs, output, span, label or "", one, implied)
    place.region.steps.append(made)
    place.value, place.here = output, True
    return made


def _with_fit(run: Run, layer: str, defaults: dict[str, Any]) -> dict[str, Any]:
    """The defaults with the rule that holds for the run, where the file has none."""
    kind = kinds(layer_class(layer)).get("fit")
    if "fit" in defaults or kind is None or run.fit not in kind.words:
        return defaults
    return run.fits.setdefault(id(defaults), {**defaults, "fit": run.fit})


def _before(place: Place, callee: LayerValue, span: Span) -> None:
    """A layer without a label before the one that is applied."""
    apply_layer(place, callee, span, Tail(), None)


def _inputs(one: Made, arriving: Value | None, arms: Values | None, span: Span) -> list[Value | None]:
    layer = one.layer
    least, most = layer.arity
    if arms is not None:
        inputs = list(arms)
    elif most == 0:
        inputs = []
    elif least > 1:
        names = " | ".join(layer.arms if len(layer.arms) >= least else ("a", "b"))
        raise fault("E125", f"{layer.spec} needs arms", span, help=f"{layer.spec}{{ {names} }}")
    else:
        inputs = [arriving]
    if one.tensors:
        inputs += [tensor.value for tensor in one.tensors]
    if len(inputs) < least or (most is not None and len(inputs) > most):
        takes = str(least) if most == least else f"{least} to {most}" if most is not None else f"{least} or more"
        plural = "" if takes == "1" else "s"
        raise fault("E125", f"{layer.spec} takes {takes} tensor{plural}, not {len(inputs)}", span)
    return inputs


def _output(
    place: Place, callee: LayerValue, layer: Layer, one: Made, inputs: Sequence[Value], span: Span, swapped: str
) -> tuple[Value | None, bool]:
    """What the layer gives, and whether it fits; a misfit is reported, and gives what can be guessed, else None."""
    types = tuple([value.type for value in inputs])
    doubt, layout = after(layer, inputs)
    fits = True
    try:
        y = typed(layer, types)
    except (LayerError, Mismatch) as error:
        facts = error if isinstance(error, LayerError) else LayerError("E122", f"{layer.spec} {error}")
        if not silent(layer, facts, inputs):
            place.run.report(misfit(place, callee, layer, one, facts, inputs, span, swapped), place.trail)
        guess = facts.output or guessed(layer, facts, types)
        if guess is None:
            return None, False
        y, fits = guess, False
        doubt = max(doubt, doubt_of(layer))
    if prod(y.shape) >= 2**63 or (0 in y.shape and max(y.shape) >= 2**63):
        raise fault("E154", f"{show_shape(y.shape)} has too many elements (2^63 or more)", span)
    way = place.trail[0] if place.trail else None
    return Value(y, span, layer.spec, "", layout if len(y.shape) > 1 else "", doubt, way), fits


def reference(place: Place, value: Value | None) -> None:
    """Go on with a tensor that was made before."""
    place.level.positional = False
    place.advance(value)


class Number(NamedTuple):
    """What the text says of a number as an arm."""

    text: str

    def gives(self, name: str) -> bool:
        """Whether the argument is given: a CONST has no others."""
        return True


def constant(place: Place, number: float, span: Span) -> Value:
    """A number as an arm: a tensor without axes."""
    layer = layer_class("CONST")(values=number, dtype="float")  # type: ignore[call-arg]  # CONST's own fields
    output = Value(TensorType((), "float", False), span, "the number")
    place.region.steps.append(Apply(layer, (), output, span, "", Number(show(number))))
    return output
