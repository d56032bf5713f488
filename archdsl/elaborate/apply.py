"""A layer or a block where it stands: arguments, defaults, the shape that comes out, and what is said of a misfit."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.annotations import Any
from archdsl.elaborate.arguments import Bound, bind_layer, kinds
from archdsl.elaborate.memory import Memory
from archdsl.elaborate.misfit import misfit, shift, swapped_width
from archdsl.elaborate.output import after, doubt_of, guessed, silent
from archdsl.elaborate.place import NONE, Place, Run, Tail
from archdsl.elaborate.values import LayerValue, fault
from archdsl.elaborate.warnings import warn
from archdsl.elaborate.widths import complete
from archdsl.graph import Apply, Value
from archdsl.layers.arguments import Mismatch, show
from archdsl.layers.base import LayerError
from archdsl.layers.registry import layer_class
from archdsl.syntax.source import Span
from archdsl.tensor import TensorType, show_shape

Values = Sequence[Value | None]


def apply_layer(
    place: Place, callee: LayerValue, span: Span, tail: Tail, label: str | None, arms: Values | None = None
) -> Apply | None:
    """Apply a layer to what arrives or to its arms, and go on with what it gives; None behind a fault."""
    arriving = place.value
    width = arriving.type.channels if arriving is not None and arriving.type.rank else None
    scope = place.run.scopes.get(callee.span.source)  # none where it was written outside, in a list of layers
    defaults = scope.defaults_at(callee.name, callee.span.start) if scope is not None else NONE
    if place.run.fit:
        defaults = _with_fit(place.run, callee.name, defaults)
    bound = bind_layer(callee.name, callee.arguments, defaults, span, width, place.run.made)
    layer, inputs = bound.layer, _inputs(place, bound, arms, span)
    if any(value is None for value in inputs):
        place.advance(None)
        return None
    known = [value for value in inputs if value is not None]
    layer, implied = complete(place, layer, known, tail, span, lambda before: _before(place, before, span))
    bound = bound._replace(layer=layer)
    swapped = swapped_width(callee, width, bound, known)
    output, fits = _output(place, callee, bound, known, span, swapped)
    made = None
    if output is not None and not fits:  # the run has an error, so that nobody reads the graph
        if layer.spec == "CONV":
            place.memory = Memory(output.type.channels, False, True)
    elif output is not None:
        fields = tuple((k, v) for k, v in implied if k not in bound.spans)
        untouched = tuple((k, v) for k, v in layer.told().items() if k not in bound.spans and k not in defaults)
        made = Apply(layer, tuple(known), output, span, label or "", bound.given, fields, untouched)
        place.region.steps.append(made)
        place.memory = place.memory.behind(layer, known, output)
        if not output.doubt:
            warn(place, layer, known, span, swapped, shift(callee) if swapped else None)
    place.advance(output)
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


def _inputs(place: Place, bound: Bound, arms: Values | None, span: Span) -> list[Value | None]:
    layer = bound.layer
    least, most = layer.arity
    if arms is not None:
        inputs = list(arms)
    elif most == 0:
        inputs = []
    elif least > 1:
        names = " | ".join(layer.arms if len(layer.arms) >= least else ("a", "b"))
        raise fault("E125", f"{layer.spec} needs arms", span, help=f"{layer.spec}{{ {names} }}")
    else:
        inputs = [place.value]
    inputs += [tensor.value for tensor in bound.tensors]
    if len(inputs) < least or (most is not None and len(inputs) > most):
        takes = str(least) if most == least else f"{least} to {most}" if most is not None else f"{least} or more"
        plural = "" if takes == "1" else "s"
        raise fault("E125", f"{layer.spec} takes {takes} tensor{plural}, not {len(inputs)}", span)
    return inputs


def _output(
    place: Place, callee: LayerValue, bound: Bound, inputs: Sequence[Value], span: Span, swapped: str
) -> tuple[Value | None, bool]:
    """What the layer gives, and whether it fits; a misfit is reported, and gives what can be guessed, else None."""
    layer = bound.layer
    types = tuple(value.type for value in inputs)
    doubt, layout = after(layer, inputs)
    fits = True
    try:
        y = place.run.typed(layer, types)
    except (LayerError, Mismatch) as error:
        facts = error if isinstance(error, LayerError) else LayerError("E122", f"{layer.spec} {error}")
        if not silent(layer, facts, inputs):
            place.run.report(misfit(place, callee, bound, facts, inputs, span, swapped), place.trail)
        guess = facts.output or guessed(layer, facts, types)
        if guess is None:
            return None, False
        y, fits = guess, False
        doubt = max(doubt, doubt_of(layer))
    if y.size >= 2**63 or max(y.shape, default=0) >= 2**63:
        raise fault("E154", f"{show_shape(y.shape)} has too many elements (2^63 or more)", span)
    way = place.trail[0] if place.trail else None
    return Value(y, span, layer.spec, "", layout if y.rank > 1 else "", doubt, way), fits


def reference(place: Place, value: Value | None) -> None:
    """Go on with a tensor that was made before."""
    place.level.positional = False
    place.advance(value)


def constant(place: Place, number: float, span: Span) -> Value:
    """A number as an arm: a tensor without axes."""
    layer = layer_class("CONST")(values=number, dtype="float")  # type: ignore[call-arg]  # CONST's own fields
    output = Value(TensorType((), "float", False), span, "the number")
    place.region.steps.append(Apply(layer, (), output, span, "", show(number)))
    return output
