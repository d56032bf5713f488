"""From a network, its module and an input to the page of what each layer makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from archdsl.graph import Network
from archdsl.tensor import show_shape
from archdsl.training.looking.activations import Activation, activations
from archdsl.training.looking.page import Row
from archdsl.training.looking.pictures import colours, filters, picture


def rows(network: Network, module: nn.Module, inputs: Sequence[Tensor], only: Sequence[str] = ()) -> tuple[Row, ...]:
    """A row for each input and each layer, and one for the filters of a CONV that reads an input.

    `inputs` are the network's, a batch of one each. `only` are patterns of paths, such as `layer1.*`: layers that
    none of them fits are left out.
    """
    found = [
        Row(given.name, f"the input; {show_shape(given.value.type.shape)}", colours(value[0].numpy()))
        for given, value in zip(network.inputs, inputs)
    ]
    with torch.inference_mode():
        for seen in activations(network, module, inputs):
            if not only or any(fnmatchcase(seen.use.path, pattern) for pattern in only):
                found += _rows(seen)
    return tuple(found)


def _rows(seen: Activation) -> list[Row]:
    path, apply = seen.use.path, seen.use.apply
    layer = f"{apply.layer.spec}({apply.given})" if apply.given else apply.layer.spec
    shape = show_shape(apply.output.type.shape)
    found = [Row(path, f"{layer}; {shape}", picture(seen.value[0].float().numpy()))]
    if seen.filters is not None:
        held = seen.filters.numpy()
        found.insert(0, Row(f"{path}.weight", f"the filters of {layer}; {show_shape(held.shape)}", filters(held)))
    return found
