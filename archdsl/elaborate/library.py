"""A file of blocks and functions alone: no tensor flows in it, and so its names are all that can be checked."""

from __future__ import annotations

from archdsl.annotations import Any
from archdsl.diagnostics import MOST
from archdsl.elaborate.arguments import kinds, layer_words, unknown_argument
from archdsl.elaborate.functions import FUNCTIONS
from archdsl.elaborate.mentions import binds, parts_of
from archdsl.elaborate.parameters import key_span
from archdsl.elaborate.place import Place
from archdsl.elaborate.suggest import unknown, unknown_name
from archdsl.elaborate.values import BlockValue, Lambda
from archdsl.elaborate.words import hyphened, misnamed
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.syntax import tree

_WORDS = frozenset(("true", "false", "True", "False", "INPUT", "CHOOSE", "classes"))
_OF_NETWORKS = (tree.Chain, tree.Input, tree.Output, tree.Model, tree.Assertion)


def is_library(file: tree.File) -> bool:
    """Whether a file holds blocks or functions, and nothing of a network."""
    has = any(isinstance(statement, (tree.Block, tree.Function)) for statement in file.statements)
    return has and not any(isinstance(statement, _OF_NETWORKS) for statement in file.statements)


def check_names(place: Place, file: tree.File) -> None:
    """Report the names in blocks and functions that nothing defines, and unknown arguments of layers and blocks."""
    run = place.run
    if run.unread:
        return
    known = place.names.known() | place.names.later.keys() | _WORDS | run.given.keys() | run.broken
    known |= LAYERS.keys() | FUNCTIONS.keys()
    blocks = [s for s in file.heads if isinstance(s, (tree.Block, tree.Function))]
    waiting: list[tuple[Any, frozenset[str]]] = [(block, frozenset()) for block in reversed(blocks)]
    while waiting and len(run.findings.errors) <= MOST:
        node, bound = waiting.pop()
        if isinstance(node, tree.Name):
            if node.id not in bound and node.id not in known:
                run.report(unknown_name(node, place.names.known() | bound))
        elif isinstance(node, (tree.Call, tree.Join)) and node.name.id not in bound:
            waiting.append((node.name, bound))
            if isinstance(node, tree.Join):
                waiting += [(arm, bound) for arm in reversed(node.arms)]
            for a in reversed(node.arguments):
                words = _argument(place, node.name.id, a)
                if (
                    isinstance(a.value, tree.Name)
                    and node.name.id in LAYERS
                    and a.value.id not in bound | known | words
                ):
                    run.report(misnamed(node.name.id, a, place.names.known() | bound))
                elif not hyphened(a.value, words):
                    waiting.append((a.value, bound if isinstance(a.value, tree.Call) else bound | words))
        else:
            inner = bound | frozenset(binds(node))
            waiting += [(part, inner) for part in reversed(list(parts_of(node)))]


def _argument(place: Place, callee: str, argument: tree.Argument) -> frozenset[str]:
    """The bare words that an argument takes; one that is not known is reported."""
    value = place.names.own.get(callee)
    name, at = argument.name, argument.value.span
    if isinstance(value, (BlockValue, Lambda)):
        parameters = [parameter.name for parameter in value.node.parameters]
        if name and name not in parameters:
            message = f"{callee} has no parameter `{name}`"
            place.run.report(unknown("E146", message, name, key_span(name, at), parameters))
        return frozenset()
    if callee not in LAYERS:
        return frozenset(FUNCTIONS[callee].words if callee in FUNCTIONS else ())
    cls = layer_class(callee)
    if name and name not in kinds(cls) and name not in cls.tensors and not cls.free:
        place.run.report(unknown_argument(cls, callee, name, at))
    return frozenset(layer_words(callee, name))
