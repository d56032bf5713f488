"""What an expression is made into before it is evaluated, so that what is evaluated often is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archdsl.annotations import TYPE_CHECKING, Any, Optional
from archdsl.records import NamedTuple
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.elaborate.evaluate import Evaluator

Words = Optional[Sequence[str]]
"""Bare names that stand for themselves; None where an expression is no argument, and may be a layer."""

Run = Callable[["Evaluator", Words], Any]
"""Gives the value at a place, where words stand for themselves. Raises Fault, Poisoned."""


class Code(NamedTuple):
    """An expression made ready; `cost` is how many values it works out, those of its loops apart."""

    run: Run
    cost: int = 1


Ready = Callable[[tree.Value], Code]
"""Makes a part of an expression ready."""
