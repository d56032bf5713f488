"""The operators of the language over values."""

from __future__ import annotations

import operator

from archdsl.annotations import Any
from archdsl.elaborate.functions import BadValue, items, number, whole
from archdsl.elaborate.values import MOST_ITEMS, BlockValue, LayerValue, Poisoned, Tensor, describe, fault
from archdsl.syntax.source import Span

_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def truth(value: Any, span: Span) -> bool:
    """The value if it is true or false; raises E147."""
    if not isinstance(value, bool):
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


def arithmetic(name: str, left: Any, right: Any) -> Any:
    """One operation; raises BadValue and ZeroDivisionError."""
    if name == "..":
        return range(whole(left), whole(right) + 1)
    sequences = (list, tuple)
    if (
        name == "+"
        and type(left) is type(right)
        and isinstance(left, (*sequences, str))
        and not hasattr(left, "_fields")
    ):
        return left + right
    if name == "+" and isinstance(left, (list, range)) and isinstance(right, (list, range)):
        return list(items(left)) + list(items(right))
    if name == "*" and isinstance(left, sequences) and not hasattr(left, "_fields"):
        times = whole(right)
        if times * len(left) > MOST_ITEMS:
            raise BadValue(f"more than {MOST_ITEMS:_} items")
        return left * times
    number(left), number(right)
    if name == "+":
        return left + right
    if name == "-":
        return left - right
    if name == "*":
        return left * right
    if name == "/":
        exact = isinstance(left, int) and isinstance(right, int) and right != 0 and left % right == 0
        return left // right if exact else left / right
    if name == "//":
        return left // right
    if name == "%":
        return left % right
    return _power(left, right)


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left.bit_length() * right > 8192:
        raise BadValue("the power is too large")
    result = left**right
    if isinstance(result, complex):
        raise BadValue("a root of a number below 0")
    return result
