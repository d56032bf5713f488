"""What is no error of a layer, and hardly what was meant."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import Diagnostic
from archdsl.elaborate.place import Place
from archdsl.graph import Value
from archdsl.layers.base import Layer
from archdsl.syntax.source import Span
from archdsl.tensor import show_shape

_ORDER = {"map": "a map, channels first", "sequence": "a sequence, features last"}
_MENDS = {"map": 'PERMUTE(1, 0), or REARRANGE("l c -> c l")', "sequence": 'PERMUTE(1, 0), or REARRANGE("c h w -> (h w) c")'}


def warn(place: Place, layer: Layer, inputs: Sequence[Value], span: Span, swapped: str) -> None:
    """Add W402 where maps meet a layer of sequences or the other way, W403 for a kernel that is likely a width."""
    takes = layer.taken()
    for value in inputs:
        if takes in _ORDER and value.layout in _ORDER and value.layout != takes and value.type.rank > 1:
            shape = show_shape(value.type.shape)
            found = Diagnostic(
                "W402",
                f"{layer.spec} takes the {shape} for {_ORDER[takes]}, and the layers before took it for {_ORDER[value.layout]}",
                span,
                notes=(f"the {shape} comes from {value.origin}",),
                help=(f"rearrange between them: {_MENDS[takes]}",),
            )
            _add(place, found)
    if swapped:
        kernel = show_shape(tuple(getattr(layer, "kernel") for _ in inputs[0].type.shape[1:]))
        _add(place, Diagnostic("W403", f"a kernel of {kernel} is larger than any in use", span, help=(swapped,)))


def _add(place: Place, found: Diagnostic) -> None:
    notes = [*found.notes, *(way for way in place.trail if not any(n.endswith(way) for n in found.notes))]
    place.run.findings.add(Diagnostic(found.code, found.message, found.span, found.label, tuple(notes), found.help))
