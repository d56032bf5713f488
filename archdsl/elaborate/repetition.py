"""Repetition: a copy is derived once for each tensor that arrives at one, and the rest is arithmetic."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.diagnostics import Related
from archdsl.elaborate.place import Place, Tail
from archdsl.elaborate.values import describe, fault
from archdsl.graph import Region, Repeat, Run
from archdsl.syntax import tree

MOST_COPIES = 4096  # copies of one repetition that differ
IN_COPY = "in repetition"  # how the note begins that names a copy: "in repetition 7 of 12"


def count_of(place: Place, node: tree.Repeated) -> int:
    """How many copies there are; raises E136 where the count is no whole number or below zero."""
    value = place.evaluator.value(node.count, hint="a count is given by -D {0}=2, or {0} = 2 in the file")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise fault("E136", f"a count is a whole number, not {describe(value)}", node.count.span)
    if value < 0:
        raise fault("E136", f"a count is 0 or more, not {describe(value)}", node.count.span)
    return value


def repeat(place: Place, node: tree.Repeated, count: int, tail: Tail, derive: Callable[[Place, Tail], None]) -> None:
    """Append `count` copies to the region of `place`; `derive` elaborates one at a place of its own.

    As soon as a copy leaves what arrived, all copies are alike up to the last, which is derived apart, since
    what follows may decide its width or bias. Raises E153 where too many copies differ.
    """
    if count == 1:
        derive(place, tail)
        return
    if count == 0:
        return
    runs: list[Run] = []
    first, remaining = place.value, count
    before = (place.level, len(place.level.labels))
    while remaining:
        arriving = place.value
        if arriving is None:  # behind a fault each copy would repeat it
            derive(place.inside(), tail)
            place.advance(None)
            return
        param = arriving.again()
        region = Region(param)
        here = f"{IN_COPY} {count - remaining + 1:_} of {count:_}"
        copy = place.inside(region=region, value=param, trail=(Related(node.count.span, here), *place.trail))
        known = (param.type, param.layout, copy.memory)
        derive(copy, tail if remaining == 1 else Tail())
        if copy.value is None:
            place.advance(None)
            return
        region.result = copy.value
        fixed = (
            (copy.value.type, copy.value.layout, copy.memory) == known
            and remaining > 1
            and before[1] == len(before[0].labels)
        )
        times = remaining - 1 if fixed else 1
        runs.append(Run(times, region))
        remaining -= times
        place.memory = copy.memory
        place.advance(copy.value.again())
        if len(runs) > MOST_COPIES:
            raise fault("E153", f"more than {MOST_COPIES:_} copies that differ, which is past the limit", node.span)
    if not any(run.region.steps for run in runs):  # nothing is done, however often
        region = runs[-1].region
        place.advance(first if region.result is region.param else region.result)
        return
    output = place.value
    if first is not None and output is not None:
        place.region.steps.append(Repeat(runs, first, output, node.span))
