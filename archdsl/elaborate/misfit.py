"""What is said of a layer that cannot take what arrives, and the help that was tried before it is given."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import Diagnostic, Edit, Fix
from archdsl.elaborate.arguments import Made, width_of
from archdsl.elaborate.edits import set_argument, without_first
from archdsl.elaborate.origins import origins
from archdsl.elaborate.output import typed
from archdsl.elaborate.place import Place
from archdsl.elaborate.values import Fault, LayerValue, describe
from archdsl.graph import Value
from archdsl.layers.arguments import Mismatch, show
from archdsl.layers.base import Layer, LayerError
from archdsl.records import replace
from archdsl.syntax.source import Span

MOST_HELP = 3
LARGEST_KERNEL = 11  # AlexNet's; a larger one is likely a width


def misfit(
    place: Place,
    callee: LayerValue,
    layer: Layer,
    one: Made,
    facts: LayerError,
    inputs: Sequence[Value],
    span: Span,
    swapped: str,
) -> Fault:
    """The Fault of a layer that cannot take its inputs: where the sizes come from, and what would mend it.

    `layer` is what rules have made of `one`.
    """
    spans = one.spans(callee.arguments)
    at = spans.get(facts.argument, span)
    if place.run.trial:
        return Fault(Diagnostic(facts.code, facts.message, at))
    notes, related = origins(inputs, place.trail)
    tried = _tried(layer, facts, inputs)
    help = [*(text for text, _, _ in tried), *([facts.help] if facts.help else [])]
    edits = [(text, set_argument(callee, spans, argument, value)) for text, argument, value in tried]
    if swapped and facts.code != "E206":  # what is no map is none with another width
        likely = facts.code == "E203" or layer.kernel > LARGEST_KERNEL  # type: ignore[attr-defined]  # it is a CONV
        help = [swapped] if likely else [*help, swapped]
        edits = [(swapped, shift(callee)), *([] if likely else edits)]
    fixes = tuple(Fix(text, (edit,)) for text, edit in edits if edit is not None)
    notes = (*facts.notes, *notes)
    return Fault(
        Diagnostic(facts.code, facts.message, at, facts.label, notes, tuple(help), related=related, fixes=fixes)
    )


def shift(callee: LayerValue) -> Edit | None:
    """The edit that takes PyTorch's first number away."""
    loose = [(value, place) for key, value, place in callee.arguments if not key]
    return without_first(callee.span.start + len(callee.name), loose)


def swapped_width(callee: LayerValue, arriving: Value | None, layer: Layer, inputs: Sequence[Value]) -> str:
    """What is told to those who write PyTorch's CONV(3, 32, 3).

    It is "" where the first number is not the width that arrives, or the second is a kernel like others.
    """
    if callee.name not in ("CONV", "UPCONV"):
        return ""
    loose = [value for key, value, _ in callee.arguments if not key]
    if len(loose) < 2 or loose[0] != width_of(arriving) or not isinstance(loose[1], int):
        return ""
    if loose[1] <= min((LARGEST_KERNEL, *inputs[0].type.shape[1:])):
        try:
            typed(layer, [value.type for value in inputs])
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
            replace(layer, **{argument: value}).shape(*types)
        except (LayerError, Mismatch, TypeError):
            continue
        seen.add(argument)
        written = value if isinstance(value, str) else show(value)
        says = f"{argument}={written} {text if argument == 'fit' else 'fits ' + text}".rstrip()
        found.append((says, argument, written))
    return found
