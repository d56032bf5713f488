"""Images made ready for a trained network, as its training data was."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from archdsl.graph import Network
from archdsl.training.data.arrange import arrange
from archdsl.training.data.dataset import DataOptions, Normalisation
from archdsl.training.data.faults import fault
from archdsl.training.data.fit import scales
from archdsl.training.data.found import Part
from archdsl.training.data.pictures import Files
from archdsl.training.data.wanted import wanted


def prepare(
    paths: Sequence[str], network: Network, normalisation: Normalisation | None, options: DataOptions
) -> tuple[Tensor, ...]:
    """The inputs of the network for these image files, [N, *shape] in the order of `paths`.

    `normalisation` is what the run stored. Raises ArchError: a network with several inputs (E715), an image that does
    not fit (E706; `options.resize` makes it fit) or cannot be read (E713).
    """
    want = wanted(network)
    if len(want.inputs) != 1:
        message = f"an image is one input, and the network has {len(want.inputs)}"
        raise fault("E715", message, span=want.inputs[1].span)
    files = Files(paths)
    arranged = arrange({"images": Part({"": files}, None, files.name)}, "", want.inputs[0], network, options)
    [scale] = scales(normalisation or Normalisation(((),), ((),)), want.inputs)
    return (scale(arranged.stores["images"].take(torch.arange(len(paths)))),)
