"""Levels of the module tree, and what a label stands for behind its step."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.annotations import Any, Optional
from archdsl.elaborate.labels import Entry, Level
from archdsl.elaborate.place import Place
from archdsl.graph import Call, Module, Region
from archdsl.syntax.source import Span

Label = Optional[tuple[str, Span]]


def name_output(place: Place, label: Label, submodule: Any = None, *, left_out: bool = False) -> None:
    """Let the label stand for the tensor that has come out."""
    if label is None:
        return
    name, span = label
    if place.value is not None and not place.value.hint:
        place.value.hint = name
    place.level.define(name, Entry(place.value, submodule, span, left_out, place.memory))


def module(place: Place, span: Span, label: Label, fill: Callable[[Place], None]) -> None:
    """What `fill` elaborates, a group, copies, a loop, a branch or an arm, as a level of its own if it has a label."""
    if label is None:
        fill(place)
        return
    arriving = place.value
    param = arriving.again() if arriving is not None else None
    region = Region(param)  # type: ignore[arg-type]  # None only behind a fault, where no graph is used
    inner = place.inside(level=Level(place.level), region=region, value=param)
    fill(inner)
    region.result = inner.value  # type: ignore[assignment]  # likewise
    place.memory = inner.memory
    made = None
    if inner.value is not None:
        output = inner.value.again(label[0])
        source = arriving if arriving is not None else output
        made = Call(Module("", region, inner.level.positional), source, output, span, label[0])
        place.region.steps.append(made)
        place.advance(output)
    else:
        place.advance(None)
    name_output(place, label, made)
