"""What a layer gives: its type, how far that is in doubt, and what it is taken for."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.graph import Value
from archdsl.layers.arguments import Mismatch
from archdsl.layers.base import Layer, LayerError
from archdsl.records import replace
from archdsl.tensor import TensorType

SURE, POSITIONS, ALL = 0, 1, 2  # what is in doubt of a value: see graph.Value

_SETTLES = frozenset(
    ("FC", "GAP", "ADAPTIVEAVGPOOL", "ADAPTIVEMAXPOOL")
)  # their sizes hang on no position that arrives
_MOVES = frozenset(
    "FLATTEN RESHAPE PERMUTE REARRANGE SELECT SLICE CHUNK MATMUL GATHER MHA ATTENTION MEAN SUM NORM".split()
)

_OF_SIZES = frozenset("E201 E202 E204 E208 E209 E220 E221 E222 E223 E224 E225 E226 E227".split())
"""The faults that other sizes might mend."""


def typed(layer: Layer, types: Sequence[TensorType]) -> TensorType:
    """The layer's output for these inputs; raises LayerError, Mismatch.

    What a PAD put at the ends is known behind the PAD and behind layers that leave their input's type alone.
    """
    y = layer.shape(*types)
    if types:
        if y.padded and layer.spec != "PAD" and y is not types[0]:
            y = y._replace(padded=())
        batched = types[0].batched or any(t.batched for t in types)
        if y.batched != batched:
            y = y._replace(batched=batched)
    return y


def after(layer: Layer, inputs: Sequence[Value]) -> tuple[int, str]:
    """The doubt and the layout of what the layer gives."""
    doubt, layout = SURE, ""
    for value in inputs:
        doubt, layout = value.doubt if value.doubt > doubt else doubt, layout or value.layout
    if doubt:
        if layer.spec == "FC" or (doubt == POSITIONS and layer.spec in _SETTLES):
            doubt = SURE
        elif layer.spec in _MOVES:
            doubt = ALL
    takes = layer.taken()
    if takes == "any":
        return doubt, ""
    return doubt, layout or takes


def doubt_of(layer: Layer) -> int:
    """How far in doubt the sizes are that a layer at fault is guessed to give: filters are what they were given as."""
    return ALL if layer.spec in _MOVES else POSITIONS


def guessed(layer: Layer, fault: LayerError, types: Sequence[TensorType]) -> TensorType | None:
    """What a layer would give if its fault were mended by a change of one argument; None where none mends it."""
    for argument, value, _ in fault.trials:
        try:
            return typed(replace(layer, **{argument: value}), types)
        except (LayerError, Mismatch, TypeError):
            continue
    return None


def silent(layer: Layer, fault: LayerError, inputs: Sequence[Value]) -> bool:
    """Whether a fault may hang on sizes that are in doubt themselves, so that it is no finding of its own."""
    doubt = max((value.doubt for value in inputs), default=SURE)
    if doubt != POSITIONS or fault.code not in _OF_SIZES:
        return doubt == ALL and fault.code in _OF_SIZES | {"E205"}
    if fault.code not in ("E220", "E221"):
        return True
    try:  # channels that differ are a fault whatever the positions are
        layer.shape(*(v.type._replace(shape=(*v.type.shape[:1], *(1,) * (v.type.rank - 1)), padded=()) for v in inputs))
    except (LayerError, Mismatch):
        return False
    return True
