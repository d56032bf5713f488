"""The period of a network's sizes along its axes."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from archdsl.analyses.frames import Frame, Loop, Op, frames
from archdsl.graph import Network, Value
from archdsl.layers.base import Window


def period(network: Network) -> int:
    """A number L with g(n + L) = g(n) + slope*L for every size g of the network and every open n.

    It is the least common multiple of the strides between the input and each value, and of those by which layers
    divide sizes besides. Between two positions of a value lie as many of the input's as the strides' product.
    """
    found = frames(network)
    strides: dict[Value, Fraction] = {given.value: Fraction(1) for given in network.inputs}
    result = [1]

    def visit(frame: Frame) -> None:
        for step in frame.steps:
            if isinstance(step, Loop):
                body = step.body
                if body.param is not None:
                    strides[body.param] = strides.get(step.input, Fraction(1))
                visit(body)
                strides[step.output] = strides.get(body.result, Fraction(1)) if body.result else Fraction(1)
            else:
                strides[step.output] = _behind(step)

    def _behind(step: Op) -> Fraction:
        types = tuple(value.type for value in step.inputs)
        stride = _common([strides.get(value, Fraction(1)) for value in step.inputs])
        window = step.apply.layer.window(*types) if types else None
        factors = _factors(window)
        divided = step.apply.layer.divisor(*types) if types else 1
        result.append((stride * lcm(*(f.numerator for f in factors)) * divided).numerator)
        return stride * _common(factors) * divided

    visit(found.outermost)
    return lcm(*result)


def _common(strides: list[Fraction]) -> Fraction:
    """One stride for several: the own one of upsampling if all have it, else a whole number that stands for each.

    Where sizes are added, as CONCAT along positions does, or axes go different ways, a part of a position is no part
    of all: n + 2*n is even for every second n.
    """
    together = Fraction(lcm(*(stride.numerator for stride in strides)))
    return strides[0] if together == 1 and len(set(strides)) == 1 else together


def _factors(window: Window | str | None) -> list[Fraction]:
    """The strides of a window that hold for any size: those of adaptive layers do not, and give constant sizes."""
    if not isinstance(window, Window):
        return [Fraction(1)]
    strides = [Fraction(s) for s in window.stride]
    return [s for s in strides if s.denominator == 1 or s.numerator == 1] or [Fraction(1)]
