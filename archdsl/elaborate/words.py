"""Arguments of layers that are bare words: `fit=floor`, `mode=nearest-exact`."""

from __future__ import annotations

from collections.abc import Collection

from archdsl.annotations import Any, Protocol
from archdsl.diagnostics import Diagnostic, Edit, Fix
from archdsl.elaborate.arguments import kinds, layer_words
from archdsl.elaborate.suggest import near, unknown_name
from archdsl.elaborate.values import Fault
from archdsl.layers.registry import layer_class
from archdsl.syntax import tree
from archdsl.syntax.source import Span


class Values(Protocol):
    """What evaluates expressions."""

    def value(self, node: tree.Value, words: tuple[str, ...]) -> Any:
        """What an expression is worth, where some bare names stand for themselves."""
        ...


def argument(values: Values, layer: str, node: tree.Argument) -> tuple[str, Any, Span]:
    """Name, value and place of a layer's argument; raises Fault."""
    words = layer_words(layer, node.name)
    if hyphened(node.value, words):
        return node.name, node.value.span.text, node.value.span
    try:
        return node.name, values.value(node.value, words), node.value.span
    except Fault as error:
        unknown = error.diagnostic.code == "E130"
        raise (unknown and (_nameless(layer, node) or _misspelt(node.value, words))) or error from None


def hyphened(node: tree.Value, words: Collection[str]) -> bool:
    """Whether it is one of the words, which reads like a difference: `nearest-exact`."""
    return isinstance(node, tree.Binary) and node.operator == "-" and node.span.text in words


def misnamed(layer: str, node: tree.Argument, known: Collection[str]) -> Fault:
    """The Fault for an argument of a layer that is a name which nothing defines."""
    assert isinstance(node.value, tree.Name)
    return _nameless(layer, node) or unknown_name(node.value, known, layer_words(layer, node.name))


def _nameless(layer: str, node: tree.Argument) -> Fault | None:
    """The Fault for `GELU(tanh)`: a word that one argument takes, without that argument's name; None for any other."""
    takers = [name for name, kind in kinds(layer_class(layer)).items() if node.value.span.text in kind.words]
    if node.name or len(takers) != 1:
        return None
    span, help = node.value.span, f"write {takers[0]}={node.value.span.text}"
    fix = Fix(help, (Edit(span._replace(end=span.start), f"{takers[0]}="),))
    return Fault(Diagnostic("E130", f"{span.text} is not defined", span, help=(help,), fixes=(fix,)))


def _misspelt(node: tree.Value, words: Collection[str]) -> Fault | None:
    """The Fault for a difference of names that is near to a word with a hyphen; None for any other."""
    long = [word for word in words if "-" in word]
    if not isinstance(node, tree.Binary) or not near(node.span.text, long):
        return None
    return unknown_name(tree.Name(node.span, node.span.text), (), tuple(words))
