"""How many layers with weights lie on the longest path."""

from __future__ import annotations

from archdsl.analyses.frames import frames
from archdsl.analyses.once import once
from archdsl.analyses.paths import ITSELF, Paths, Reach
from archdsl.graph import Apply, Network

STEP = Reach(((0, 1, 1),), True)


@once
def depth(network: Network) -> int:
    """The depth as papers count it: layers that multiply by learned weights, on the longest path to an output.

    Convolutions, FC, LINEAR, recurrent layers and attention count one each; normalisations and embeddings,
    which hold weights but multiply no matrices, do not. So VGG-16 has 16 (Simonyan and Zisserman, 2014)
    and ResNet-50 has 50, its downsampling convolutions lying on the shorter paths (He et al., 2015). Every copy
    and every use of a shared layer counts. Outputs in training alone do not.
    """
    reached = Paths(frames(network), _effect)
    every = (reached.reach(output.value) for output in network.outputs if not output.training)
    return max((int(reach.axes[0][1]) for form in every for reach in form.values()), default=0)


def _effect(apply: Apply) -> Reach:
    layer, types = apply.layer, apply.types
    return STEP if layer.weights(*types) and layer.macs(*types) else ITSELF
