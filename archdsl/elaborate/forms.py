"""How the value of an expression moves with an open size: whether it only grows, and whether it has a period.

Sizes of tensors are monotone and quasi-affine in their symbol (archdsl/symbolic/solve.py): g(n + L) = g(n) + k with the
network's period L. Sums and multiples of such are so too; a rest or a quotient by a whole number c has c times the
period. Work and memory are sums of products of sizes: they do not shrink when one grows.
"""

from __future__ import annotations

from collections.abc import Callable
from math import lcm

from archdsl.annotations import Any
from archdsl.elaborate.values import Tensor
from archdsl.records import NamedTuple
from archdsl.syntax import tree

FIXED = frozenset(("params", "parameters", "depth"))  # measures that no size of the input moves
GROWING = frozenset(("macs", "flops", "memory"))


class Form(NamedTuple):
    """`direction` is 1 for what never shrinks, -1 for what never grows, 0 for what stays, None for none of these.

    `period` is by how much the network's period has to be multiplied to be the expression's, 0 where it has none.
    `positive` says that it is never below 0.
    """

    direction: int | None
    period: int
    positive: bool = False

    @property
    def stays(self) -> bool:
        """Whether no size moves it."""
        return self.direction == 0

    def minus(self, other: Form) -> Form:
        """The form of a difference."""
        return _sum(self, _turned(other))


STAYS = Form(0, 1)
SIZE = Form(1, 1, positive=True)
UNKNOWN = Form(None, 0)

Evaluate = Callable[[tree.Value], Any]


def form(node: tree.Value, evaluate: Evaluate, symbols: frozenset[str]) -> Form:
    """An expression's form; `evaluate` tells the values of its parts that stay, and what its names are."""
    if isinstance(node, tree.Number):
        return STAYS._replace(positive=True)
    if isinstance(node, tree.Text):
        return STAYS
    if isinstance(node, tree.Name):
        return _name(node, evaluate, symbols)
    if isinstance(node, tree.Reference):
        return SIZE
    if isinstance(node, tree.ShapeLiteral):
        return SIZE if symbols.intersection(map(str, node.sizes)) else STAYS
    if isinstance(node, (tree.Attribute, tree.Index, tree.Slice)):
        return form(node.value, evaluate, symbols)
    if isinstance(node, tree.Items):
        return _together([form(item, evaluate, symbols) for item in node.items])
    if isinstance(node, tree.Unary) and node.operator in ("-", "+"):
        inner = form(node.value, evaluate, symbols)
        return _turned(inner) if node.operator == "-" else inner
    if isinstance(node, tree.Call) and node.name.id in ("min", "max") and not any(a.name for a in node.arguments):
        inner = _together([form(argument.value, evaluate, symbols) for argument in node.arguments])
        return inner._replace(period=0)
    if isinstance(node, tree.Binary):
        left, right = (form(side, evaluate, symbols) for side in (node.left, node.right))
        return _binary(node, left, right, evaluate)
    return UNKNOWN


def _name(node: tree.Name, evaluate: Evaluate, symbols: frozenset[str]) -> Form:
    if node.id in symbols:
        return SIZE
    if node.id in GROWING:
        return Form(1, 0, positive=True)
    if node.id in FIXED:
        return STAYS
    if node.id == "receptive_field":  # that of a GAP is the whole map
        return UNKNOWN
    value = evaluate(node)
    return SIZE if isinstance(value, Tensor) else STAYS._replace(positive=_is_number(value) and value >= 0)


def _binary(node: tree.Binary, left: Form, right: Form, evaluate: Evaluate) -> Form:
    if left.stays and right.stays:
        return STAYS
    if node.operator == "+":
        return _sum(left, right)
    if node.operator == "-":
        return left.minus(right)
    if node.operator == "*":
        if left.stays:
            left, right, factor = right, left, evaluate(node.left)
        elif right.stays:
            factor = evaluate(node.right)
        else:
            both = left.positive and right.positive
            return Form(1 if both and left.direction == right.direction == 1 else None, 0, both)
        if not _is_number(factor):
            return UNKNOWN
        times = left if factor >= 0 else _turned(left)
        return times if isinstance(factor, int) else times._replace(period=0)
    if right.stays and node.operator == "**" and left.positive:
        power = evaluate(node.right)
        return Form(left.direction, 0, positive=True) if _is_number(power) and power > 0 else UNKNOWN
    if right.stays and node.operator in ("/", "//", "%"):
        by = evaluate(node.right)
        if not _is_number(by) or by <= 0:
            return UNKNOWN
        exact = isinstance(by, int) and (node.operator != "/" or by & (by - 1) == 0)  # a half is, a third is not
        return Form(left.direction if node.operator != "%" else None, left.period * by if exact else 0, left.positive)
    return UNKNOWN


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _turned(one: Form) -> Form:
    return Form(None if one.direction is None else -one.direction, one.period, positive=False)


def _sum(left: Form, right: Form) -> Form:
    return _together([left, right])


def _together(forms: list[Form]) -> Form:
    ways = {one.direction for one in forms} - {0}
    direction = 0 if not ways else ways.pop() if len(ways) == 1 else None
    period = lcm(*(one.period for one in forms)) if all(one.period for one in forms) else 0
    return Form(direction, period, all(one.positive for one in forms))
