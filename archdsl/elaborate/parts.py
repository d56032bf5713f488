"""Literals and lists in expressions, and the parts of lists."""

from __future__ import annotations

from archdsl.annotations import TYPE_CHECKING, Any
from archdsl.elaborate.code import Code, Ready, Words
from archdsl.elaborate.functions import BadValue, checked, items, weighed, whole
from archdsl.elaborate.lookup import found
from archdsl.elaborate.operations import truth
from archdsl.elaborate.parameters import bind, whole_target
from archdsl.elaborate.values import Fault, Names, describe, fault
from archdsl.syntax import tree
from archdsl.syntax.source import Span

if TYPE_CHECKING:
    from archdsl.elaborate.evaluate import Evaluator

PASS = 4  # what a pass of a loop costs beside its values


def literal(node: tree.Number | tree.Text) -> Any:
    """What a number or a text is worth; raises E140 where it is past the limits."""
    try:
        return checked(node.value)
    except BadValue as error:
        raise fault("E140", str(error), node.span) from None


def constant(node: tree.Number | tree.Text, ready: Ready) -> Code:
    """A number or a text."""
    try:
        value = checked(node.value)
    except BadValue:
        return Code(lambda place, words: literal(node))
    return Code(lambda place, words: value)


def shape(node: tree.ShapeLiteral, ready: Ready) -> Code:
    """`3x32x32`, `3xHxW`."""

    def run(place: Evaluator, words: Words) -> tuple[int, ...]:
        return tuple(size if isinstance(size, int) else _size(place, size, node.span) for size in node.sizes)

    return Code(run)


def _size(place: Evaluator, letter: str, span: Span) -> int:
    try:
        value = found(place, tree.Name(span, letter))
    except Fault:
        raise fault(
            "E131",
            f"{letter} in {span.text} has no value",
            span,
            help=f"sizes stay open in inputs alone; give it one: -D {letter}=224, or {letter} = 224 in the file",
        ) from None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise fault("E141", f"{letter} = {describe(value)} is no size: a whole number above 0 is expected", span)
    return value


def index(node: tree.Index, ready: Ready) -> Code:
    """`widths[i]`."""
    of, at = ready(node.value), ready(node.index)

    def run(place: Evaluator, words: Words) -> Any:
        try:
            values = items(of.run(place, None))
            number = whole(at.run(place, None))
        except BadValue as error:
            raise fault("E140", str(error), node.span) from None
        try:
            return values[number]
        except IndexError:
            raise fault("E143", f"index {number} is outside of {len(values)} items", node.index.span) from None

    return Code(run, of.cost + at.cost + 1)


def slice_(node: tree.Slice, ready: Ready) -> Code:
    """`widths[1:3]`."""
    of = ready(node.value)
    ends = [None if end is None else ready(end) for end in (node.start, node.stop)]

    def run(place: Evaluator, words: Words) -> Any:
        try:
            values = items(of.run(place, None))
            start, stop = (None if end is None else whole(end.run(place, None)) for end in ends)
        except BadValue as error:
            raise fault("E140", str(error), node.span) from None
        return values[start:stop]

    return Code(run, of.cost + sum(end.cost for end in ends if end is not None) + 1)


def items_(node: tree.Items, ready: Ready) -> Code:
    """`[1, 2]`, `(1, 2)`."""
    parts = [ready(item) for item in node.items]
    runs = [part.run for part in parts]
    make: Any = list if node.bracket == "[" else tuple

    def run(place: Evaluator, words: Words) -> Any:
        return listed(place, make([part(place, None) for part in runs]), node.span)

    return Code(run, sum(part.cost for part in parts) + 1)


def comprehension(node: tree.Comprehension, ready: Ready) -> Code:
    """`[item for targets in values if test]`."""
    over, item = ready(node.values), ready(node.item)
    tests = [(ready(test), test.span) for test in node.tests]
    target = whole_target(node.targets)
    single = target.names if isinstance(target.names, str) else ""
    each = PASS + item.cost + sum(test.cost for test, _ in tests)

    def run(place: Evaluator, words: Words) -> Any:
        try:
            passes = items(over.run(place, None))
        except BadValue as error:
            raise fault("E144", f"a loop cannot go through this: {error}", node.values.span) from None
        names = Names(place.names)  # the same in each pass, since no value of an expression holds on to names
        inner = place.within(names, passes=True)
        place.work.count(node.values.span, each * len(passes))
        result = []
        for value in passes:
            if single:
                names.own[single] = value
            else:
                bind(target, value, names)
            if not tests or all(truth(test.run(inner, None), span) for test, span in tests):
                result.append(item.run(inner, None))
        return listed(place, result, node.span)

    return Code(run, over.cost + 1)


def listed(place: Evaluator, value: Any, span: Span) -> Any:
    """A value that has been put together, its items counted if it is a list; raises E140 past the limits."""
    kind = type(value)
    if kind is list or kind is tuple:
        try:
            place.work.count(span, weighed(checked(value)))
        except BadValue as error:
            raise fault("E140", str(error), span) from None
    return value
