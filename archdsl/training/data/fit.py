"""Found data held against the network, and made into the parts that training takes."""

from __future__ import annotations

import torch

from archdsl.training.data.dataset import Data, DataOptions, Normalisation
from archdsl.training.data.faults import fault
from archdsl.training.data.found import Found, Part
from archdsl.training.data.samples import Samples
from archdsl.training.data.scale import Scale
from archdsl.training.data.split import divide
from archdsl.training.data.stores import TensorStore
from archdsl.training.data.wanted import Wanted


def fit(source: str, found: Found, want: Wanted, options: DataOptions) -> Data:
    """The data that the network can be trained on; raises ArchError where it does not fit."""
    part = found.parts["train"]
    kept, held = divide(part.target, len(part), options.valid_part, options.seed)
    [store] = part.inputs.values()
    assert isinstance(store, TensorStore)
    store = TensorStore(store.values.reshape(-1, *want.inputs[0].shape))
    pixels = store.values[kept].double() / 255
    normalisation = options.normalisation or Normalisation(((float(pixels.mean()),),), ((float(pixels.std()),),))
    scale = Scale(normalisation.mean[0], normalisation.std[0], rank=len(store.shape), axis=0)

    def split(part: Part, rows: torch.Tensor) -> Samples:
        return Samples((store,), (scale,), part.target, rows, part.name)

    if want.scores != len(found.classes):
        raise fault("E705", f"the data has {len(found.classes)} classes, the network {want.scores} scores")
    notes = (*found.notes, f"split by seed and class: {len(kept):,} train, {len(held):,} valid")
    return Data(
        source, "classes", split(part, kept), split(part, held), None,
        found.classes, normalisation, found.fingerprint, notes,
    )  # fmt: skip
