"""The widths that the language fills in: CONV's from the one before, FC's 128 or `classes`, SOFTMAX's own FC."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.elaborate.memory import Memory
from archdsl.elaborate.place import Place, Tail
from archdsl.elaborate.values import Fault, LayerValue, Poisoned, fault
from archdsl.graph import Value
from archdsl.layers.arguments import show
from archdsl.layers.base import Layer
from archdsl.syntax.source import Span

FIRST_WIDTH, WIDEST, HIDDEN = 32, 512, 128  # CONV's first width, its last doubling, FC's width


def complete(
    place: Place,
    layer: Layer,
    inputs: tuple[Value, ...],
    tail: Tail,
    span: Span,
    apply: Callable[[Place, LayerValue, Span], None],
) -> tuple[Layer, tuple[tuple[str, object], ...], tuple[Value, ...]]:
    """The layer with the widths that the rules of the language fill in, these, and what it reads.

    `apply` puts a layer before it, whose output is then what it reads.
    """
    spec = layer.spec
    if spec == "CONV" and layer.filters is None:  # type: ignore[attr-defined]  # CONV's own
        implied = {"filters": _default_width(place.memory, layer)}
    elif spec == "FC" and layer.width is None:  # type: ignore[attr-defined]  # FC's own
        implied = {"width": _classes(place, span) if tail.ends else HIDDEN}
    else:
        return layer, (), _scores(place, layer, inputs, tail, span, apply) if spec == "SOFTMAX" else inputs
    return place.run.completed(layer, implied), tuple(implied.items()), inputs


def _default_width(memory: Memory, layer: Layer) -> int:
    if memory.width is None:
        return FIRST_WIDTH
    strided = memory.strided or _strides(layer)
    return min(2 * memory.width, WIDEST) if strided and memory.width < WIDEST else memory.width


def _strides(layer: Layer) -> bool:
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
                "E130", "the FC that ends the network has an output for each class, and classes is not defined",
                span, help="write classes = 10 or FC(10), or give -D classes=10",
            ) from None  # fmt: skip
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise fault("E141", f"classes = {show(value)} is no number of classes", span)
    return value


def _scores(
    place: Place,
    layer: Layer,
    inputs: tuple[Value, ...],
    tail: Tail,
    span: Span,
    apply: Callable[[Place, LayerValue, Span], None],
) -> tuple[Value, ...]:
    """CS231n's softmax classifier: an FC before a SOFTMAX that ends the network, where the scores are not there yet."""
    own = getattr(layer, "classes", None)
    if not tail.last:
        if own is not None:
            raise fault(
                "E127", "SOFTMAX(n) stands for FC(n) - SOFTMAX, which only ends a network", span, help="write SOFTMAX"
            )
        return inputs
    try:
        classes = own if own is not None else _classes(place, span)
    except Fault as error:
        if error.diagnostic.code != "E130":
            raise
        return inputs
    x = inputs[0].type
    scores = x.shape[0] if x.rank >= 3 else x.shape[-1] if x.rank else 0
    if scores == classes:
        return inputs
    apply(place, LayerValue("FC", span, (("", classes, span),)), span)
    if place.value is None:
        raise Poisoned
    return (place.value,)
