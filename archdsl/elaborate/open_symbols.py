"""Which sizes of the inputs stay open: capital letters that nothing gives a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from archdsl.annotations import Any
from archdsl.elaborate.inputs import shape_text
from archdsl.syntax import tree

LIKELY = (256, 224, 512, 128, 64, 32, 299, 227, 320, 384, 16, 8)  # sizes that stand for open ones, the first that does
LARGE = 8192  # one that much shrinking leaves something of


def open_symbols(file: tree.File, constants: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[str]:
    """The capital letters in the inputs' shapes that nothing gives a value."""
    defined = {s.name.id for s in file.heads if isinstance(s, tree.Constant)} | constants.keys()
    found: dict[str, None] = {}
    for _, sizes in written(file, inputs):
        found.update({size: None for size in sizes if isinstance(size, str) and size not in defined})
    return list(found)


def sizes_of(shape: tree.Value) -> tuple[int | str, ...]:
    """The sizes of an input's shape as they are written, of which one alone is a number or a name; () for others."""
    if isinstance(shape, tree.Name) and re.fullmatch("[A-Z]", shape.id):
        return (shape.id,)
    return shape.sizes if isinstance(shape, tree.ShapeLiteral) else ()


def written(file: tree.File, inputs: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int | str, ...]]]:
    """The inputs' names and shapes, letters as they stand: in the text, or as they are given from outside."""
    statements = [s for s in file.heads if isinstance(s, tree.Input)]
    for number, statement in enumerate(statements):
        name = statement.name or "input"
        given = inputs.get(name, None if number else inputs.get(""))
        if isinstance(given, str):
            yield name, shape_text(given)
        elif given is None:
            yield name, sizes_of(statement.shape)
    given = inputs.get("", inputs.get("input"))
    if not statements and isinstance(given, str):
        yield "input", shape_text(given)
