"""Each layer's output for an input, by its path in the spec.

Hooks on the emitted module would miss what is no submodule there: a sum, a flattening, a functional activation. So the
graph is gone through layer by layer, as every backend does, each by the very code that is emitted for it and with the
submodule that the trained module has at that path. What comes out is bit for bit what the module computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from archdsl.analyses.uses import Use, Walk
from archdsl.backends.pytorch.flow import scalar
from archdsl.backends.pytorch.render import render
from archdsl.graph import Apply, Network
from archdsl.live import module_of

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n\n\n"


class Activation(NamedTuple):
    """A layer's output for the batch; `filters` are the weights of a CONV that reads an input, else None."""

    use: Use
    value: Tensor
    filters: Tensor | None


def activations(network: Network, module: nn.Module, inputs: Sequence[Tensor]) -> Iterator[Activation]:
    """The outputs of all layers but ID and single numbers, in the order in which they run.

    `module` is the network's, in the mode in which it is looked at; `inputs` are the network's, with a batch. A
    tensor that no layer reads any more is not kept.
    """
    uses = list(Walk(network))
    last = {number: i for i, use in enumerate(uses) for number in use.inputs}
    codes = _codes([use.apply for use in uses])
    values: dict[int, Any] = dict(enumerate(inputs))
    for i, (use, code) in enumerate(zip(uses, codes)):
        given = [values[number] for number in use.inputs]
        single = scalar(use.apply.layer)
        if use.apply.layer.spec == "ID" or single is not None:  # nothing is emitted for these, nor to be seen
            values[use.output] = given[0] if single is None else torch.tensor(single)
        else:
            child = _child(module, use)
            if getattr(child, "inplace", False):  # it would write over what is shown, and may be read once more
                given = [value.clone() for value in given]
            values[use.output] = code(child, *given)
            first = use.apply.layer.spec == "CONV" and any(number < len(inputs) for number in use.inputs)
            yield Activation(use, values[use.output], child.weight if first else None)
        for number in use.inputs:
            if last[number] == i:
                values.pop(number, None)


def _codes(applies: list[Apply]) -> list[Callable[..., Any]]:
    """The functions of (child, inputs) that the layers' own rules say: executed source, as all of `archdsl.live`."""
    texts = []
    for apply in applies:
        names = [f"x{i}" for i in range(len(apply.inputs))]
        code = render(apply.layer.torch(*apply.types).forward, names, "child")
        texts.append(f"lambda {', '.join(['child', *names])}: {code}")
    places = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    lines = "".join(f"    {text},\n" for text in places)
    made = module_of(f"{HEAD}LAYERS = (\n{lines})\n").LAYERS
    return [made[places[text]] for text in texts]


def _child(module: nn.Module, use: Use) -> Any:
    """What the module registers for the layer: a module, a parameter or a buffer; None for nothing."""
    kind = use.apply.layer.torch(*use.apply.types).kind
    if kind == "module":
        return module.get_submodule(use.owner)
    if kind == "parameter":
        return module.get_parameter(use.owner)
    return module.get_buffer(use.owner) if kind == "buffer" else None
