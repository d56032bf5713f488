"""A layer or a block where it stands: arguments, defaults, the shape that comes out, and what is said of a misfit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Optional

from archdsl.diagnostics import Diagnostic, Edit, Fix, Related
from archdsl.elaborate.arguments import Bound, bind_layer, kinds
from archdsl.elaborate.edits import set_argument, without_first
from archdsl.elaborate.evaluate import bind_parameters
from archdsl.elaborate.labels import Level
from archdsl.elaborate.output import after, doubt_of, guessed, silent, typed
from archdsl.elaborate.place import Memory, Place, Tail
from archdsl.elaborate.values import BlockValue, Fault, LayerValue, Names, Poisoned, describe, fault
from archdsl.elaborate.warnings import warn
from archdsl.graph import Apply, Call, Module, Region, Value
from archdsl.layers.arguments import Mismatch, show
from archdsl.layers.base import Layer, LayerError, Window
from archdsl.layers.registry import layer_class
from archdsl.syntax import tree
from archdsl.syntax.source import Span
from archdsl.tensor import TensorType, show_shape

FIRST_WIDTH, WIDEST, HIDDEN = 32, 512, 128  # CONV's first width, its last doubling, FC's width
DEEPEST_BLOCKS = 40
MOST_HELP = 3
LARGEST_KERNEL = 11  # AlexNet's; a larger one is likely a width

Values = Sequence[Optional[Value]]


def apply_layer(
    place: Place, callee: LayerValue, span: Span, tail: Tail, label: Optional[str], arms: Optional[Values] = None
) -> Optional[Apply]:
    """Apply a layer to what arrives or to its arms, and go on with what it gives; None behind a fault."""
    arriving = place.value
    width = arriving.type.channels if arriving is not None and arriving.type.rank else None
    scope = place.run.scopes.get(callee.span.source)  # none where it was written outside, in a list of layers
    defaults = scope.defaults_at(callee.name, callee.span.start) if scope is not None else {}
    if place.run.fit and "fit" not in defaults:
        kind = kinds(layer_class(callee.name)).get("fit")
        if kind is not None and place.run.fit in kind.words:
            defaults["fit"] = place.run.fit
    bound = bind_layer(callee.name, callee.arguments, defaults, span, width)
    layer, inputs = bound.layer, _inputs(place, bound, arms, span)
    if any(value is None for value in inputs):
        place.advance(None)
        return None
    known = [value for value in inputs if value is not None]
    layer, implied = _complete(place, layer, known, tail, span)
    bound = bound._replace(layer=layer)
    swapped = _swapped(callee, width, bound, known)
    output, fits = _output(place, callee, bound, known, span, swapped)
    made = None
    if output is not None and not fits:  # the run has an error, so that nobody reads the graph
        if layer.spec == "CONV":
            place.memory = Memory(output.type.channels, False, True)
    elif output is not None:
        fields = tuple((k, v) for k, v in implied if k not in bound.spans)
        made = Apply(layer, tuple(known), output, span, label or "", bound.given, fields)
        place.region.steps.append(made)
        _remember(place, layer, known, output)
        if not output.doubt:
            warn(place, layer, known, span, swapped, _shift(callee) if swapped else None)
    place.advance(output)
    return made


def _inputs(place: Place, bound: Bound, arms: Optional[Values], span: Span) -> list[Optional[Value]]:
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
    if len(inputs) < least or most is not None and len(inputs) > most:
        takes = str(least) if most == least else f"{least} to {most}" if most is not None else f"{least} or more"
        plural = "" if takes == "1" else "s"
        raise fault("E125", f"{layer.spec} takes {takes} tensor{plural}, not {len(inputs)}", span)
    return inputs


def _complete(
    place: Place, layer: Layer, inputs: Sequence[Value], tail: Tail, span: Span
) -> tuple[Layer, tuple[tuple[str, object], ...]]:
    """The layer with the widths that the rules of the language fill in, and these."""
    implied: dict[str, Any] = {}
    if layer.spec == "CONV" and getattr(layer, "filters") is None:
        implied["filters"] = _default_width(place.memory, layer, inputs)
    if layer.spec == "FC" and getattr(layer, "width") is None:
        implied["width"] = _classes(place, span) if tail.ends else HIDDEN
    if layer.spec == "SOFTMAX":
        layer = _classifier(place, layer, inputs, tail, span)
    return dataclasses.replace(layer, **implied) if implied else layer, tuple(implied.items())


def _default_width(memory: Memory, layer: Layer, inputs: Sequence[Value]) -> int:
    if memory.width is None:
        return FIRST_WIDTH
    strided = memory.strided or _strides(layer, inputs)
    return min(2 * memory.width, WIDEST) if strided and memory.width < WIDEST else memory.width


def _strides(layer: Layer, inputs: Sequence[Value]) -> bool:
    stride = getattr(layer, "stride", 1)
    return any(s > 1 for s in (stride if isinstance(stride, tuple) else (stride or 1,)))


def _classes(place: Place, span: Span) -> int:
    try:
        value = place.names.find("classes")
    except KeyError:
        try:
            value = place.run.missing("classes")
        except KeyError:
            raise fault(
                "E130", "the FC that ends the network has as many outputs as there are classes, and classes is not defined",
                span, help="write classes = 10 or FC(10), or give -D classes=10",
            ) from None  # fmt: skip
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise fault("E141", f"classes = {show(value)} is no number of classes", span)
    return value


def _classifier(place: Place, layer: Layer, inputs: Sequence[Value], tail: Tail, span: Span) -> Layer:
    """CS231n's softmax classifier: an FC before a SOFTMAX that ends the network, where the scores are not there yet."""
    own = getattr(layer, "classes", None)
    if not tail.last:
        if own is not None:
            raise fault("E127", "SOFTMAX(n) stands for FC(n) - SOFTMAX, which only ends a network", span, help="write SOFTMAX")
        return layer
    try:
        classes = own if own is not None else _classes(place, span)
    except Fault as error:
        if error.diagnostic.code != "E130":
            raise
        return layer
    x = inputs[0].type
    scores = x.shape[0] if x.rank >= 3 else x.shape[-1] if x.rank else 0
    if scores == classes:
        return layer
    apply_layer(place, LayerValue("FC", span, (("", classes, span),)), span, Tail(), None)
    if place.value is None:
        raise Poisoned
    inputs[0:1] = [place.value]  # type: ignore[index]  # the caller's own list: the SOFTMAX reads the scores
    return layer


def _output(
    place: Place, callee: LayerValue, bound: Bound, inputs: Sequence[Value], span: Span, swapped: str
) -> tuple[Optional[Value], bool]:
    """What the layer gives, and whether it fits; a misfit is reported, and gives what can be guessed, else None."""
    layer = bound.layer
    types = tuple(value.type for value in inputs)
    doubt, layout = after(layer, inputs)
    fits = True
    try:
        y = typed(layer, types)
    except (LayerError, Mismatch) as error:
        facts = error if isinstance(error, LayerError) else LayerError("E122", f"{layer.spec} {error}")
        if not silent(layer, facts, inputs):
            place.run.report(_misfit(callee, bound, facts, inputs, span, swapped), place.trail)
        guess = facts.output or guessed(layer, facts, types)
        if guess is None:
            return None, False
        y, fits = guess, False
        doubt = max(doubt, doubt_of(layer))
    if any(n >= 2**63 for n in y.shape) or y.size >= 2**63:
        raise fault("E154", f"{show_shape(y.shape)} has too many elements (2^63 or more)", span)
    origin = ", ".join((f"{layer.spec} at {place.run.where(span)}", *place.trail[:1]))
    return Value(y, span, origin, "", layout if y.rank > 1 else "", doubt), fits


def _misfit(
    callee: LayerValue, bound: Bound, facts: LayerError, inputs: Sequence[Value], span: Span, swapped: str
) -> Fault:
    at = bound.spans.get(facts.argument, span)
    origins = tuple(
        f"the {show_shape(v.type.shape)} comes from {v.origin}" for v in dict.fromkeys(inputs) if v.origin
    )  # fmt: skip
    tried = _tried(bound.layer, facts, inputs)
    help = [*(text for text, _, _ in tried), *([facts.help] if facts.help else [])]
    edits = [(text, set_argument(callee, bound.spans, argument, value)) for text, argument, value in tried]
    if swapped:
        likely = facts.code == "E203" or getattr(bound.layer, "kernel") > LARGEST_KERNEL
        help = [swapped] if likely else [*help, swapped]
        edits = [(swapped, _shift(callee)), *([] if likely else edits)]
    fixes = tuple(Fix(text, (edit,)) for text, edit in edits if edit is not None)
    related = tuple(
        Related(v.span, f"the {show_shape(v.type.shape)} comes from here") for v in dict.fromkeys(inputs) if v.span
    )
    return Fault(
        Diagnostic(
            facts.code, facts.message, at, facts.label, (*facts.notes, *origins), tuple(help), related=related, fixes=fixes
        )
    )


def _shift(callee: LayerValue) -> Optional[Edit]:
    """The edit that takes PyTorch's first number away."""
    loose = [(value, place) for key, value, place in callee.arguments if not key]
    return without_first(callee.span.start + len(callee.name), loose)


def _swapped(callee: LayerValue, width: Optional[int], bound: Bound, inputs: Sequence[Value]) -> str:
    """What is told to those who write PyTorch's CONV(3, 32, 3): "" where the first number is not the width that arrives,
    or the kernel is one that is used."""
    loose = [value for key, value, _ in callee.arguments if not key]
    if callee.name not in ("CONV", "UPCONV") or len(loose) < 2 or loose[0] != width or not isinstance(loose[1], int):
        return ""
    if loose[1] <= min(LARGEST_KERNEL, *inputs[0].type.shape[1:]):
        try:
            typed(bound.layer, [value.type for value in inputs])
            return ""
        except (LayerError, Mismatch):
            if len(loose) < 3:
                return ""
    rest = ", ".join(describe(value) for value in loose[1:])
    return f"the width that arrives is inferred: write {callee.name}({rest})"


def _tried(layer: Layer, facts: LayerError, inputs: Sequence[Value]) -> list[tuple[str, str, str]]:
    """The trials that do mend the layer, the first few, each as a sentence, the argument, and its value as text."""
    found: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    types = tuple(value.type for value in inputs)
    for argument, value, text in facts.trials:
        if argument in seen or len(found) >= MOST_HELP:
            continue
        try:
            dataclasses.replace(layer, **{argument: value}).shape(*types)
        except (LayerError, Mismatch, TypeError):
            continue
        seen.add(argument)
        written = value if isinstance(value, str) else show(value)
        says = f"{argument}={written} {text if argument == 'fit' else 'fits ' + text}".rstrip()
        found.append((says, argument, written))
    return found


def _remember(place: Place, layer: Layer, inputs: Sequence[Value], output: Value) -> None:
    if layer.spec == "CONV":
        place.memory = Memory(output.type.channels, False, True)
        return
    window = layer.window(*(value.type for value in inputs))
    if isinstance(window, Window) and any(s > 1 for s in window.stride):
        place.memory = place.memory._replace(strided=True)


def apply_block(
    place: Place,
    callee: BlockValue,
    span: Span,
    tail: Tail,
    label: Optional[str],
    body: Callable[[Place, tree.Body, Tail], None],
) -> Optional[Call]:
    """Elaborate a block's body with its arguments as one level of the module tree; None behind a fault."""
    title = callee.node.name.id
    if title in place.blocks:
        way = " - ".join((*place.blocks[place.blocks.index(title) :], title))
        raise fault("E155", f"the block {title} leads back to itself ({way})", span)
    if len(place.blocks) >= DEEPEST_BLOCKS:
        raise fault("E103", f"blocks nested too deeply: more than {DEEPEST_BLOCKS} levels", span)
    arriving = place.value
    param = arriving.again() if arriving is not None else None
    region = Region(param)  # type: ignore[arg-type]  # None only behind a fault, where no graph is used
    names = Names(callee.names, choices=f"{title}.")
    inner = place.inside(
        names=names,
        level=Level(place.level, closed=True),
        region=region,
        value=param,
        trail=(f"in {title} at {place.run.where(span)}", *place.trail),
        blocks=(*place.blocks, title),
    )
    bind_parameters(title, callee.node.parameters, callee.arguments, inner.evaluator, span)
    arguments = tuple(names.own.items())
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
    return made


def reference(place: Place, value: Optional[Value]) -> None:
    """Go on with a tensor that was made before."""
    place.level.positional = False
    place.advance(value)


def constant(place: Place, number: float, span: Span) -> Value:
    """A number as an arm: a tensor without axes."""
    layer = layer_class("CONST")(values=number, dtype="float")  # type: ignore[call-arg]  # CONST's own fields
    output = Value(TensorType((), "float", False), span, f"the number at {place.run.where(span)}")
    place.region.steps.append(Apply(layer, (), output, span, "", show(number)))
    return output


