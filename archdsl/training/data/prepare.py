"""Images made ready for a trained network, as its training data was."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import torch
from torch import Tensor

from archdsl.graph import Network
from archdsl.tensor import Shape
from archdsl.training.data.arrange import arrange
from archdsl.training.data.dataset import DataOptions, Normalisation
from archdsl.training.data.faults import fault
from archdsl.training.data.fit import scales
from archdsl.training.data.found import Part
from archdsl.training.data.pictures import Files
from archdsl.training.data.wanted import WantedInput, wanted


def prepare(
    paths: Sequence[str], network: Network, normalisation: Normalisation | None, options: DataOptions
) -> tuple[Tensor, ...]:
    """The inputs of the network for these image files, [N, *shape] in the order of `paths`.

    An input of HxW, or of so many numbers as a square has, takes grey images of that size. `normalisation` is what the
    run stored. Raises ArchError: a network with several inputs (E715), an image that does not fit (E706;
    `options.resize` makes it fit) or cannot be read (E713).
    """
    want = wanted(network)
    if len(want.inputs) != 1:
        message = f"an image is one input, and the network has {len(want.inputs)}"
        raise fault("E715", message, span=want.inputs[1].span)
    files = Files(paths)
    [given] = want.inputs
    arranged = arrange(
        {"images": Part({"": files}, None, files.name)}, "", given._replace(shape=_image(given)), network, options
    )
    [scale] = scales(normalisation or Normalisation(((),), ((),)), want.inputs)
    return (scale(arranged.stores["images"].take(torch.arange(len(paths))).reshape(-1, *given.shape)),)


def _image(given: WantedInput) -> Shape:
    """The shape of the images that an input takes, its own where it takes none."""
    if len(given.shape) == 2 and not given.ids:
        return (1, *given.shape)
    side = isqrt(given.shape[0]) if len(given.shape) == 1 and not given.ids else 0
    return (1, side, side) if side and side * side == given.shape[0] else given.shape
