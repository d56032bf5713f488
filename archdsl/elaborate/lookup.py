"""Names in expressions, and what is read of tensors."""

from __future__ import annotations

from archdsl.annotations import TYPE_CHECKING, Any
from archdsl.elaborate.code import Code, Ready, Words
from archdsl.elaborate.functions import FUNCTIONS, BadValue, checked
from archdsl.elaborate.suggest import not_defined, unknown_name
from archdsl.elaborate.values import LayerValue, Poisoned, Tensor, Wrong, describe, fault
from archdsl.layers.registry import LAYERS
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.elaborate.evaluate import Evaluator

CONSTANT = "a constant is given by `{0} = …` or -D {0}=…"


def name(node: tree.Name, ready: Ready) -> Code:
    """A name."""
    ident = node.id

    def run(place: Evaluator, words: Words) -> Any:
        own = place.names.own
        if ident in own:
            value = own[ident]
            if type(value) is not Wrong:
                return value
        elif place.passes:  # what lies around a loop is the same in each pass
            value = place.names.get(ident, place)
            if value is not place:
                own[ident] = value
        return found(place, node, words)

    return Code(run)


def found(place: Evaluator, node: tree.Name, words: Words = None, hint: str = CONSTANT, *, step: bool = False) -> Any:
    """What a name stands for; `hint` is the help where nothing defines it, of a `step` or a value.

    Raises E130, Poisoned.
    """
    value = place.names.get(node.id, place)
    if value is place:
        return _of_the_language(place, node, words, hint, step or not hint)
    if type(value) is Wrong:
        raise Poisoned
    return value


def _of_the_language(place: Evaluator, node: tree.Name, words: Words, hint: str, step: bool) -> Any:
    """What a name stands for that the spec does not define: a word, a function, a layer, or a value from outside."""
    if words and node.id in words:
        return node.id
    if node.id in LAYERS:
        return LayerValue(node.id, node.span)
    if node.id in FUNCTIONS:
        return FUNCTIONS[node.id]
    if node.id in ("true", "false", "True", "False"):
        return node.id in ("true", "True")
    place.work.asked += 1
    try:
        value = checked(place.around.missing(node.id))
    except BadValue as error:
        raise fault("E140", str(error), node.span) from None
    except KeyError:
        if not place.work.tells:
            raise not_defined(node) from None
        below = place.names.below(node.id)
        if below is not None:
            hint = f"{{0}} is defined at {below.place}, further down"
        known = place.names.known() | place.measures
        raise unknown_name(node, known, words, hint, step=step) from None
    return value._replace(span=node.span) if isinstance(value, LayerValue) else value


def arriving(node: tree.Arriving, ready: Ready) -> Code:
    """`in`."""

    def run(place: Evaluator, words: Words) -> Tensor:
        tensor = None if place.closed else place.around.arriving
        if tensor is None:
            raise fault("E132", "no tensor arrives here, so `in` stands for nothing", node.span)
        return tensor

    return Code(run)


def reference(node: tree.Reference, ready: Ready) -> Code:
    """`@name`."""

    def run(place: Evaluator, words: Words) -> Tensor:
        place.work.asked += 1
        return place.around.lookup(node)

    return Code(run)


AXES = {"channels": 0, "features": -1, "height": -2, "width": -1}
LEAST_RANK = {"height": 3, "width": 2}


def attribute(node: tree.Attribute, ready: Ready) -> Code:
    """`in.channels`."""
    of, cost = ready(node.value)
    axis = AXES.get(node.name)

    def run(place: Evaluator, words: Words) -> Any:
        tensor = of(place, None)
        if not isinstance(tensor, Tensor):
            raise fault("E142", f"{describe(tensor)} is no tensor, and has no {node.name}", node.span)
        work, value = place.work, tensor.value
        work.asked += 1
        if value is None or value.doubt > (node.name == "channels"):
            raise Poisoned
        shape = value.type.shape
        if node.name in ("shape", "size"):
            work.reads.append((node.span, value, slice(None)))
            return shape if node.name == "shape" else value.type.size
        if axis is None:
            known = "channels, features, height, width, size, shape"
            raise fault("E142", f"a tensor has no `{node.name}`", node.span, help=f"there are {known}")
        if len(shape) < LEAST_RANK.get(node.name, 1):
            raise fault("E142", f"{value.type} has no {node.name}", node.span)
        work.reads.append((node.span, value, slice(axis, axis + 1 or None)))
        return shape[axis]

    return Code(run, cost + 1)
