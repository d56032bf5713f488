"""Joins of tensors that look at different places: where the centres of what they see lie apart."""

from __future__ import annotations

from fractions import Fraction
from math import inf

from archdsl.analyses.frames import Op, frames
from archdsl.analyses.paths import START, Form
from archdsl.analyses.receptive_field import reaches
from archdsl.graph import Apply, Network
from archdsl.records import NamedTuple
from archdsl.tensor import TensorType

JOINS = frozenset(("ADD", "SUB", "MUL", "DIV", "MAX", "MIN", "CONCAT"))


class Misaligned(NamedTuple):
    """A join whose arms' centres lie apart: by how many positions of the input along each axis of the map."""

    join: Apply
    apart: tuple[Fraction, ...]


def misaligned(network: Network) -> list[Misaligned]:
    """The joins, position by position, of tensors that see the input around different centres.

    The centre of position 0 is (after - before)/2 of its field, see `fields` (Araujo, Norris and Sim, Distill 2019);
    neighbours' centres are one stride apart in all arms, or the maps would not have one size. An even kernel in one arm
    alone or a padding on one side shifts them. Arms that see all positions have no centre. In the last copy of a
    repetition.
    """
    found = frames(network)
    reached = reaches(network)
    result = []
    for frame in found.all:
        for step in frame.steps:
            if not isinstance(step, Op) or step.apply.layer.spec not in JOINS:
                continue
            maps = [x for x in step.inputs if x.type.rank > 1 and x.type.shape[1:] == step.output.type.shape[1:]]
            apart = _apart([(reached.reach(value), value.type) for value in maps])
            if any(apart):
                result.append(Misaligned(step.apply, apart))
    return result


def _apart(arms: list[tuple[Form, TensorType]]) -> tuple[Fraction, ...]:
    """How far the arms' centres lie apart by axis, seen from the input that has them furthest apart."""
    centres: dict[object, list[tuple[Fraction, ...]]] = {}
    for form, type in arms:
        for source, reach in form.items():
            axes = reach.axes * (type.rank - 1) if reach.any_rank else reach.axes
            if source is not START and len(axes) == type.rank - 1 and not any(before == inf for before, _, _ in axes):
                centre = tuple((Fraction(after) - Fraction(before)) / 2 for before, after, _ in axes)
                centres.setdefault(source, []).append(centre)
    spread = [tuple(max(axis) - min(axis) for axis in zip(*found)) for found in centres.values()]
    return max(spread, default=())
