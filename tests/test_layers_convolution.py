"""CONV and UPCONV against torch and onnxruntime."""

import random
from typing import Any

import pytest
import torch
from torch import nn

from archdsl.layers import layer_class
from archdsl.layers.base import Layer, LayerError
from archdsl.layers.convolution import Conv, UpConv
from archdsl.tensor import TensorType
from tests.support.single import hold

CASES = [
    ("CONV", {"filters": 4}, (3, 8, 8)),
    ("CONV", {"filters": 4, "kernel": 2, "padding": "same", "stride": 2}, (2, 7, 9)),
    ("CONV", {"filters": 4, "kernel": 2, "padding": "causal", "dilation": 4}, (2, 17)),
    ("CONV", {"filters": 4, "kernel": (3, 5), "padding": (1, 0), "groups": 2, "bias": False}, (2, 9, 9)),
    ("CONV", {"filters": 4, "padding": "full", "padding_mode": "circular"}, (2, 9, 9)),
    ("CONV", {"filters": 4, "padding": "same", "kernel": 4, "padding_mode": "reflect"}, (2, 9, 9)),
    ("CONV", {"filters": 4, "padding_mode": "replicate"}, (2, 5, 5, 5)),
    ("CONV", {"filters": 4, "kernel": 1, "stride": 2}, (2, 56, 56)),
    ("UPCONV", {"filters": 4}, (3, 8, 8)),
    ("UPCONV", {"filters": 4, "kernel": 3}, (3, 8, 8)),
    ("UPCONV", {"filters": 4, "kernel": 4, "stride": 3, "groups": 2}, (2, 8)),
    ("UPCONV", {"filters": 4, "kernel": 2, "stride": 1, "padding": 1, "output_padding": 2, "dilation": 3}, (2, 6, 1)),
    ("UPCONV", {"filters": 4, "kernel": 3, "stride": 2, "output_padding": 2, "dilation": 3, "bias": False}, (2, 5)),
    ("UPCONV", {"filters": 4, "kernel": (3, 2, 4), "stride": (1, 2, 2), "padding": 1, "bias": False}, (2, 4, 4, 4)),
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_parity(name: str, arguments: dict[str, object], shape: tuple[int, ...], opset: int) -> None:
    """Shapes, weights and numbers equal torch's."""
    hold(layer_class(name)(**arguments), TensorType(shape), opset=opset)


def test_shapes_over_a_grid() -> None:
    """The layers take what torch takes, but for outputs without a position, and give the shapes that torch gives."""
    rnd, taken = random.Random(0), 0
    for i in range(600):
        rank = rnd.randint(1, 3)

        def numbers(low: int, high: int, rank: int = rank) -> Any:
            several = rnd.random() < 0.5
            return tuple(rnd.randint(low, high) for _ in range(rank)) if several else rnd.randint(low, high)

        x = (rnd.choice([2, 4, 6]), *(rnd.randint(1, 8) for _ in range(rank)))
        filters, groups, bias = rnd.choice([2, 3, 4]), rnd.choice([1, 1, 2, 3, 4]), rnd.random() < 0.5
        sizes = {"stride": numbers(1, 3), "padding": numbers(0, 4), "dilation": numbers(1, 3)}
        both = {**sizes, "groups": groups, "bias": bias}
        kernel = numbers(1, 4)
        if i % 2:
            mode = rnd.choice(["zeros", "reflect", "replicate", "circular"])
            made, both = f"Conv{rank}d", {**both, "padding_mode": mode}
            layer: Layer = Conv(filters=filters, kernel=kernel, fit="floor", **both)
        else:
            made, both = f"ConvTranspose{rank}d", {**both, "output_padding": numbers(0, 2)}
            layer = UpConv(filters=filters, kernel=kernel, **both)
        try:
            expected: Any = tuple(getattr(nn, made)(x[0], filters, kernel, **both)(torch.zeros(1, *x)).shape[1:])
        except (RuntimeError, ValueError):
            expected = None
        try:
            own: Any = layer.shape(TensorType(x)).shape
        except LayerError as error:
            assert error.code in ("E202", "E204", "E205")
            own = None
        assert own == (None if expected is None or 0 in expected else expected), (vars(layer), x)
        taken += own is not None
        if own is not None and taken % 5 == 0:
            hold(layer, TensorType(x), opset=rnd.choice([17, 20]), rtol=2e-5)
    assert taken > 150


def test_absurd_numbers_end_at_once() -> None:
    """A huge stride, kernel or number of groups is an error like any other, not a search without end."""
    for arguments in ({"stride": 10**12, "fit": "exact"}, {"kernel": 10**12 + 1, "padding": 0}, {"groups": 10**12}):
        with pytest.raises(LayerError) as caught:
            Conv(filters=10**12 + 1, **arguments).shape(TensorType((10**12, 8, 8)))
        assert len(caught.value.trials) < 40
