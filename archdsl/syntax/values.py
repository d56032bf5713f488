"""From the parser's reductions to the nodes of values: one method for each rule and alias of the grammar."""

from __future__ import annotations

import re
from collections.abc import Callable

from archdsl.annotations import TYPE_CHECKING, Any
from archdsl.records import new
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span

if TYPE_CHECKING:
    from archdsl.syntax.lexer import Token

# Names of types that the class's methods `list` and `tuple` do not hide.
Parts = list[Any]
Tuple = tuple[Any, ...]

_SUFFIXES = {"K": 10**3, "M": 10**6, "G": 10**9}
_PIECES = re.compile(r"\{([^{}]*)\}")
LONGEST_NUMBER = 40


class BadToken(Exception):
    """A token that is well-formed for the grammar but means nothing; the place is relative to the source."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


def nodes(parts: Parts) -> Tuple:
    """The parts without tokens."""
    return (*[part for part in parts if isinstance(part, tuple)],)


class Values:
    """Builds the values of one text, whose tokens are `shift` further on in the source.

    Each method takes the parts of a rule, which are tokens, nodes and tuples of nodes, and the place that they take.
    `parse_value(start, end)` parses a value between braces of a label.
    """

    def __init__(self, source: Source, shift: int, parse_value: Callable[[int, int], tree.Value]) -> None:
        self.source = source
        self.shift = shift
        self._parse_value = parse_value

    def at(self, token: Token) -> Span:
        """The place of a token."""
        return Span(self.source, token.start() + self.shift, token.end() + self.shift)

    def called(self, token: Token) -> tree.Name:
        """The name in a CALL, which ends with the parenthesis."""
        id = token[0][:-1]
        start = token.start() + self.shift
        return new(tree.Name, (new(Span, (self.source, start, start + len(id))), id))

    # ---- tokens that hold a value

    def number(self, parts: Parts, span: Span) -> tree.Number:
        """`4K`, `1_000`, `0.5`."""
        text = parts[0][0]
        if text.isdigit() and len(text) <= LONGEST_NUMBER:
            return new(tree.Number, (span, int(text)))
        text = text.replace("_", "")
        if len(text) > LONGEST_NUMBER:
            raise BadToken(f"a number of {len(text)} characters is too long (at most {LONGEST_NUMBER})", span)
        factor = _SUFFIXES.get(text[-1], 1)
        digits = text[:-1] if factor > 1 else text
        if digits.isdigit():
            return tree.Number(span, int(digits) * factor)
        value = float(digits)
        if factor > 1:
            whole, _, part = digits.partition(".")
            if part.isdigit() and len(part) <= 9:  # 25.6M is exact
                value_int, rest = divmod(int(whole + part) * factor, 10 ** len(part))
                return tree.Number(span, value_int if not rest else value * factor)
            value *= factor
        return tree.Number(span, value)

    def shape(self, parts: Parts, span: Span) -> tree.ShapeLiteral:
        """`3xHxW`."""
        sizes = parts[0][0].split("x")
        for size in sizes:
            if len(size) > LONGEST_NUMBER:
                raise BadToken(f"a size of {len(size)} digits is too long (at most {LONGEST_NUMBER})", span)
        return tree.ShapeLiteral(span, tuple(int(size) if size.isdigit() else size for size in sizes))

    def string(self, parts: Parts, span: Span) -> tree.Text:
        """A text in quotes; a backslash stands before a quote or a backslash."""
        return tree.Text(span, re.sub(r"\\(.)", r"\1", parts[0][0][1:-1]))

    def name(self, parts: Parts, span: Span) -> tree.Name:
        """A bare name."""
        return new(tree.Name, (span, parts[0][0]))

    def arriving(self, parts: Parts, span: Span) -> tree.Arriving:
        """`in`."""
        return tree.Arriving(span)

    def _template(self, text: str, span: Span, skip: int) -> tree.Template:
        text = text[skip:]
        begin = span.start + skip
        if text.startswith('"'):
            text, begin = text[1:-1], begin + 1
        pieces: Parts = []
        last = 0
        for match in _PIECES.finditer(text):
            if match.start() > last:
                pieces.append(text[last : match.start()])
            pieces.append(self._parse_value(begin + match.start(1), begin + match.end(1)))
            last = match.end()
        if last < len(text) or not pieces:
            pieces.append(text[last:])
        return tree.Template(span, tuple(pieces))

    def label(self, parts: Parts, span: Span) -> tree.Template:
        """`layer{i}` before a colon."""
        return self._template(parts[0][0], span, 0)

    def reference(self, parts: Parts, span: Span) -> tree.Reference:
        """`@layer{i}`."""
        return tree.Reference(span, self._template(parts[0][0], span, 1))

    def share(self, parts: Parts, span: Span) -> tree.Share:
        """`share tower`."""
        text = parts[0][0]
        return tree.Share(span, self._template(text, span, len(text) - len(text[5:].lstrip(" \t"))))

    # ---- values

    def paren(self, parts: Parts, span: Span) -> tree.Value:
        """A value in parentheses; its place takes them in."""
        value: tree.Value = parts[1]._replace(span=span)
        return value

    def binary(self, parts: Parts, span: Span) -> tree.Binary:
        """Two values and an operator."""
        return tree.Binary(span, parts[1][0], parts[0], parts[2])

    def unary(self, parts: Parts, span: Span) -> tree.Unary:
        """An operator and a value."""
        return tree.Unary(span, parts[0][0], parts[1])

    def comparison(self, parts: Parts, span: Span) -> tree.Comparison:
        """Two or more values compared."""
        return tree.Comparison(span, tuple(parts[::2]), tuple(token[0] for token in parts[1::2]))

    def ternary(self, parts: Parts, span: Span) -> tree.Ternary:
        """`then if test else other`."""
        return tree.Ternary(span, parts[2], parts[0], parts[4])

    def index(self, parts: Parts, span: Span) -> tree.Index:
        """`values[i]`."""
        return tree.Index(span, parts[0], parts[2])

    def slice(self, parts: Parts, span: Span) -> tree.Slice:
        """`values[a:b]`."""
        colon = next(i for i, part in enumerate(parts) if not isinstance(part, tuple) and part.lastgroup == "COLON")
        start = parts[2] if colon == 3 else None
        stop = parts[colon + 1] if len(parts) == colon + 3 else None
        return tree.Slice(span, parts[0], start, stop)

    def attribute(self, parts: Parts, span: Span) -> tree.Attribute:
        """`value.name`."""
        return tree.Attribute(span, parts[0], parts[2][0])

    def tuple(self, parts: Parts, span: Span) -> tree.Items:
        """`(a, b)`."""
        return tree.Items(span, nodes(parts), "(")

    def list(self, parts: Parts, span: Span) -> tree.Items:
        """`[a, b]`."""
        return tree.Items(span, nodes(parts), "[")

    def comprehension(self, parts: Parts, span: Span) -> tree.Comprehension:
        """`[item for targets in values if test]`."""
        return tree.Comprehension(span, parts[1], parts[3], parts[5], nodes(parts[6:]))

    def target(self, parts: Parts, span: Span) -> tree.Target:
        """One name of a loop."""
        return tree.Target(span, parts[0][0])

    def target_group(self, parts: Parts, span: Span) -> tree.Target:
        """Names of a loop in parentheses."""
        return tree.Target(span, parts[1])

    def targets(self, parts: Parts, span: Span) -> Any:
        """Names of a loop."""
        return nodes(parts)

    def args(self, parts: Parts, span: Span) -> Any:
        """The arguments of a call."""
        found: Parts = []
        for part in parts:
            if isinstance(part, tree.Argument):
                found.append(part)
            elif isinstance(part, tuple):
                if found and found[-1].name:
                    raise BadToken("an argument without a name stands before those with one", part.span)  # type: ignore[attr-defined]
                found.append(new(tree.Argument, (part[0], "", part)))
        return (*found,)

    def keyword(self, parts: Parts, span: Span) -> tree.Argument:
        """`kernel=3`."""
        return tree.Argument(span, parts[0][0], parts[2])

    def plain(self, parts: Parts, span: Span) -> tree.Call:
        """`CONV(64, 3)`: a call with whole numbers alone, which is a single token."""
        source, start, _ = span
        name, _, numbers = parts[0][0][:-1].partition("(")
        end = start + len(name)
        called = new(tree.Name, (new(Span, (source, start, end)), name))
        arguments = []
        for number in numbers.split(","):
            start, end = end + 1, end + 1 + len(number)
            place = new(Span, (source, start + (number[0] == " "), end))
            arguments.append(new(tree.Argument, (place, "", new(tree.Number, (place, int(number))))))
        return new(tree.Call, (span, called, (*arguments,)))

    def call(self, parts: Parts, span: Span) -> tree.Call:
        """`name(arguments)`."""
        return new(tree.Call, (span, self.called(parts[0]), parts[1] if len(parts) == 3 else ()))
