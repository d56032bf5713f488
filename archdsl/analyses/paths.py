"""How far paths through a network reach: the arithmetic that the receptive field and the depth share.

What a stretch of a path does along one axis is a triple (before, after, jump): position i of its end sees the
positions i*jump - before to i*jump + after of its start. A window of extent e, padding p and stride s is
(p, e - 1 - p, s), and (a, b, j) followed by (c, d, k) is (a + c*j, b + d*j, j*k); Araujo, Norris and Sim, "Computing
Receptive Fields of Convolutional Neural Networks" (Distill, 2019), https://distill.pub/2019/computing-receptive-fields.
Where paths meet, the furthest of each counts. n copies are then a power: (n*a, n*b, 1) where the jump is 1, else the
sums of geometric series.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import inf

from archdsl.analyses.frames import Frame, Frames, Loop, Step
from archdsl.annotations import Union
from archdsl.graph import Apply, Value
from archdsl.records import NamedTuple
from archdsl.tensor import TensorType

Number = Union[int, Fraction, float]
Triple = tuple[Number, Number, Number]

LONGEST = 64
"""Copies past these change nothing where their jump is not 1: no input has 2**64 positions."""


class Reach(NamedTuple):
    """(before, after, jump) by axis; `any_rank`: one that stands for every axis, however many there are.

    `everything`: on the way the positions are lost, as in an FC, where a mere inf is a layer that looks at all of them.
    """

    axes: tuple[Triple, ...]
    any_rank: bool = False
    everything: bool = False


ITSELF = Reach(((0, 0, 1),), True)
EVERYTHING = Reach(((inf, inf, 1),), True, True)
WHOLE = Reach(((inf, inf, 1),), True)
EARLIER = Reach(((inf, 0, 1),), True)
START = Value(TensorType(()), origin="nowhere")
"""The source of what no input reaches, such as a PARAM."""

Form = dict[Value, Reach]
"""By source: what the paths from there do."""


def then(first: Reach, second: Reach) -> Reach:
    """A stretch, and another behind it; on maps of different ranks nobody knows which axis is which."""
    if second is ITSELF or first is ITSELF:
        return first if second is ITSELF else second
    return _pairwise(first, second, lambda p, q: (p[0] + q[0] * p[2], p[1] + q[1] * p[2], p[2] * q[2]))


def join(first: Reach, second: Reach) -> Reach:
    """Two stretches side by side."""
    return _pairwise(first, second, lambda p, q: (max(p[0], q[0]), max(p[1], q[1]), max(p[2], q[2])))


def _pairwise(first: Reach, second: Reach, combine: Callable[[Triple, Triple], Triple]) -> Reach:
    rank = max(len(first.axes), len(second.axes))
    if any(not reach.any_rank and len(reach.axes) != rank for reach in (first, second)):
        return EVERYTHING
    wide = (reach.axes * rank if reach.any_rank else reach.axes for reach in (first, second))
    everything = first.everything or second.everything
    return Reach(tuple(map(combine, *wide)), first.any_rank and second.any_rank, everything)


def power(reach: Reach, n: int) -> Reach:
    """A stretch n times in sequence, n being 0 or more."""
    if n == 0:
        return ITSELF
    return Reach(tuple(_power(*axis, n) for axis in reach.axes), reach.any_rank, reach.everything)


def _power(before: Number, after: Number, jump: Number, n: int) -> Triple:
    if jump == 1:
        return n * before, n * after, 1
    a, b, j = before, after, jump
    for _ in range(min(n, LONGEST) - 1):
        a, b, j = a + before * j, b + after * j, j * jump
    return a, b, j


class Paths:
    """The reach of every value from the network's inputs: `reach` of a Value, after `effect` of each layer.

    `effect` says what a layer does to what reaches any of its inputs. Values inside a repetition are those of
    its last copy. The time does not depend on how many copies there are.
    """

    def __init__(self, found: Frames, effect: Callable[[Apply], Reach]) -> None:
        self._found = found
        self._effect = effect
        self._forms: dict[int, dict[Value, Form]] = {}
        self._known: dict[Value, Form] = {}
        for frame in found.all:
            self._forms[id(frame)] = self._propagate(frame)
        for frame in reversed(found.all):
            self._settle(frame)

    def reach(self, value: Value) -> Form:
        """The reach of a value by input; that of START is there where a tensor comes from nowhere."""
        made = self._found.resolve(value)
        return self._known.get(made, {made: ITSELF})

    def _propagate(self, frame: Frame) -> dict[Value, Form]:
        """Forms over the frame's own sources: its param, the inputs, and what it reads from around."""
        forms: dict[Value, Form] = {}
        for step in frame.steps:
            if isinstance(step, Loop):
                forms[step.output] = self._loop(step, forms, step.copies)
                continue
            effect = self._effect(step.apply)
            joined: Form = {} if step.inputs else {START: ITSELF}
            for value in step.inputs:
                _add(joined, forms.get(value, {value: ITSELF}), ITSELF)
            forms[step.output] = {source: then(reach, effect) for source, reach in joined.items()}
        return forms

    def _loop(self, step: Loop, forms: dict[Value, Form], count: int) -> Form:
        """What `count` copies give: the first, then the power of what a copy does to the one before it."""
        if count == 0:
            return forms.get(step.input, {step.input: ITSELF})
        body, result = step.body, step.body.result
        assert result is not None  # the frame of a loop
        once = self._forms[id(body)].get(result, {result: ITSELF})
        first: Form = {}
        for source, reach in once.items():
            outer = step.input if source is body.param else source
            _add(first, forms.get(outer, {outer: ITSELF}), reach)
        if body.param not in once:
            return first
        more = power(once[body.param], count - 1)
        return {source: then(reach, more) for source, reach in first.items()}

    def _settle(self, frame: Frame) -> None:
        """From forms over a frame's sources to forms over the inputs, those of frames around being settled."""
        forms = self._forms[id(frame)]
        steps: list[Step] = frame.steps
        settled = frame is self._found.outermost  # its sources are the inputs
        for step in steps:
            self._known[step.output] = forms[step.output] if settled else self._whole(forms[step.output])
            if isinstance(step, Loop) and step.body.param is not None:
                self._known[step.body.param] = self._whole(self._loop(step, forms, step.copies - 1))

    def _whole(self, form: Form) -> Form:
        result: Form = {}
        for source, reach in form.items():
            _add(result, self._known.get(source, {source: ITSELF}), reach)
        return result


def _add(form: Form, other: Form, behind: Reach) -> None:
    """Join to a form another one with a stretch behind it."""
    for source, reach in other.items():
        longer = then(reach, behind)
        form[source] = join(form[source], longer) if source in form else longer
