"""Operators in expressions: what they work on is evaluated, and operations.py does the rest."""

from __future__ import annotations

import operator
from collections.abc import Callable

from archdsl.annotations import TYPE_CHECKING, Any
from archdsl.elaborate.code import Code, Ready, Run, Words
from archdsl.elaborate.functions import BadValue, checked
from archdsl.elaborate.operations import ARITHMETIC, compare, truth
from archdsl.elaborate.parts import listed
from archdsl.elaborate.values import MOST_BITS, describe, fault
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.elaborate.evaluate import Evaluator

OF_WHOLE: dict[str, Callable[[int, int], int]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
"""What operators do with whole numbers alone, which can only fail by their size."""


def unary(node: tree.Unary, ready: Ready) -> Code:
    """`-a`, `+a`, `not a`."""
    of, cost = ready(node.value)

    def run(place: Evaluator, words: Words) -> Any:
        value = of(place, None)
        if node.operator == "not":
            return not truth(value, node.value.span)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise fault("E140", f"{node.operator} needs a number, not {describe(value)}", node.span)
        return -value if node.operator == "-" else value

    return Code(run, cost + 1)


def binary(node: tree.Binary, ready: Ready) -> Code:
    """`a + b`, `a and b`, `1..n`."""
    if node.operator in OF_WHOLE and not isinstance(node.left, tree.Binary):
        return _of_two(node, ready)
    spine = [node]
    while isinstance(spine[-1].left, tree.Binary):  # a long sum leans to the left: no recursion along it
        spine.append(spine[-1].left)
    first, cost = ready(spine[-1].left)
    parts: list[tuple[Run, tree.Binary]] = []
    for part in reversed(spine):
        right = ready(part.right)
        parts.append((right.run, part))
        cost += right.cost

    def run(place: Evaluator, words: Words) -> Any:
        value = first(place, ())  # no layer
        for right, part in parts:
            if part.operator in ARITHMETIC:
                value = _arithmetic(part, value, right(place, ()))
            else:
                value = _logic(place, part, value, right)
        return listed(place, value, node.span)

    return Code(run, cost + 1)


def _of_two(node: tree.Binary, ready: Ready) -> Code:
    """A sum, difference or product of two, which mostly are whole numbers: tables are made of them."""
    first, second = ready(node.left), ready(node.right)
    operation, left, right = OF_WHOLE[node.operator], first.run, second.run

    def run(place: Evaluator, words: Words) -> Any:
        a, b = left(place, ()), right(place, ())  # no layers
        if type(a) is int and type(b) is int:
            value = operation(a, b)
            if value.bit_length() <= MOST_BITS:
                return value
        return listed(place, _arithmetic(node, a, b), node.span)

    return Code(run, first.cost + second.cost + 1)


def _logic(place: Evaluator, node: tree.Binary, left: Any, right: Run) -> bool:
    """`and` and `or`, which ask for what stands on the right only where it matters."""
    known = truth(left, node.left.span)
    if known == (node.operator == "or"):
        return known
    return truth(right(place, None), node.right.span)


def _arithmetic(node: tree.Binary, left: Any, right: Any) -> Any:
    try:
        return checked(ARITHMETIC[node.operator](left, right))
    except ZeroDivisionError:
        raise fault("E140", f"{describe(left)} {node.operator} 0: a division by zero", node.span) from None
    except BadValue as error:
        shown = f"{describe(left)} {node.operator} {describe(right)}"
        raise fault("E140", f"{shown}: {error}", node.span) from None
    except OverflowError:
        raise fault("E140", "the number is too large", node.span) from None


def comparison(node: tree.Comparison, ready: Ready) -> Code:
    """`a < b <= c`."""
    operands = [ready(operand) for operand in node.operands]
    first = operands[0].run
    others = [(name, operand.run) for name, operand in zip(node.operators, operands[1:])]

    def run(place: Evaluator, words: Words) -> bool:
        left = first(place, None)
        for name, operand in others:
            right = operand(place, None)
            try:
                if not compare(name, left, right, node.span):
                    return False
            except BadValue as error:
                raise fault("E140", str(error), node.span) from None
            left = right
        return True

    return Code(run, sum(operand.cost for operand in operands) + 1)


def ternary(node: tree.Ternary, ready: Ready) -> Code:
    """`then if test else other`."""
    test, then, other = ready(node.test), ready(node.then), ready(node.other)

    def run(place: Evaluator, words: Words) -> Any:
        chosen = then if truth(test.run(place, None), node.test.span) else other
        return chosen.run(place, words)

    return Code(run, test.cost + then.cost + other.cost + 1)
