"""specs/torchvision is torchvision's classification models: their names, shapes, totals, numbers, and in little text."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torchvision")


from archdsl.analyses import parameters
from tests.support import zoo


@pytest.mark.parametrize("name", zoo.NAMES)
def test_shapes_and_names(name: str) -> None:
    """A spec's state_dict is the original's: keys in the same set, shapes, and the number of parameters."""
    made, theirs = zoo.network(name), zoo.original(name, "meta")
    shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert zoo.state_shapes(made) == shapes
    assert parameters(made) == sum(p.numel() for p in theirs.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.NAMES)
def test_numbers(name: str) -> None:
    """With the original's weights the numbers are the original's, in evaluation, in training and by ONNX."""
    found = zoo.compare(name)
    assert found.evaluated == "equal"
    assert found.trained == "equal"
    assert math.isnan(found.onnx) or found.onnx < 1e-4
