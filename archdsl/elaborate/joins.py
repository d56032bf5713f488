"""The arms of a join."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.elaborate.apply import constant
from archdsl.elaborate.memory import Memory
from archdsl.elaborate.place import Place, Tail
from archdsl.elaborate.values import Poisoned, fault
from archdsl.graph import Value
from archdsl.layers.arguments import FLOAT32
from archdsl.syntax import tree

MOST_ARMS = 1000
Elaborate = Callable[[Place, tree.Body, Tail], None]


def arms(place: Place, node: tree.Join, body: Elaborate) -> tuple[list[Value | None], Memory]:
    """What each arm gives, over the tensor that arrives, and the memory after the join: the first arm's with a CONV."""
    if len(node.arms) > MOST_ARMS:
        raise fault("E156", f"{len(node.arms)} arms, and the limit is {MOST_ARMS}", node.name.span)
    values: list[Value | None] = []
    before = place.memory
    memory = before._replace(fresh=False)
    for arm in node.arms:
        number = _number(place, arm)
        if number is not None:
            if abs(number) > FLOAT32:
                raise fault("E210", f"numbers are float32, up to {FLOAT32:.1e}, and an arm is larger", arm.span)
            values.append(constant(place, number, arm.span))
            continue
        inner = place.inside(memory=before._replace(fresh=False))
        body(inner, arm, Tail())
        values.append(inner.value)
        if not memory.fresh:  # no arm so far has a CONV: any stride counts
            strided = inner.memory.strided or (memory.strided and not inner.memory.fresh)
            memory = inner.memory._replace(strided=strided)
    return values, memory._replace(fresh=memory.fresh or before.fresh)


def _number(place: Place, node: tree.Body) -> int | float | None:
    """The number that an arm is, if it is one."""
    if len(node.lines) != 1 or not isinstance(node.lines[0], tree.Chain) or len(node.lines[0].steps) != 1:
        return None
    only = node.lines[0].steps[0]
    if isinstance(only, tree.Number):
        return only.value
    if isinstance(only, tree.Name):
        try:
            value = place.names.find(only.id)
        except KeyError:
            try:
                value = place.run.missing(only.id)
            except (KeyError, Poisoned):
                return None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
    return None
