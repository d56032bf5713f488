"""What the network's forward gives in training where outputs are for that alone: a NamedTuple of the outputs' names."""

from __future__ import annotations

import keyword
from collections.abc import Collection

from archdsl.backends.pytorch.layout import INDENT
from archdsl.backends.pytorch.parameters import identifier
from archdsl.graph import Network
from archdsl.tensor import show_shape


def training_output(network: Network, taken: Collection[str]) -> tuple[str, str]:
    """The name and the source of the class; both empty where training gives no more than evaluation.

    `taken` are the names of the other classes. In evaluation the module gives a tensor, or a plain tuple of several:
    torch.export.save refuses an unregistered NamedTuple.
    """
    if not any(output.training for output in network.outputs):
        return "", ""
    name = _free(f"{network.name}Output", taken)
    lines = [f"class {name}(NamedTuple):", f'{INDENT}"""What {network.name} gives in training."""', ""]
    fields: list[str] = []
    for output in sorted(network.outputs, key=lambda output: output.training):
        fields.append(_free(_field(output.name), fields))
        lines.append(f"{INDENT}{fields[-1]}: Tensor  # {show_shape(output.value.type.shape)}")
    return name, "\n".join(lines)


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _field(label: str) -> str:
    """A field's name made of a label: the label itself where a tuple may have such a field."""
    name = label if label.isidentifier() and label.isascii() and not keyword.iskeyword(label) else identifier(label)
    name = name.lstrip("_") or "output"
    return f"output_{name}" if name[0].isdigit() else f"{name}_" if hasattr(tuple, name) else name
