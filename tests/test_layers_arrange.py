"""RESHAPE, PERMUTE, SELECT, SLICE, CHUNK, ID and REARRANGE against torch, onnxruntime and numpy."""

from typing import Any

import numpy as np
import pytest
import torch

from archdsl.layers import layer_class
from archdsl.layers.base import LayerError
from archdsl.layers.rearrange import plan
from archdsl.tensor import TensorType
from tests.support.single import TorchLayer, hold, tensors

CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("RESHAPE", {"sizes": (6, 4)}, (3, 8)),
    ("RESHAPE", {"sizes": (8, -1)}, (8, 3, 3)),
    ("RESHAPE", {"sizes": (-1,)}, (8, 3, 3)),
    ("PERMUTE", {"axes": (1, 0)}, (3, 5)),
    ("PERMUTE", {"axes": (1, 2, 0)}, (3, 5, 2)),
    ("PERMUTE", {"axes": (-1, 0, 1)}, (3, 5, 2)),
    ("SELECT", {"index": 0}, (3, 5)),
    ("SELECT", {"index": -1, "axis": 1}, (3, 5, 2)),
    ("SELECT", {"index": 2, "axis": -1}, (3, 5)),
    ("SLICE", {"start": 1}, (5, 2)),
    ("SLICE", {"start": 1, "stop": 4, "step": 2, "axis": 1}, (2, 7)),
    ("SLICE", {"start": -3, "stop": -1}, (5, 2)),
    ("SLICE", {"step": 2, "axis": -1}, (2, 3, 7)),
    ("CHUNK", {"i": 1, "n": 3}, (6, 4)),
    ("CHUNK", {"i": 0, "n": 2, "axis": 1}, (3, 4, 5)),
    ("ID", {}, (3, 4)),
    ("REARRANGE", {"pattern": "(g c) h w -> (c g) h w", "axes": {"g": 2}}, (6, 4, 5)),
    ("REARRANGE", {"pattern": "c (h p) (w q) -> (h w) (p q c)", "axes": {"p": 2, "q": 3}}, (3, 4, 6)),
    ("REARRANGE", {"pattern": "h w c->c h w"}, (4, 5, 3)),
    ("REARRANGE", {"pattern": "c h w -> c (h w)"}, (4, 5, 3)),
    ("REARRANGE", {"pattern": "c 1 1 -> c"}, (4, 1, 1)),
    ("REARRANGE", {"pattern": "c -> c 1 1"}, (4,)),
    ("REARRANGE", {"pattern": "c ... -> ... c"}, (4, 5, 3)),
    ("REARRANGE", {"pattern": "c ... -> (...) c"}, (4, 5, 3)),
    ("REARRANGE", {"pattern": "a b -> a b"}, (4, 5)),
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_parity(name: str, arguments: dict[str, Any], shape: tuple[int, ...], opset: int) -> None:
    """Shapes and numbers equal torch's, to the last bit."""
    hold(layer_class(name)(**arguments), TensorType(shape), opset=opset, rtol=0)


@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_whole_numbers_and_no_batch(name: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    """What moves numbers takes any type, and a tensor without a batch."""
    hold(layer_class(name)(**arguments), TensorType(shape, "int", batched=False), rtol=0)


def test_rearrange_is_einops_rule() -> None:
    """A channel shuffle and a cut into patches, written with numpy."""
    x = TensorType((6, 4, 6))
    (value,) = tensors([x], 2)
    shuffle = layer_class("REARRANGE")(pattern="(g c) h w -> (c g) h w", axes={"g": 2})
    expected = value.numpy().reshape(2, 2, 3, 4, 6).swapaxes(1, 2).reshape(2, 6, 4, 6)
    assert np.array_equal(TorchLayer(shuffle, x)(value).numpy(), expected)
    patches = layer_class("REARRANGE")(pattern="c (h p) (w q) -> (h w) (p q c)", axes={"p": 2, "q": 3})
    cut = TorchLayer(patches, x)(value)
    assert torch.equal(cut[:, 1], value[:, :, 0:2, 3:6].permute(0, 2, 3, 1).flatten(1))


@pytest.mark.parametrize(
    "pattern, sizes, shape, words",
    [
        ("c h w", {}, (3, 4, 5), "no ->"),
        ("c h -> h c", {}, (3, 4, 5), "2 axes, and 3x4x5 has 3"),
        ("(a b) -> a b", {}, (6,), "a and b in (a b) do not follow from 6"),
        ("(a b) -> a b", {"a": 4}, (6,), "a (=4) does not divide the 6 of (a b)"),
        ("(a b) -> a b", {"a": 2, "b": 2}, (6,), "a (=2) times b (=2), and the axis that arrives has 6"),
        ("a -> a", {"b": 2}, (6,), "b (=2) is no axis"),
        ("a b -> a", {}, (6, 2), "b stands on the left side alone"),
        ("a -> a b", {}, (6,), "b stands on the right side alone"),
        ("a a -> a", {}, (6, 6), "a stands twice on the left side"),
        ("((a) b) -> a b", {}, (6,), "do not nest"),
        ("(a b -> a b", {}, (6,), "never closed"),
        ("a + b -> a", {}, (6,), "'+' has no meaning"),
        ("1 a -> a", {}, (2, 3), "1 is 1, and the axis that arrives has 2"),
        ("... a -> a", {}, (2, 3), "on both sides"),
        ("(... a) -> ... a", {}, (6,), "group on the left"),
    ],
)
def test_patterns_that_are_none(pattern: str, sizes: dict[str, int], shape: tuple[int, ...], words: str) -> None:
    """A pattern that means nothing, or does not fit, is an error with the numbers."""
    with pytest.raises(LayerError) as caught:
        plan(pattern, TensorType(shape), sizes)
    assert caught.value.code == "E225"
    assert words in caught.value.message


@pytest.mark.parametrize(
    "name, arguments, shape, code, words",
    [
        ("RESHAPE", {"sizes": (3, 5)}, (4, 4), "E224", "makes 3 times 5 = 15 elements, and 4x4 has 16"),
        ("RESHAPE", {"sizes": (3, -1)}, (4, 4), "E224", "3 does not divide the 16 elements of 4x4"),
        ("RESHAPE", {"sizes": (-1, -1)}, (4, 4), "E224", "2 sizes of -1"),
        ("PERMUTE", {"axes": (1, 0)}, (4, 4, 2), "E224", "4x4x2"),
        ("PERMUTE", {"axes": (0, 0)}, (4, 4), "E224", "0, 0"),
        ("SELECT", {"index": 4}, (4, 2), "E227", "index 4"),
        ("SELECT", {"index": 0, "axis": 2}, (4, 2), "E209", "axes 0 to 1"),
        ("SLICE", {"start": 1, "stop": 9}, (4, 2), "E227", "stop (=9)"),
        ("SLICE", {"start": 2, "stop": 2}, (4, 2), "E227", "keeps nothing of the 4"),
        ("CHUNK", {"i": 0, "n": 3}, (4, 2), "E227", "3 parts"),
        ("CHUNK", {"i": 2, "n": 2}, (4, 2), "E227", "part 2 of 2"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], shape: tuple[int, ...], code: str, words: str) -> None:
    """Errors carry their numbers, and the changes that they offer mend them."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(TensorType(shape))
    assert caught.value.code == code
    assert words in caught.value.message
    for trial in caught.value.trials:
        layer_class(name)(**{**arguments, trial.argument: trial.value}).shape(TensorType(shape))
