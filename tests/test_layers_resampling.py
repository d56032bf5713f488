"""UPSAMPLE, PIXELSHUFFLE, PIXELUNSHUFFLE, PAD and ROLL against torch and onnxruntime."""

import itertools
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl.layers import layer_class
from archdsl.layers.arguments import PADS, Mismatch
from archdsl.layers.base import LayerError
from archdsl.layers.nearest import even, nearest
from archdsl.layers.resampling import Upsample
from archdsl.tensor import TensorType
from tests.support.single import hold

CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("UPSAMPLE", {}, (2, 5)),
    ("UPSAMPLE", {"factor": 3}, (2, 5, 4)),
    ("UPSAMPLE", {"factor": (3, 1)}, (2, 5, 4)),
    ("UPSAMPLE", {"factor": 2}, (2, 5, 4, 3)),
    ("UPSAMPLE", {"size": (7, 9)}, (2, 5, 4)),
    ("UPSAMPLE", {"size": (3, 9), "mode": "nearest-exact"}, (2, 5, 4)),
    ("UPSAMPLE", {"size": (4, 3, 2), "mode": "nearest-exact"}, (2, 5, 6, 3)),
    ("UPSAMPLE", {"mode": "nearest-exact"}, (2, 5)),
    ("PIXELSHUFFLE", {"factor": 2}, (8, 3, 5)),
    ("PIXELSHUFFLE", {"factor": 3}, (18, 3, 5)),
    ("PIXELUNSHUFFLE", {"factor": 2}, (3, 4, 6)),
    ("PIXELUNSHUFFLE", {"factor": 3}, (2, 3, 9)),
    ("PAD", {"padding": 0}, (2, 5)),
    ("PAD", {"padding": 1}, (2, 5)),
    ("PAD", {"padding": (1, 0)}, (2, 5, 4)),
    ("PAD", {"padding": ((0, 1), (2, 2)), "value": -1.5}, (2, 5, 4)),
    ("PAD", {"padding": 2, "mode": "reflect"}, (2, 5, 4)),
    ("PAD", {"padding": 1, "mode": "reflect", "axis": (2,)}, (2, 5, 4)),
    ("PAD", {"padding": 2, "mode": "replicate"}, (2, 5, 4, 3)),
    ("PAD", {"padding": 4, "mode": "circular"}, (2, 5, 4)),
    ("PAD", {"padding": ((0, 2),), "mode": "circular"}, (2, 5)),
    ("PAD", {"padding": ((0, 3), (1, 2)), "axis": (0, 1)}, (5, 4, 3)),
    ("PAD", {"padding": ((0, 3), (1, 2)), "axis": (-1, 0)}, (5, 4)),
    ("PAD", {"padding": 1, "axis": (0,)}, (5,)),
    ("ROLL", {"shift": (1,), "axis": (2,)}, (2, 5, 4)),
    ("ROLL", {"shift": (-3, -7), "axis": (0, 1)}, (5, 4, 3)),
    ("ROLL", {"shift": (5,), "axis": (0,)}, (5, 4, 3)),
    ("ROLL", {"shift": (2,), "axis": (-1, 0)}, (5, 4)),
]
SHAPES = {"linear": (2, 5), "bilinear": (2, 5, 6), "bicubic": (2, 5, 6), "trilinear": (2, 3, 2, 4)}
for mode, shape in SHAPES.items():
    for corners in (False, True):
        smooth = {"mode": mode, "align_corners": corners}
        CASES += [("UPSAMPLE", smooth, shape), ("UPSAMPLE", {**smooth, "size": 7}, shape)]
        CASES.append(("UPSAMPLE", {**smooth, "size": 3}, shape))


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_parity(name: str, arguments: dict[str, Any], shape: tuple[int, ...], opset: int) -> None:
    """Shapes and numbers equal torch's."""
    if "padding" in arguments:
        arguments = {**arguments, "padding": PADS.convert(arguments["padding"])}
    hold(layer_class(name)(**arguments), TensorType(shape), opset=opset)


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("arguments", [{}, {"mode": "bilinear"}, {"mode": "bicubic", "align_corners": True}])
def test_like(arguments: dict[str, Any], opset: int) -> None:
    """The second input gives the size, whatever its channels."""
    hold(layer_class("UPSAMPLE")(**arguments), TensorType((2, 5, 6)), TensorType((3, 9, 13)), opset=opset)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize(
    "n, size", [(28, 2), (39, 12), (46, 58), (30, 81), (3, 123), (7, 329), (64, 55), (8, 82), (7, 15)]
)
def test_nearest_reads_what_torch_reads(mode: str, n: int, size: int) -> None:
    """Ratios at which single precision falls below a whole number, in torch or in onnxruntime's Resize."""
    hold(Upsample(size=size, mode=mode), TensorType((1, n)))
    if size % n == 0:
        hold(Upsample(factor=size // n, mode=mode), TensorType((1, n)))


MAP = TensorType((4, 6, 6))


@pytest.mark.parametrize(
    "name, arguments, x, code",
    [
        ("UPSAMPLE", {"factor": 2, "size": 3}, (MAP,), "E210"),
        ("UPSAMPLE", {"factor": 2}, (MAP, MAP), "E210"),
        ("UPSAMPLE", {}, (MAP, TensorType((4, 6))), "E206"),
        ("UPSAMPLE", {"mode": "linear"}, (MAP,), "E210"),
        ("UPSAMPLE", {"align_corners": True}, (MAP,), "E210"),
        ("UPSAMPLE", {}, (TensorType((4,)),), "E206"),
        ("PIXELSHUFFLE", {"factor": 3}, (MAP,), "E209"),
        ("PIXELSHUFFLE", {"factor": 2}, (TensorType((4, 6)),), "E206"),
        ("PIXELUNSHUFFLE", {"factor": 4}, (MAP,), "E209"),
        ("PAD", {"padding": 6, "mode": "reflect"}, (MAP,), "E204"),
        ("PAD", {"padding": 7, "mode": "circular"}, (MAP,), "E204"),
        ("PAD", {"padding": 1, "mode": "reflect", "value": 2}, (MAP,), "E210"),
        ("PAD", {"padding": 1, "mode": "reflect", "axis": (0,)}, (MAP,), "E210"),
        ("PAD", {"padding": 1}, (TensorType((4,)),), "E206"),
        ("PAD", {"padding": 1, "axis": (3,)}, (MAP,), "E209"),
        ("PAD", {"padding": 1}, (TensorType((4, 6), "int"),), "E207"),
        ("ROLL", {"shift": (1,), "axis": (3,)}, (MAP,), "E209"),
        ("ROLL", {"shift": (1,), "axis": (1, 1)}, (MAP,), "E209"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], x: tuple[TensorType, ...], code: str) -> None:
    """What a layer cannot take has a code."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(*x)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("PAD", {"padding": ((1, 1),)}),
        ("ROLL", {"shift": (1, 2), "axis": (0,)}),
        ("UPSAMPLE", {"factor": (1, 2, 3)}),
    ],
)
def test_counts_of_axes(name: str, arguments: dict[str, Any]) -> None:
    """Another number of values than of axes is a Mismatch."""
    with pytest.raises(Mismatch):
        layer_class(name)(**arguments).shape(MAP)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_even_is_what_the_list_says(mode: str) -> None:
    """The ends of each stretch tell whether all of it reads one position; what is too large to see is not even."""
    for n, factor in itertools.product((*range(1, 60), 1009), (*range(1, 50), 97)):
        assert even(n, factor, mode) == (nearest(n, n * factor, mode) == [i // factor for i in range(n * factor)])
    assert not even(10**12, 3, mode)


def test_maps_too_large_to_list(tmp_path: Path) -> None:
    """Positions and means are computed in the run, so that the file stays small; windows one by one are refused."""
    file = tmp_path / "net.onnx"
    for text in ("input 3x8x8\nUPSAMPLE(10**8)", "input 3x100000000x8\nADAPTIVEAVGPOOL(100000007)"):
        archdsl.to_onnx(None, file, text=text)
        assert file.stat().st_size < 10_000
    with pytest.raises(archdsl.ArchError, match="E604"):
        archdsl.to_onnx(None, file, text="input 3x100000000x8\nADAPTIVEMAXPOOL(10000019)")
