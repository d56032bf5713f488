"""An assertion taken apart: comparisons of two values each, joined by `and` and `or`, with `not` moved inside."""

from __future__ import annotations

from archdsl.annotations import Union
from archdsl.records import NamedTuple
from archdsl.syntax import tree

OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


class Both(NamedTuple):
    """What holds where all its parts do."""

    parts: tuple[Logic, ...]


class Either(NamedTuple):
    """What holds where one of its parts does."""

    parts: tuple[Logic, ...]


Logic = Union[Both, Either, tree.Value]


def taken_apart(node: tree.Value, wanted: bool = True) -> Logic:
    """The parts of a truth value, or of its opposite where it is not `wanted`."""
    if isinstance(node, tree.Unary) and node.operator == "not":
        return taken_apart(node.value, not wanted)
    if isinstance(node, tree.Binary) and node.operator in ("and", "or"):
        kind = Both if (node.operator == "and") == wanted else Either
        sides = (taken_apart(node.left, wanted), taken_apart(node.right, wanted))
        return kind(tuple(part for side in sides for part in (side.parts if isinstance(side, kind) else (side,))))
    if isinstance(node, tree.Comparison) and all(name in OPPOSITE for name in node.operators):
        pairs = tuple(
            tree.Comparison(node.span, node.operands[i : i + 2], (name if wanted else OPPOSITE[name],))
            for i, name in enumerate(node.operators)
        )
        return pairs[0] if len(pairs) == 1 else Both(pairs) if wanted else Either(pairs)
    return node if wanted else tree.Unary(node.span, "not", node)
