"""The functions of the language, each with its limits: data in, data out."""

from __future__ import annotations

import math

from archdsl.annotations import Any
from archdsl.elaborate.values import DEEPEST_LIST, MOST_BITS, MOST_ITEMS, Builtin
from archdsl.layers.initialization import FANS, MAKERS


class BadValue(Exception):
    """A function or an operator cannot take a value; the message says why."""


def number(value: Any) -> Any:
    """The value if it is a number; raises BadValue."""
    kind = type(value)
    if kind is int or kind is float or (kind is not bool and isinstance(value, (int, float))):
        return value
    raise BadValue("a number is expected")


def whole(value: Any) -> int:
    """The value if it is a whole number; raises BadValue."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue("a whole number is expected")
    return value


def items(value: Any) -> Any:
    """The value if it can be gone through; raises BadValue."""
    if isinstance(value, (list, range)) or (isinstance(value, tuple) and not hasattr(value, "_fields")):
        if len_of(value) > MOST_ITEMS:
            raise BadValue(f"a range of more than {MOST_ITEMS:_} items is too long to go through")
        return value
    raise BadValue("a list, a tuple or a range is expected")


def len_of(value: Any) -> int:
    """The length, also of ranges past what Python's own `len` counts."""
    if isinstance(value, range):
        return max(0, (value.stop - value.start + value.step - (1 if value.step > 0 else -1)) // value.step)
    return len(value)


def divisible(value: Any, by: Any) -> int:
    """MobileNet's rounding to a multiple, never more than 10% down (Howard et al., 2017, as published in code)."""
    divisor = whole(by)
    if divisor < 1:
        raise BadValue("divisible needs a divisor above 0")
    result: int = max(divisor, math.floor(number(value) + divisor / 2) // divisor * divisor)
    return result + divisor if result < 0.9 * value else result


def _flat(values: tuple[Any, ...]) -> Any:
    values = tuple(items(values[0])) if len(values) == 1 else values
    if not values:
        raise BadValue("at least one value is expected")
    return [number(v) for v in values]


def _range(*ends: Any) -> range:
    ends = tuple(whole(end) for end in ends)
    if len(ends) == 3 and ends[2] == 0:
        raise BadValue("a range's step is not 0")
    return range(*ends)


def _linspace(first: Any, last: Any, count: Any) -> list[float]:
    n = whole(count)
    if not 0 <= n <= MOST_ITEMS:
        raise BadValue(f"linspace gives 0 to {MOST_ITEMS:_} values")
    first, last = number(first), number(last)
    return [float(first)] * n if n < 2 else [first + (last - first) * i / (n - 1) for i in range(n)]


def _sum(values: Any) -> Any:
    found = items(values)
    if len(found) and all(isinstance(value, list) for value in found):
        if sum(map(len, found)) > MOST_ITEMS:
            raise BadValue(f"more than {MOST_ITEMS:_} items")
        return [item for part in found for item in part]
    return sum(number(value) for value in found)


def _root(value: Any) -> float:
    if number(value) < 0:
        raise BadValue("a square root of a number below 0")
    return math.sqrt(value)


def _log2(value: Any) -> float:
    if number(value) <= 0:
        raise BadValue("a logarithm of a number that is not above 0")
    return math.log2(value)


def _integer(f: Any) -> Any:
    def call(value: Any) -> Any:
        number(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise BadValue("the number is not finite")
        return f(value)

    return call


def _round(value: Any, digits: Any = None) -> Any:
    return _integer(round)(value) if digits is None else round(number(value), whole(digits))


def checked(value: Any) -> Any:
    """The value, unless it is past the limits; raises BadValue."""
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise BadValue(f"a number of more than {MOST_BITS} bits")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise BadValue("the number is not finite")
    elif isinstance(value, (list, str)) and len(value) > MOST_ITEMS:
        raise BadValue(f"more than {MOST_ITEMS:_} items")
    return value


_NUMBERS = frozenset((bool, int, float))


def weighed(value: Any) -> int:
    """How many items a list or tuple has in all, those of lists within it included; raises BadValue past the limits.

    Lists that share their parts are small in memory and long to look through, which is what counts.
    """
    if not isinstance(value, (list, tuple)) or hasattr(value, "_fields"):
        return 0
    if len(value) <= MOST_ITEMS and _NUMBERS.issuperset(map(type, value)):
        return len(value)
    count, waiting = 0, [(value, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > DEEPEST_LIST:
            raise BadValue(f"lists nested more than {DEEPEST_LIST} deep")
        count += len(part)
        for item in () if _NUMBERS.issuperset(map(type, part)) else part:
            if isinstance(item, str):
                count += len(item)
            elif isinstance(item, (list, tuple)) and not hasattr(item, "_fields"):
                waiting.append((item, depth + 1))
        if count > MOST_ITEMS:
            raise BadValue(f"more than {MOST_ITEMS:_} items")
    return count


def _made(make: Any) -> Any:
    def call(*values: Any) -> Any:
        try:
            return make(*values)
        except ValueError as error:
            raise BadValue(str(error)) from None

    return call


FUNCTIONS: dict[str, Builtin] = {
    name: Builtin(name, call, least, most)
    for name, call, least, most in (
        ("min", lambda *v: min(_flat(v)), 1, None),
        ("max", lambda *v: max(_flat(v)), 1, None),
        ("abs", lambda v: abs(number(v)), 1, 1),
        ("sum", _sum, 1, 1),
        ("len", lambda v: len_of(v) if isinstance(v, range) else len(items(v)), 1, 1),
        ("round", _round, 1, 2),
        ("floor", _integer(math.floor), 1, 1),
        ("ceil", _integer(math.ceil), 1, 1),
        ("sqrt", _root, 1, 1),
        ("log2", _log2, 1, 1),
        ("range", _range, 1, 3),
        ("reversed", lambda v: list(items(v))[::-1], 1, 1),
        ("zip", lambda *v: [tuple(row) for row in zip(*(items(x) for x in v))], 1, None),
        ("enumerate", lambda v, start=0: [(i, x) for i, x in enumerate(items(v), whole(start))], 1, 2),
        ("linspace", _linspace, 3, 3),
        ("divisible", divisible, 2, 2),
    )
} | {
    name: Builtin(name, _made(make), 0, make.__code__.co_argcount, FANS if name.startswith("kaiming") else ())
    for name, make in MAKERS.items()
}
