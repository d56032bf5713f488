"""Where elaboration stands and where its tensors come from, as places that are told with a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import Any
from archdsl.diagnostics import Related
from archdsl.elaborate.values import BlockValue, LayerValue, Tensor, describe
from archdsl.graph import Value
from archdsl.tensor import show_shape

LONGEST_TEXT = 40
"""A text or number that is longer says nothing in a label."""


def origins(values: Sequence[Value], trail: Sequence[Related]) -> tuple[tuple[str, ...], tuple[Related, ...]]:
    """Where tensors come from: notes on those that came from outside, and the places of the others.

    `trail` leads to the step that reads them: what it tells already is not told once more.
    """
    notes: list[str] = []
    places: list[Related] = []
    for value in dict.fromkeys(values):
        if not value.origin:
            continue
        text = f"the {show_shape(value.type.shape)} comes from {value.origin}"
        if value.span is None:
            notes.append(text)
            continue
        elsewhere = f", {value.way.text}" if value.way is not None and value.way not in trail else ""
        places.append(Related(value.span, text + elsewhere))
    return tuple(notes), tuple(places)


def values_of(names: Mapping[str, Any]) -> str:
    """`, w = 8, act = RELU`: the names of a block's call or a loop's pass, and what they stand for, lists apart."""
    told = [(name, value) for name, value in names.items() if isinstance(value, _TOLD)]
    shown = [(name, describe(value)) for name, value in told if not isinstance(value, str) or len(value) < LONGEST_TEXT]
    return "".join(f", {name} = {text}" for name, text in shown if len(text) <= LONGEST_TEXT)


_TOLD = (bool, int, float, str, LayerValue, BlockValue, Tensor)
