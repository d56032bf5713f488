"""From the parser's reductions to the tree: one method for each rule and alias of the grammar.

The parser calls the methods while it parses, so that no recursion over a raw tree is ever needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from archdsl.annotations import Any
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span

# Names of types that the class's methods `list` and `tuple` do not hide.
Parts = list[Any]
Tuple = tuple[Any, ...]
Names = tuple[tuple[str, Span], ...]
Arguments = list[tree.Argument]

_SUFFIXES = {"K": 10**3, "M": 10**6, "G": 10**9}
_PIECES = re.compile(r"\{([^{}]*)\}")
LONGEST_NUMBER = 40


class BadToken(Exception):
    """A token that is well-formed for the grammar but means nothing; the place is relative to the source."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


class Builder:
    """Builds the tree of one text, whose tokens are `shift` further on in the source.

    `parse_value(start, end)` parses a value between braces of a label.
    """

    def __init__(self, source: Source, shift: int, parse_value: Callable[[int, int], tree.Value]) -> None:
        self._source = source
        self._shift = shift
        self._parse_value = parse_value

    # ---- places

    def _at(self, token: Any) -> Span:
        start: int = token.start_pos + self._shift
        return Span(self._source, start, start + len(token))

    def _over(self, items: Parts) -> Span:
        if not items:
            return Span(self._source, self._shift, self._shift)
        first, last = items[0], items[-1]
        start = (self._at(first) if isinstance(first, str) else first.span).start
        end = (self._at(last) if isinstance(last, str) else last.span).end
        return Span(self._source, start, end)

    def _name(self, token: Any) -> tree.Name:
        span = self._at(token)
        if token.type == "CALL":
            span = Span(self._source, span.start, span.end - 1)
        return tree.Name(span, token.rstrip("("))

    # ---- tokens that hold a value

    def number(self, items: Parts) -> tree.Number:
        """`4K`, `1_000`, `0.5`."""
        token = items[0]
        text = token.replace("_", "")
        if len(text) > LONGEST_NUMBER:
            raise BadToken(
                f"a number of {len(text)} characters is too long (at most {LONGEST_NUMBER})", self._at(token)
            )
        factor = _SUFFIXES.get(text[-1], 1)
        digits = text[:-1] if factor > 1 else text
        if digits.isdigit():
            return tree.Number(self._at(token), int(digits) * factor)
        value = float(digits)
        if factor > 1:
            whole, _, part = digits.partition(".")
            if part.isdigit() and len(part) <= 9:  # 25.6M is exact
                value_int, rest = divmod(int(whole + part) * factor, 10 ** len(part))
                return tree.Number(self._at(token), value_int if not rest else value * factor)
            value *= factor
        return tree.Number(self._at(token), value)

    def negative(self, items: Parts) -> tree.Body:
        """A negative number as an arm."""
        number = self.number([items[1]])
        span = self._over(items)
        step = tree.Number(span, -number.value)
        return tree.Body(span, (tree.Chain(span, (step,)),))

    def shape(self, items: Parts) -> tree.ShapeLiteral:
        """`3xHxW`."""
        span = self._at(items[0])
        sizes = items[0].split("x")
        for size in sizes:
            if len(size) > LONGEST_NUMBER:
                raise BadToken(f"a size of {len(size)} digits is too long (at most {LONGEST_NUMBER})", span)
        return tree.ShapeLiteral(span, tuple(int(size) if size.isdigit() else size for size in sizes))

    def string(self, items: Parts) -> tree.Text:
        """A text in quotes; a backslash stands before a quote or a backslash."""
        return tree.Text(self._at(items[0]), re.sub(r"\\(.)", r"\1", items[0][1:-1]))

    def name(self, items: Parts) -> tree.Name:
        """A bare name."""
        return self._name(items[0])

    def arriving(self, items: Parts) -> tree.Arriving:
        """`in`."""
        return tree.Arriving(self._at(items[0]))

    def _template(self, token: Any, skip: int) -> tree.Template:
        text = str(token)[skip:]
        begin = self._at(token).start + skip
        if text.startswith('"'):
            text, begin = text[1:-1], begin + 1
        parts: Parts = []
        last = 0
        for match in _PIECES.finditer(text):
            if match.start() > last:
                parts.append(text[last : match.start()])
            parts.append(self._parse_value(begin + match.start(1), begin + match.end(1)))
            last = match.end()
        if last < len(text) or not parts:
            parts.append(text[last:])
        return tree.Template(self._at(token), tuple(parts))

    def label(self, items: Parts) -> tree.Template:
        """`layer{i}` before a colon."""
        return self._template(items[0], 0)

    def reference(self, items: Parts) -> tree.Reference:
        """`@layer{i}`."""
        return tree.Reference(self._at(items[0]), self._template(items[0], 1))

    def share(self, items: Parts) -> tree.Share:
        """`share tower`."""
        skip = len(items[0]) - len(items[0][5:].lstrip(" \t"))
        return tree.Share(self._at(items[0]), self._template(items[0], skip))

    # ---- values

    def paren(self, items: Parts) -> tree.Value:
        """A value in parentheses; its place takes them in."""
        value: tree.Value = items[1]._replace(span=self._over(items))
        return value

    def binary(self, items: Parts) -> tree.Binary:
        """Two values and an operator."""
        return tree.Binary(self._over(items), str(items[1]), items[0], items[2])

    def unary(self, items: Parts) -> tree.Unary:
        """An operator and a value."""
        return tree.Unary(self._over(items), str(items[0]), items[1])

    def comparison(self, items: Parts) -> tree.Comparison:
        """Two or more values compared."""
        return tree.Comparison(self._over(items), tuple(items[::2]), tuple(map(str, items[1::2])))

    def ternary(self, items: Parts) -> tree.Ternary:
        """`then if test else other`."""
        return tree.Ternary(self._over(items), items[2], items[0], items[4])

    def index(self, items: Parts) -> tree.Index:
        """`values[i]`."""
        return tree.Index(self._over(items), items[0], items[2])

    def slice(self, items: Parts) -> tree.Slice:
        """`values[a:b]`."""
        colon = next(i for i, item in enumerate(items) if getattr(item, "type", "") == "COLON")
        start = items[2] if colon == 3 else None
        stop = items[colon + 1] if len(items) == colon + 3 else None
        return tree.Slice(self._over(items), items[0], start, stop)

    def attribute(self, items: Parts) -> tree.Attribute:
        """`value.name`."""
        return tree.Attribute(self._over(items), items[0], str(items[2]))

    def _items(self, items: Parts) -> Tuple:
        return tuple(item for item in items if not hasattr(item, "type"))

    def tuple(self, items: Parts) -> tree.Items:
        """`(a, b)`."""
        return tree.Items(self._over(items), self._items(items), "(")

    def list(self, items: Parts) -> tree.Items:
        """`[a, b]`."""
        return tree.Items(self._over(items), self._items(items), "[")

    def comprehension(self, items: Parts) -> tree.Comprehension:
        """`[item for targets in values if test]`."""
        return tree.Comprehension(self._over(items), items[1], items[3], items[5], self._items(items[6:]))

    def target(self, items: Parts) -> tree.Target:
        """One name of a loop."""
        return tree.Target(self._at(items[0]), str(items[0]))

    def target_group(self, items: Parts) -> tree.Target:
        """Names of a loop in parentheses."""
        return tree.Target(self._over(items), items[1])

    def targets(self, items: Parts) -> Any:
        """Names of a loop."""
        return self._items(items)

    def args(self, items: Parts) -> Any:
        """The arguments of a call."""
        result: Arguments = []
        for item in self._items(items):
            if isinstance(item, tree.Argument):
                result.append(item)
                continue
            if result and result[-1].name:
                raise BadToken("an argument without a name stands before those with one", item.span)
            result.append(tree.Argument(item.span, "", item))
        return (*result,)

    def keyword(self, items: Parts) -> tree.Argument:
        """`kernel=3`."""
        return tree.Argument(self._over(items), str(items[0]), items[2])

    def call(self, items: Parts) -> tree.Call:
        """`name(arguments)`."""
        arguments = items[1] if len(items) == 3 else ()
        return tree.Call(self._over(items), self._name(items[0]), arguments)

    # ---- chains

    def chain(self, items: Parts) -> tree.Chain:
        """Steps in sequence."""
        return tree.Chain(self._over(items), tuple(items[::2]))

    def body(self, items: Parts) -> tree.Body:
        """Lines in sequence."""
        return tree.Body(self._over(items), self._items(items))

    def labelled(self, items: Parts) -> tree.Labelled:
        """`label: step`."""
        return tree.Labelled(self._over(items), items[0], items[2])

    def repeat(self, items: Parts) -> tree.Repeated:
        """`step*count`."""
        return tree.Repeated(self._over(items), items[0], items[2])

    def optional(self, items: Parts) -> tree.Optional_:
        """`step?`."""
        return tree.Optional_(self._over(items), items[0], self._at(items[1]))

    def arms(self, items: Parts) -> Any:
        """The arms of a join."""
        return self._items(items)

    def join(self, items: Parts) -> tree.Join:
        """`OP{ a | b }`."""
        called = items[0].type == "CALL"
        arguments = items[1] if called and not hasattr(items[1], "type") else ()
        return tree.Join(self._over(items), self._name(items[0]), arguments, items[-2])

    def group(self, items: Parts) -> tree.Group:
        """`[ … ]`."""
        return tree.Group(self._over(items), items[1])

    def loop(self, items: Parts) -> tree.Loop:
        """`for targets in values { … }`."""
        return tree.Loop(self._over(items), items[1], items[3], items[5])

    def condition(self, items: Parts) -> tree.Condition:
        """`if … else if … else …`."""
        parts = self._items(items)
        pairs = [tree.Branch(parts[i], parts[i + 1]) for i in range(0, len(parts) - 1, 2)]
        if len(parts) % 2:
            pairs.append(tree.Branch(None, parts[-1]))
        return tree.Condition(self._over(items), tuple(pairs))

    # ---- statements

    def file(self, items: Parts) -> tree.File:
        """All statements."""
        return tree.File(self._over(items), self._items(items))

    def input(self, items: Parts) -> tree.Input:
        """`input name: shape of type`."""
        name = next((item for item in items if isinstance(item, tree.Template)), None)
        dtype = str(items[-1]) if getattr(items[-1], "type", "") == "NAME" else "float"
        shape = items[-3] if getattr(items[-1], "type", "") == "NAME" else items[-1]
        return tree.Input(self._over(items), str(name.parts[0]) if name else "", shape, dtype)

    def _names(self, items: Parts) -> Names:
        return tuple((t.strip('"'), self._at(t)) for t in items if getattr(t, "type", "") in ("NAME", "STRING"))

    def output(self, items: Parts) -> tree.Output:
        """`output a, b in training`."""
        training = getattr(items[-1], "type", "") == "TRAINING"
        return tree.Output(self._over(items), self._names(items), training)

    def model(self, items: Parts) -> tree.Model:
        """`model Name`, `model Name = Block(…)`."""
        return tree.Model(self._over(items), str(items[1]), self._at(items[1]), items[3] if len(items) > 3 else None)

    def constant(self, items: Parts) -> tree.Constant:
        """`name = value in range`."""
        return tree.Constant(self._over(items), self._name(items[0]), items[2], items[4] if len(items) == 5 else None)

    def param(self, items: Parts) -> tree.Parameter:
        """`name = default`."""
        return tree.Parameter(self._over(items), str(items[0]), items[2] if len(items) == 3 else None)

    def params(self, items: Parts) -> Any:
        """Parameters."""
        return self._items(items)

    def function(self, items: Parts) -> tree.Function:
        """`let name(parameters) = value`."""
        parameters = items[2] if not hasattr(items[2], "type") else ()
        return tree.Function(self._over(items), self._name(items[1]), parameters, items[-1])

    def block(self, items: Parts) -> tree.Block:
        """`block Name(parameters) { … }`."""
        parameters = items[2] if not hasattr(items[2], "type") else ()
        return tree.Block(self._over(items), self._name(items[1]), parameters, items[-2])

    def default(self, items: Parts) -> tree.Default:
        """`default CONV(bias=false)`."""
        arguments = items[2] if not hasattr(items[2], "type") else ()
        return tree.Default(self._over(items), self._name(items[1]), arguments)

    def use(self, items: Parts) -> tree.Use:
        """`use names from "file"`."""
        path = items[-1]
        return tree.Use(self._over(items), self._names(items[:-1]), str(path)[1:-1], self._at(path))

    def assertion(self, items: Parts) -> tree.Assertion:
        """`assert value`."""
        return tree.Assertion(self._over(items), items[1])
