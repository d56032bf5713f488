"""Values of expressions: arithmetic over data, with limits and errors that show the values.

An expression is made ready once in a run: each node becomes a function of the place that it is evaluated at, which
holds those of its parts. The rules, one for each kind of node, are in lookup.py, parts.py, operators.py and calls.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from archdsl.annotations import Any, Protocol
from archdsl.elaborate import calls, lookup, operators, parts
from archdsl.elaborate.code import Code, Ready, Words
from archdsl.elaborate.functions import BadValue, items
from archdsl.elaborate.lookup import CONSTANT
from archdsl.elaborate.parameters import bind, whole_target
from archdsl.elaborate.values import Names, Tensor, fault
from archdsl.elaborate.work import Work
from archdsl.syntax import tree


class Around(Protocol):
    """What lies around an expression: the tensor that arrives, what `@name` stands for, and names from outside."""

    @property
    def arriving(self) -> Tensor | None:
        """The tensor, None where none arrives."""
        ...

    def lookup(self, node: tree.Reference) -> Tensor:
        """The tensor of a label; raises Fault, Poisoned."""
        ...

    def missing(self, name: str) -> Any:
        """The value of a name that nothing here defines; raises KeyError, Poisoned."""
        ...


class Evaluator:
    """Evaluates expressions where some names are visible and a tensor arrives.

    `measures` are names that `around` knows, for what was meant by one that it does not.
    """

    __slots__ = ("around", "closed", "measures", "names", "passes", "work")

    def __init__(
        self,
        names: Names,
        around: Around,
        work: Work,
        measures: frozenset[str] = frozenset(),
        *,
        closed: bool = False,
        passes: bool = False,
    ) -> None:
        self.names = names
        self.around = around
        self.work = work
        self.measures = measures
        self.closed = closed  # whether no tensor arrives, as in a function
        self.passes = passes  # whether the names are those of a loop in an expression, which no other place sees

    def within(self, names: Names, *, closed: bool = False, passes: bool = False) -> Evaluator:
        """The same place with other names, and without the tensor where it is `closed`."""
        return Evaluator(names, self.around, self.work, self.measures, closed=closed or self.closed, passes=passes)

    def value(self, node: tree.Value, words: Words = None, hint: str = CONSTANT) -> Any:
        """What the expression is worth; raises Fault, Poisoned.

        `words` are bare names that stand for themselves in an argument of a layer or a function, which is no layer.
        `hint` is the help where the expression is a name, `{0}`, that nothing defines, "" for that of a step.
        """
        if isinstance(node, tree.Number):
            self.work.count(node.span)
            return parts.literal(node)
        if isinstance(node, tree.Name):
            self.work.count(node.span)
            return lookup.found(self, node, words, hint)
        if isinstance(node, tree.Call):
            self.work.count(node.span)
            return calls.called(self, node, step=not hint)
        known = self.work.codes.get(id(node))
        if known is None:
            known = self.work.codes[id(node)] = node, _code(node)  # which keeps the node, and so its id
        code = known[1]
        self.work.count(node.span, code.cost)
        return code.run(self, words)

    def bindings(self, targets: Sequence[tree.Target], values: tree.Value) -> Iterator[Names]:
        """The names of each pass of a loop, over those around; raises E144 where a value does not take apart."""
        try:
            passes = items(self.value(values))
        except BadValue as error:
            raise fault("E144", f"a loop cannot go through this: {error}", values.span) from None
        target = whole_target(targets)
        for value in passes:
            self.work.count(values.span, parts.PASS)
            names = Names(self.names)
            bind(target, value, names)
            yield names


def _code(node: tree.Value) -> Code:
    """The expression made ready."""
    return _RULES[type(node)](node, _code)


_RULES: dict[type, Callable[[Any, Ready], Code]] = {
    tree.Number: parts.constant,
    tree.Text: parts.constant,
    tree.ShapeLiteral: parts.shape,
    tree.Name: lookup.name,
    tree.Arriving: lookup.arriving,
    tree.Reference: lookup.reference,
    tree.Attribute: lookup.attribute,
    tree.Index: parts.index,
    tree.Slice: parts.slice_,
    tree.Items: parts.items_,
    tree.Comprehension: parts.comprehension,
    tree.Unary: operators.unary,
    tree.Binary: operators.binary,
    tree.Comparison: operators.comparison,
    tree.Ternary: operators.ternary,
    tree.Call: calls.call,
}
