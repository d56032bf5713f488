"""From the parser's reductions to the tree: one method for each rule and alias of the grammar.

The parser calls the methods while it parses, so that no recursion over a raw tree is ever needed.
"""

from __future__ import annotations

from archdsl.annotations import Any
from archdsl.records import new
from archdsl.syntax import tree
from archdsl.syntax.lexer import PLAIN
from archdsl.syntax.source import Span
from archdsl.syntax.values import Parts, Tuple, Values, nodes

Names = tuple[tuple[str, Span], ...]


class Builder(Values):
    """Builds the tree of one text."""

    # ---- chains

    def chain(self, parts: Parts, span: Span) -> tree.Chain:
        """Steps in sequence."""
        return new(tree.Chain, (span, (*parts,) if len(parts) == 1 else (*parts[::2],)))

    def body(self, parts: Parts, span: Span) -> tree.Body:
        """Lines in sequence."""
        return tree.Body(span, nodes(parts))

    def labelled(self, parts: Parts, span: Span) -> tree.Labelled:
        """`label: step`."""
        return tree.Labelled(span, parts[0], parts[2])

    def repeat(self, parts: Parts, span: Span) -> tree.Repeated:
        """`step*count`."""
        return tree.Repeated(span, parts[0], parts[2])

    def optional(self, parts: Parts, span: Span) -> tree.Optional_:
        """`step?`."""
        return tree.Optional_(span, parts[0], self.at(parts[1]))

    def negative(self, parts: Parts, span: Span) -> tree.Body:
        """A negative number as an arm."""
        step = tree.Number(span, -self.number(parts[1:], self.at(parts[1])).value)
        return tree.Body(span, (tree.Chain(span, (step,)),))

    def arms(self, parts: Parts, span: Span) -> Any:
        """The arms of a join."""
        return nodes(parts)

    def join(self, parts: Parts, span: Span) -> tree.Join:
        """`OP{ a | b }`."""
        token = parts[0]
        if token.lastgroup == "NAME":
            return tree.Join(span, tree.Name(self.at(token), token[0]), (), parts[-2])
        if token.lastgroup == PLAIN:
            call = self.plain(parts, self.at(token))
            return tree.Join(span, call.name, call.arguments, parts[-2])
        return tree.Join(span, self.called(token), _within(parts[1]), parts[-2])

    def group(self, parts: Parts, span: Span) -> tree.Group:
        """`[ … ]`."""
        return tree.Group(span, parts[1])

    def loop(self, parts: Parts, span: Span) -> tree.Loop:
        """`for targets in values { … }`."""
        return tree.Loop(span, parts[1], parts[3], parts[5])

    def condition(self, parts: Parts, span: Span) -> tree.Condition:
        """`if … else if … else …`."""
        found = nodes(parts)
        pairs = [tree.Branch(found[i], found[i + 1]) for i in range(0, len(found) - 1, 2)]
        if len(found) % 2:
            pairs.append(tree.Branch(None, found[-1]))
        return tree.Condition(span, tuple(pairs))

    # ---- statements

    def file(self, parts: Parts, span: Span) -> tree.File:
        """All statements."""
        return tree.File(span, nodes(parts))

    def input(self, parts: Parts, span: Span) -> tree.Input:
        """`input name: shape of type`."""
        name = parts[1].parts[0] if isinstance(parts[1], tree.Template) else ""
        typed = not isinstance(parts[-1], tuple)
        return tree.Input(span, str(name), parts[-3] if typed else parts[-1], parts[-1][0] if typed else "float")

    def _names(self, parts: Parts) -> Names:
        return tuple((token[0].strip('"'), self.at(token)) for token in parts if token.lastgroup in ("NAME", "STRING"))

    def output(self, parts: Parts, span: Span) -> tree.Output:
        """`output a, b in training`."""
        return tree.Output(span, self._names(parts), parts[-1].lastgroup == "TRAINING")

    def model(self, parts: Parts, span: Span) -> tree.Model:
        """`model Name`, `model Name = Block(…)`."""
        return tree.Model(span, parts[1][0], self.at(parts[1]), parts[3] if len(parts) > 3 else None)

    def constant(self, parts: Parts, span: Span) -> tree.Constant:
        """`name = value in range`."""
        name = tree.Name(self.at(parts[0]), parts[0][0])
        return tree.Constant(span, name, parts[2], parts[4] if len(parts) == 5 else None)

    def param(self, parts: Parts, span: Span) -> tree.Parameter:
        """`name = default`."""
        return tree.Parameter(span, parts[0][0], parts[2] if len(parts) == 3 else None)

    def params(self, parts: Parts, span: Span) -> Any:
        """Parameters."""
        return nodes(parts)

    def function(self, parts: Parts, span: Span) -> tree.Function:
        """`let name(parameters) = value`."""
        return tree.Function(span, self.called(parts[1]), _within(parts[2]), parts[-1])

    def block(self, parts: Parts, span: Span) -> tree.Block:
        """`block Name(parameters) { … }`."""
        return tree.Block(span, self.called(parts[1]), _within(parts[2]), parts[-2])

    def default(self, parts: Parts, span: Span) -> tree.Default:
        """`default CONV(bias=false)`."""
        return tree.Default(span, self.called(parts[1]), _within(parts[2]))

    def use(self, parts: Parts, span: Span) -> tree.Use:
        """`use names from "file"`."""
        path = parts[-1]
        return tree.Use(span, self._names(parts[:-1]), path[0][1:-1], self.at(path))

    def assertion(self, parts: Parts, span: Span) -> tree.Assertion:
        """`assert value`."""
        return tree.Assertion(span, parts[1])


def _within(part: Any) -> Tuple:
    """What stands in parentheses, where the next part is not the closing one already."""
    return part if isinstance(part, tuple) else ()
