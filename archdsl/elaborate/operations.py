"""The operators of the language over values."""

from __future__ import annotations

import operator
from collections.abc import Callable

from archdsl.annotations import Any
from archdsl.elaborate.functions import BadValue, items, number, whole
from archdsl.elaborate.values import MOST_ITEMS, BlockValue, LayerValue, Poisoned, Tensor, describe, fault
from archdsl.syntax.source import Span

_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {"==": operator.eq, "!=": operator.ne, **_ORDER}


def truth(value: Any, span: Span) -> bool:
    """The value if it is true or false; raises E147."""
    if value is not True and value is not False:
        raise fault("E147", f"{describe(value)} is neither true nor false", span)
    return value


def plain(value: Any) -> Any:
    """A tensor as its shape, for comparisons; raises Poisoned where it is unknown."""
    if isinstance(value, Tensor):
        if value.value is None or value.value.doubt:
            raise Poisoned
        return value.value.type.shape
    return value


def compare(name: str, left: Any, right: Any, span: Span) -> bool:
    """One comparison; raises E140 where the values have no order. A vector's shape may be written as its size."""
    if type(left) is int and type(right) is int:
        return bool(_RELATIONS[name](left, right))
    if isinstance(left, Tensor) != isinstance(right, Tensor):
        size, other = (right, left) if isinstance(left, Tensor) else (left, right)
        if isinstance(size, int) and not isinstance(size, bool) and len(plain(other)) == 1:
            left, right = ((size,), plain(other)) if isinstance(right, Tensor) else (plain(other), (size,))
    left, right = plain(left), plain(right)
    if isinstance(left, (LayerValue, BlockValue)) and isinstance(right, (LayerValue, BlockValue)):
        left, right = str(left), str(right)
    if isinstance(left, range) and isinstance(right, (list, range)):
        left, right = list(items(left)), list(items(right))
    if name in ("==", "!="):
        return bool((left == right) == (name == "=="))
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in (left, right)):
        raise fault("E140", f"{describe(left)} {name} {describe(right)}: only numbers have an order", span)
    return bool(_ORDER[name](left, right))


def _add(left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is type(right) and kind in (list, tuple, str):
        return left + right
    if isinstance(left, (list, range)) and isinstance(right, (list, range)):
        return list(items(left)) + list(items(right))
    return number(left) + number(right)


def _multiply(left: Any, right: Any) -> Any:
    if type(left) in (list, tuple):
        times = whole(right)
        if times * len(left) > MOST_ITEMS:
            raise BadValue(f"more than {MOST_ITEMS:_} items")
        return left * times
    return number(left) * number(right)


def _divide(left: Any, right: Any) -> Any:
    number(left), number(right)
    exact = isinstance(left, int) and isinstance(right, int) and right != 0 and left % right == 0
    return left // right if exact else left / right


def _power(left: Any, right: Any) -> Any:
    number(left), number(right)
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left.bit_length() * right > 8192:
        raise BadValue("the power is too large")
    result = left**right
    if isinstance(result, complex):
        raise BadValue("a root of a number below 0")
    return result


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": lambda left, right: number(left) - number(right),
    "*": _multiply,
    "/": _divide,
    "//": lambda left, right: number(left) // number(right),
    "%": lambda left, right: number(left) % number(right),
    "**": _power,
    "..": lambda left, right: range(whole(left), whole(right) + 1),
}
"""What each operator does; raises BadValue and ZeroDivisionError."""
