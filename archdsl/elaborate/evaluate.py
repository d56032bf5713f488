"""Values of expressions: arithmetic over data, with limits and errors that show the values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from archdsl.diagnostics import Diagnostic
from archdsl.elaborate.functions import FUNCTIONS, BadValue, checked, items, weighed, whole
from archdsl.elaborate.operations import arithmetic, compare, truth
from archdsl.elaborate.parameters import bind, bind_parameters
from archdsl.elaborate.suggest import unknown_name
from archdsl.elaborate.values import (
    BlockValue,
    Builtin,
    Fault,
    Lambda,
    LayerValue,
    Limit,
    Names,
    Poisoned,
    Tensor,
    Wrong,
    describe,
    fault,
    same,
)
from archdsl.graph import Value
from archdsl.layers.registry import LAYERS
from archdsl.syntax import tree
from archdsl.syntax.source import Span

Words = Sequence[str] | None
DEEPEST_CALLS = 40  # functions that call functions
MOST_WORK = 400_000  # values worked out in one run
MOST_KNOWN = 10_000  # calls of functions whose values are kept
CONSTANT = "a constant is given by `{0} = …` or -D {0}=…"
CALLED = "a block is defined by block {0}(…), or comes from another file: use {0} from …"


class Work:
    """Counts what is worked out, so that a hostile spec ends with an error rather than never."""

    def __init__(self) -> None:
        self.done = 0
        self.calls = 0
        self.asked = 0  # what was read that no function's arguments hold: tensors, names from outside
        self.known: dict[object, tuple[object, Any]] = {}  # what functions gave, see Evaluator._apply
        self.reads: list[tuple[Span, Value, slice]] = []  # sizes that expressions have read, as axes of a tensor

    def count(self, span: Span, values: int = 1) -> None:
        """So many values more; raises Limit past the limit."""
        self.done += values
        if self.done > MOST_WORK:
            message = f"the spec's values take more than {MOST_WORK:_} steps to work out"
            raise Limit(Diagnostic("E150", message, span))


class Evaluator:
    """Evaluates expressions where some names are visible and a tensor arrives.

    `lookup` answers `@name`; `missing` is asked for a name that nothing defines, and raises KeyError; `measures`
    are names that it knows, for what was meant by one that it does not.
    """

    def __init__(
        self,
        names: Names,
        arriving: Tensor | None,
        lookup: Callable[[tree.Reference], Tensor],
        work: Work,
        missing: Callable[[str], Any],
        measures: frozenset[str] = frozenset(),
    ) -> None:
        self.measures = measures
        self.names = names
        self.arriving = arriving
        self.lookup = lookup
        self.work = work
        self.missing = missing

    def within(self, names: Names) -> Evaluator:
        """The same place with other names."""
        return Evaluator(names, self.arriving, self.lookup, self.work, self.missing, self.measures)

    def value(self, node: tree.Value, words: Words = None, hint: str = CONSTANT) -> Any:
        """What the expression is worth; raises Fault, Poisoned.

        `words` are bare names that stand for themselves in an argument of a layer or a function, which is no layer.
        `hint` is the help where the expression is a name, `{0}`, that nothing defines.
        """
        self.work.count(node.span)
        kind = type(node)
        try:
            if isinstance(node, tree.Name):
                return checked(self._name(node, words, hint))
            value = checked(_RULES[kind](self, node, words))
            if kind in _MAKES_LISTS and isinstance(value, (list, tuple)):
                self.work.count(node.span, weighed(value))
            return value
        except BadValue as error:
            raise fault("E140", str(error), node.span) from None
        except OverflowError:
            raise fault("E140", "the number is too large", node.span) from None

    # ---- leaves

    def _literal(self, node: tree.Number | tree.Text, words: Words) -> Any:
        return node.value

    def _shape(self, node: tree.ShapeLiteral, words: Words) -> tuple[int, ...]:
        return tuple(size if isinstance(size, int) else self._size(size, node) for size in node.sizes)

    def _size(self, letter: str, node: tree.ShapeLiteral) -> int:
        try:
            value = self._name(tree.Name(node.span, letter), None)
        except Fault:
            raise fault(
                "E131",
                f"{letter} in {node.span.text} has no value",
                node.span,
                help=f"sizes stay open in inputs alone; give it one: -D {letter}=224, or {letter} = 224 in the file",
            ) from None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise fault(
                "E141", f"{letter} = {describe(value)} is no size: a whole number above 0 is expected", node.span
            )
        return value

    def _name(self, node: tree.Name, words: Words, hint: str = CONSTANT) -> Any:
        found = self.names.get(node.id, self)
        if found is not self:
            if isinstance(found, Wrong):
                raise Poisoned
            return found
        if words and node.id in words:
            return node.id
        if node.id in ("true", "false", "True", "False"):
            return node.id in ("true", "True")
        if node.id in FUNCTIONS:
            return FUNCTIONS[node.id]
        if node.id in LAYERS:
            return LayerValue(node.id, node.span)
        self.work.asked += 1
        try:
            value = self.missing(node.id)
        except KeyError:
            below = self.names.below(node.id)
            if below is not None:
                hint = f"{{0}} is defined at {below.place}, further down"
            raise unknown_name(node, self.names.known() | self.measures, words, hint) from None
        return value._replace(span=node.span) if isinstance(value, LayerValue) else value

    def _arriving(self, node: tree.Arriving, words: Words) -> Tensor:
        if self.arriving is None:
            raise fault("E132", "no tensor arrives here, so `in` stands for nothing", node.span)
        return self.arriving

    def _reference(self, node: tree.Reference, words: Words) -> Tensor:
        self.work.asked += 1
        return self.lookup(node)

    # ---- parts of values

    def _attribute(self, node: tree.Attribute, words: Words) -> Any:
        value = self.value(node.value)
        if not isinstance(value, Tensor):
            raise fault("E142", f"{describe(value)} is no tensor, and has no {node.name}", node.span)
        self.work.asked += 1
        if value.value is None or value.value.doubt > (node.name == "channels"):
            raise Poisoned
        shape = value.value.type.shape
        if node.name in ("shape", "size"):
            self.work.reads.append((node.span, value.value, slice(None)))
            return shape if node.name == "shape" else value.value.type.size
        axis = {"channels": 0, "features": -1, "height": -2, "width": -1}.get(node.name)
        if axis is None:
            known = "channels, features, height, width, size, shape"
            raise fault("E142", f"a tensor has no `{node.name}`", node.span, help=f"there are {known}")
        if len(shape) < (3 if node.name in ("height",) else 2 if node.name == "width" else 1):
            raise fault("E142", f"{value.value.type} has no {node.name}", node.span)
        self.work.reads.append((node.span, value.value, slice(axis, axis + 1 or None)))
        return shape[axis]

    def _index(self, node: tree.Index, words: Words) -> Any:
        values = items(self.value(node.value))
        index = whole(self.value(node.index))
        try:
            return values[index]
        except IndexError:
            raise fault("E143", f"index {index} is outside of {len(values)} items", node.index.span) from None

    def _slice(self, node: tree.Slice, words: Words) -> Any:
        values = items(self.value(node.value))
        start, stop = (whole(self.value(end)) if end is not None else None for end in (node.start, node.stop))
        return values[start:stop]

    def _items(self, node: tree.Items, words: Words) -> Any:
        values = [self.value(item) for item in node.items]
        return values if node.bracket == "[" else tuple(values)

    def _comprehension(self, node: tree.Comprehension, words: Words) -> list[Any]:
        result = []
        inner = self.within(self.names)
        for inner.names in self.bindings(node.targets, node.values):
            if all(truth(inner.value(test), test.span) for test in node.tests):
                result.append(inner.value(node.item))
        return result

    def bindings(self, targets: Sequence[tree.Target], values: tree.Value) -> Iterator[Names]:
        """The names of each pass of a loop, over those around; raises E144 where a value does not take apart."""
        try:
            passes = items(self.value(values))
        except BadValue as error:
            raise fault("E144", f"a loop cannot go through this: {error}", values.span) from None
        over = targets[0].span._replace(end=targets[-1].span.end)
        target = tree.Target(over, tuple(targets)) if len(targets) > 1 else targets[0]
        for value in passes:
            self.work.count(values.span, 4)  # what a pass costs beside its values
            names = Names(self.names)
            bind(target, value, names)
            yield names

    # ---- operators

    def _unary(self, node: tree.Unary, words: Words) -> Any:
        value = self.value(node.value)
        if node.operator == "not":
            return not truth(value, node.value.span)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise fault("E140", f"{node.operator} needs a number, not {describe(value)}", node.span)
        return -value if node.operator == "-" else value

    def _binary(self, node: tree.Binary, words: Words) -> Any:
        spine = [node]
        while isinstance(spine[-1].left, tree.Binary):  # a long sum leans to the left: no recursion along it
            spine.append(spine[-1].left)
        value = self.value(spine[-1].left, ())  # no layer
        for part in reversed(spine):
            if part.operator in ("and", "or"):
                known = truth(value, part.left.span)
                if known == (part.operator == "or"):
                    value = known
                else:
                    value = truth(self.value(part.right), part.right.span)
                continue
            right = self.value(part.right, ())
            try:
                value = checked(arithmetic(part.operator, value, right))
            except ZeroDivisionError:
                raise fault("E140", f"{describe(value)} {part.operator} 0: a division by zero", part.span) from None
            except BadValue as error:
                shown = f"{describe(value)} {part.operator} {describe(right)}"
                raise fault("E140", f"{shown}: {error}", part.span) from None
        return value

    def _comparison(self, node: tree.Comparison, words: Words) -> bool:
        left = self.value(node.operands[0])
        for name, operand in zip(node.operators, node.operands[1:]):
            right = self.value(operand)
            if not compare(name, left, right, node.span):
                return False
            left = right
        return True

    def _ternary(self, node: tree.Ternary, words: Words) -> Any:
        test = truth(self.value(node.test), node.test.span)
        return self.value(node.then if test else node.other, words)

    # ---- calls

    def arguments(self, node: tree.Call | tree.Join, words: Words = None) -> tuple[tuple[str, Any, Span], ...]:
        """Name, value and place of each argument."""
        return tuple((a.name, self.value(a.value, words), a.value.span) for a in node.arguments)

    def _call(self, node: tree.Call, words: Words) -> Any:
        callee = self._name(node.name, None, CALLED)
        if isinstance(callee, LayerValue) and not callee.arguments:
            from archdsl.elaborate.words import argument

            given = tuple(argument(self, callee.name, a) for a in node.arguments)
            return LayerValue(callee.name, node.span, given)
        if isinstance(callee, BlockValue) and not callee.arguments:
            return callee._replace(arguments=self.arguments(node))
        if not isinstance(callee, (Builtin, Lambda)):
            what = describe(callee) + (" with its arguments" if isinstance(callee, (LayerValue, BlockValue)) else "")
            raise fault("E145", f"{node.name.id} is {what}, which cannot be called", node.name.span)
        given = self.arguments(node, callee.words if isinstance(callee, Builtin) else None)
        if isinstance(callee, Lambda):
            return self._apply(callee, given, node)
        values = [value for _, value, _ in given]
        most_ = len(values) if callee.most is None else callee.most
        if any(name for name, _, _ in given) or not callee.least <= len(values) <= most_:
            most = "" if callee.most == callee.least else " or more" if callee.most is None else f" to {callee.most}"
            values_ = "value" if (callee.least, callee.most) == (1, 1) else "values"
            counts = f"{callee.least}{most} {values_} without a name"
            raise fault("E145", f"{callee.word} takes {counts}, not {len(given)}", node.span)
        return callee.call(*values)

    def _apply(self, function: Lambda, given: tuple[tuple[str, Any, Span], ...], node: tree.Call) -> Any:
        """What a function gives; it is worked out once for each list of arguments, unless it asks for anything else."""
        work = self.work
        key = (id(function.node), tuple((name, same(value)) for name, value, _ in given))
        if key in work.known:
            return work.known[key][1]
        asked = work.asked
        value = self._worked_out(function, given, node)
        if work.asked == asked and len(work.known) < MOST_KNOWN:
            work.known[key] = given, value  # which keeps the arguments, and so what `same` says of them
        return value

    def _worked_out(self, function: Lambda, given: tuple[tuple[str, Any, Span], ...], node: tree.Call) -> Any:
        names = Names(function.names)
        inner = Evaluator(names, None, self.lookup, self.work, self.missing)
        bind_parameters(function.node.name.id, function.node.parameters, given, inner, node.span)
        self.work.calls += 1
        self.work.count(node.span, 4)  # what a call costs beside its values
        try:
            if self.work.calls > DEEPEST_CALLS:
                raise fault(
                    "E151", f"{function.node.name.id} leads back to itself, or calls nest too deeply", node.span
                )
            return inner.value(function.node.value)
        finally:
            self.work.calls -= 1


_MAKES_LISTS = frozenset((tree.Items, tree.Comprehension, tree.Binary, tree.Call))
_RULES: dict[type, Callable[[Evaluator, Any, Words], Any]] = {
    tree.Number: Evaluator._literal,
    tree.Text: Evaluator._literal,
    tree.ShapeLiteral: Evaluator._shape,
    tree.Name: Evaluator._name,
    tree.Arriving: Evaluator._arriving,
    tree.Reference: Evaluator._reference,
    tree.Attribute: Evaluator._attribute,
    tree.Index: Evaluator._index,
    tree.Slice: Evaluator._slice,
    tree.Items: Evaluator._items,
    tree.Comprehension: Evaluator._comprehension,
    tree.Unary: Evaluator._unary,
    tree.Binary: Evaluator._binary,
    tree.Comparison: Evaluator._comparison,
    tree.Ternary: Evaluator._ternary,
    tree.Call: Evaluator._call,
}
