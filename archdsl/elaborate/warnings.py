"""What is no error of a layer, and hardly what was meant."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import Diagnostic, Edit, Fix
from archdsl.elaborate.edits import before_step
from archdsl.elaborate.origins import origins
from archdsl.elaborate.place import Place
from archdsl.elaborate.values import Fault
from archdsl.graph import Value
from archdsl.layers.base import Layer
from archdsl.syntax.source import Span
from archdsl.tensor import show_shape

_ORDER = {"map": "a map, channels first", "sequence": "a sequence, features last"}


def warn(place: Place, layer: Layer, inputs: Sequence[Value], span: Span, swapped: str, shift: Edit | None) -> bool:
    """Add W402 where maps meet a layer of sequences or the other way, W403 for a kernel that is likely a width.

    Answers whether there was any.
    """
    takes, told = layer.taken(), bool(swapped)
    for value in inputs:
        if value.layout != takes and takes in _ORDER and value.layout in _ORDER and value.type.rank > 1:
            told = True
            shape = show_shape(value.type.shape)
            notes, related = origins((value,), place.trail)
            found = Diagnostic(
                "W402",
                f"{layer.spec} takes the {shape} for {_ORDER[takes]}, "
                f"and the layers before took it for {_ORDER[value.layout]}",
                span,
                notes=notes,
                help=(_mend(layer, takes, value.type.rank),),
                related=related,
                fixes=_fixes(layer, takes, value.type.rank, span) if len(inputs) == 1 else (),
            )
            place.run.report(Fault(found), place.trail)
    if swapped:
        kernel = show_shape(tuple(getattr(layer, "kernel", 0) for _ in inputs[0].type.shape[1:]))
        fixes = (Fix(swapped, (shift,)),) if shift else ()
        found = Diagnostic(
            "W403", f"a kernel of {kernel} is larger than any in use", span, help=(swapped,), fixes=fixes
        )
        place.run.report(Fault(found), place.trail)
    return told


def _fixes(layer: Layer, takes: str, rank: int, span: Span) -> tuple[Fix, ...]:
    edit = before_step(span, _permute(takes, rank))
    if layer.spec == "LN" or edit is None or not span.text == layer.spec:
        return ()
    return (Fix(f"rearrange before it: {_permute(takes, rank)}", (edit,)),)


def _permute(takes: str, rank: int) -> str:
    axes = (*range(1, rank), 0) if takes == "sequence" else (rank - 1, *range(rank - 1))
    return f"PERMUTE({', '.join(map(str, axes))})"


def _mend(layer: Layer, takes: str, rank: int) -> str:
    if layer.spec == "LN":
        return "LN(axis=0) normalises the channels of each position"
    first = _permute(takes, rank)
    many = ', or REARRANGE("c h w -> (h w) c")' if takes == "sequence" and rank == 3 else ""
    return f"rearrange between them: {first}{many}"
