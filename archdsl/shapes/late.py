"""A size that a run alone knows: what an open size is while a layer is written out for all sizes at once.

The number is not there, so nothing that is written can hang on it. Arithmetic gives further such sizes, which a
backend writes as what computes them; whatever would need the number raises SizeNeeded.
"""

from __future__ import annotations

from archdsl.annotations import Any, NoReturn, Union, cast
from archdsl.tensor import Dim, Shape

Term = Union[int, tuple[Any, ...]]
"""A number; ("Shape", tensor, axis), the size of a tensor's axis; or an operation by ONNX's name and two terms.

"Div" rounds down, and the rest that "Mod" gives has the divisor's sign, as in Python.
"""


class SizeNeeded(Exception):
    """A number was asked for that is known in a run alone."""


class Late:
    """An open size; `term` says how it is computed."""

    __slots__ = ("term",)

    def __init__(self, term: Term) -> None:
        self.term = term

    def __add__(self, other: object) -> Late:
        return _made("Add", self, other)

    def __radd__(self, other: object) -> Late:
        return _made("Add", other, self)

    def __sub__(self, other: object) -> Late:
        return _made("Sub", self, other)

    def __rsub__(self, other: object) -> Late:
        return _made("Sub", other, self)

    def __mul__(self, other: object) -> Late:
        return _made("Mul", self, other)

    __rmul__ = __mul__

    def __floordiv__(self, other: object) -> Late:
        return _made("Div", self, other)

    def __mod__(self, other: object) -> Late:
        return _made("Mod", self, other)

    def __rmod__(self, other: object) -> Late:
        return _made("Mod", other, self)

    def __neg__(self) -> Late:
        return _made("Sub", 0, self)

    def _number(self, *others: object) -> NoReturn:
        raise SizeNeeded

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _number
    __bool__ = __int__ = __index__ = __float__ = __iter__ = _number
    __hash__ = None  # type: ignore[assignment]  # a key would be compared


def _made(operator: str, left: object, right: object) -> Late:
    if not isinstance(left, (int, Late)) or not isinstance(right, (int, Late)):
        raise SizeNeeded
    terms = [value.term if isinstance(value, Late) else value for value in (left, right)]
    if operator in ("Mul", "Div") and terms[1] == 1:
        return Late(terms[0])
    return Late((operator, *terms))


def late(tensor: str, axis: int) -> Dim:
    """The size of a tensor's axis, which a run will know, in the place of a number."""
    return cast(Dim, Late(("Shape", tensor, axis)))


def known(*sizes: Dim) -> bool:
    """Whether all sizes are numbers already."""
    return not any(isinstance(size, Late) for size in sizes)


def greatest(a: Dim, b: Dim) -> Dim:
    """The greater of two sizes, known or not."""
    return max(a, b) if known(a, b) else cast(Dim, _made("Max", a, b))


def same(a: Shape, b: Shape) -> bool:
    """Whether two shapes are surely equal: open sizes are where they are computed in the same way."""
    return [getattr(n, "term", n) for n in a] == [getattr(n, "term", n) for n in b]
