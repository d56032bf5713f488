"""How a measure changes with each number of a spec, all of them from one elaboration.

A dual is a number that knows how it hangs on the numbers that are written: to each its first and its second
derivative, which arithmetic passes on (forward differentiation, Wengert 1964). What a count of parameters would be
with another width is then known, and need not be tried. A number that goes through anything but arithmetic, such as
a count of copies, is none afterwards, and says nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from archdsl.annotations import Any
from archdsl.syntax import tree
from archdsl.syntax.source import Span

Slopes = dict[Span, tuple[float, float]]
"""By the place of a number, the first and the second derivative by it."""


class Whole(int):
    """A whole number with its slopes; none is the same as another one, so that no cache takes one for another."""

    slopes: Slopes

    def __hash__(self) -> int:
        return id(self)


class Broken(float):
    """A number with a fraction, with its slopes."""

    slopes: Slopes

    def __hash__(self) -> int:
        return id(self)

    def __floor__(self) -> int:
        return _dual(math.floor(float(self)), self.slopes)  # type: ignore[no-any-return]

    def __ceil__(self) -> int:
        return _dual(math.ceil(float(self)), self.slopes)  # type: ignore[no-any-return]

    def __round__(self, digits: Any = None) -> Any:
        return _dual(round(float(self), digits), self.slopes)


def _dual(value: Any, slopes: Slopes) -> Any:
    result = Whole(value) if isinstance(value, int) else Broken(value)
    result.slopes = slopes
    return result


def _sum(a: Slopes, b: Slopes, sign: int) -> Slopes:
    if not b:
        return a
    found = dict(a)
    for place, (first, second) in b.items():
        f, s = found.get(place, (0.0, 0.0))
        found[place] = f + sign * first, s + sign * second
    return found


def _product(a: Any, b: Any, of_a: Slopes, of_b: Slopes) -> Slopes:
    found = {}
    for place in {**of_a, **of_b}:
        (f, s), (g, t) = of_a.get(place, (0.0, 0.0)), of_b.get(place, (0.0, 0.0))
        found[place] = f * b + g * a, s * b + 2 * f * g + t * a
    return found


def _passed_on(name: str, slopes: Callable[[Any, Any, Slopes, Slopes], Slopes]) -> None:
    """Let both kinds of duals have an operation, from either side."""

    def operation(plain: Callable[[Any, Any], Any], turned: bool) -> Callable[[Any, Any], Any]:
        def apply(self: Any, other: Any) -> Any:
            if not isinstance(other, (int, float)):
                return NotImplemented
            a, b = (other, self) if turned else (self, other)
            value = plain(_bare(a), _bare(b))
            try:
                found = slopes(_bare(a), _bare(b), getattr(a, "slopes", {}), getattr(b, "slopes", {}))
            except (OverflowError, ZeroDivisionError):  # past what a float holds
                found = {}
            return _dual(value, found) if isinstance(value, (int, float)) else value

        return apply

    import operator

    plain = getattr(operator, name)
    for kind in (Whole, Broken):
        setattr(kind, f"__{name}__", operation(plain, turned=False))
        setattr(kind, f"__r{name}__", operation(plain, turned=True))


def _bare(value: Any) -> Any:
    return int(value) if isinstance(value, int) else float(value)


def _quotient(a: Any, b: Any, of_a: Slopes, of_b: Slopes) -> Slopes:
    return _product(a, 1 / b, of_a, {place: (-f / b**2, 2 * f**2 / b**3 - s / b**2) for place, (f, s) in of_b.items()})


def _power(a: Any, b: Any, of_a: Slopes, of_b: Slopes) -> Slopes:
    if of_b or not 0 <= b <= 8:
        return {}
    first, second = b * a ** (b - 1) if b else 0, b * (b - 1) * a ** (b - 2) if b > 1 else 0
    return {place: (first * f, second * f * f + first * s) for place, (f, s) in of_a.items()}


def _negative(self: Any) -> Any:
    return _dual(-_bare(self), {place: (-f, -s) for place, (f, s) in self.slopes.items()})


for _kind in (Whole, Broken):
    _kind.__neg__ = _negative  # type: ignore[method-assign]
_passed_on("add", lambda a, b, f, g: _sum(f, g, 1))
_passed_on("sub", lambda a, b, f, g: _sum(f, g, -1))
_passed_on("mul", _product)
_passed_on("truediv", _quotient)
_passed_on("floordiv", _quotient)
_passed_on("pow", _power)


def with_slopes(node: Any) -> Any:
    """A part of a file in which each number is a dual, of slope 1 by its own place."""
    if isinstance(node, tree.Number) and type(node.value) is int:
        return node._replace(value=_dual(node.value, {node.span: (1.0, 0.0)}))
    if isinstance(node, tree.ShapeLiteral):
        places = number_places(node)
        return node._replace(
            sizes=tuple(_dual(s, {places.pop(0): (1.0, 0.0)}) if isinstance(s, int) else s for s in node.sizes)
        )
    if isinstance(node, tuple) and type(node) is not Span:
        parts: Iterable[Any] = [with_slopes(part) for part in node]
        return type(node)(*parts) if hasattr(node, "_fields") else tuple(parts)
    return node


def number_places(node: tree.ShapeLiteral) -> list[Span]:
    """Where the numbers of a shape stand."""
    start = node.span.start
    return [
        Span(node.span.source, start + match.start(), start + match.end())
        for match in re.finditer(r"[0-9]+", node.span.text)
    ]
