"""POOL, AVGPOOL, LPPOOL, GAP and the adaptive ones against torch and onnxruntime."""

import random
from typing import Any

import pytest
import torch
from torch import nn

from archdsl.layers import LAYERS, layer_class
from archdsl.layers.adaptive import AdaptiveMaxPool, longest, spans
from archdsl.layers.base import LayerError
from archdsl.layers.pooling import Pool, Pooling
from archdsl.shapes.windows import Slide
from archdsl.tensor import TensorType
from tests.support.single import hold

CEIL = {"size": 3, "stride": 2, "fit": "ceil"}
APART = {"count_include_pad": False}

CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("POOL", {}, (3, 8)),
    ("POOL", {}, (3, 8, 6)),
    ("POOL", {}, (3, 4, 6, 8)),
    ("POOL", {"size": 3, "stride": 2, "padding": 1}, (3, 14, 14)),
    ("POOL", {"size": (3, 2), "stride": (2, 1), "fit": "floor"}, (2, 8, 9)),
    ("POOL", CEIL, (2, 2, 2)),
    ("POOL", CEIL, (2, 8, 7)),
    ("POOL", CEIL, (2, 8)),
    ("POOL", {**CEIL, "padding": 1}, (2, 8, 7)),
    ("POOL", {**CEIL, "padding": (1, 0, 1)}, (2, 4, 6, 5)),
    ("POOL", {**CEIL, "padding": "half", "dilation": 2}, (2, 8, 9)),
    ("POOL", {"size": 2, "stride": 2, "padding": "same"}, (2, 7, 5)),
    ("POOL", {"size": 3, "stride": 1, "padding": "half", "dilation": 4}, (2, 7, 9)),
    ("AVGPOOL", {}, (3, 8)),
    ("AVGPOOL", {"size": 3, "stride": 2, "padding": 1}, (3, 7, 7)),
    ("AVGPOOL", {**CEIL, "padding": 1}, (3, 8)),
    ("AVGPOOL", {**CEIL, "padding": 1}, (3, 8, 6)),
    ("AVGPOOL", {**CEIL, "padding": 1}, (3, 4, 4, 4)),
    ("AVGPOOL", {**CEIL, **APART, "padding": 1}, (3, 8, 6)),
    ("AVGPOOL", {**CEIL}, (3, 8, 6)),
    ("AVGPOOL", {"size": 2, "stride": 1, "padding": "same"}, (3, 8, 6)),
    ("AVGPOOL", {**APART, "size": 2, "stride": 1, "padding": "same"}, (3, 8, 6)),
    ("AVGPOOL", {**APART, "size": 4, "stride": 3, "padding": "same"}, (3, 8, 6, 5)),
    ("LPPOOL", {}, (3, 8)),
    ("LPPOOL", {**CEIL}, (3, 8, 6)),
    ("LPPOOL", {"size": (2, 3), "p": 1, "stride": (2, 3)}, (3, 4, 6)),
    ("LPPOOL", {"p": 4}, (3, 4, 4, 4)),
    ("GAP", {}, (3, 5)),
    ("GAP", {}, (3, 5, 4)),
    ("GAP", {}, (3, 5, 4, 3)),
]
for adaptive in ("ADAPTIVEAVGPOOL", "ADAPTIVEMAXPOOL"):
    CASES += [
        (adaptive, {"size": 3}, (2, 8)),
        (adaptive, {"size": (3, 7)}, (2, 8, 5)),
        (adaptive, {"size": (3, 7, 2)}, (2, 8, 5, 3)),
        (adaptive, {"size": 4}, (2, 8, 12)),
        (adaptive, {"size": 6}, (2, 6, 6)),
        (adaptive, {"size": 1}, (2, 6, 5)),
    ]


@pytest.mark.parametrize("opset", [17, 20, 22])
@pytest.mark.parametrize("name, arguments, shape", CASES)
def test_parity(name: str, arguments: dict[str, Any], shape: tuple[int, ...], opset: int) -> None:
    """Shapes and numbers equal torch's."""
    hold(layer_class(name)(**arguments), TensorType(shape), opset=opset)


def _random_pool(rnd: random.Random) -> tuple[Pooling, nn.Module, tuple[int, ...]]:
    """A layer, torch's, and the shape for both."""
    rank = rnd.randint(1, 3)

    def numbers(low: int, high: int) -> Any:
        several = rnd.random() < 0.5
        return tuple(rnd.randint(low, high) for _ in range(rank)) if several else rnd.randint(low, high)

    size, stride, padding, dilation = numbers(1, 5), numbers(1, 5), numbers(0, 2), numbers(1, 3)
    ceil, counted = rnd.random() < 0.5, rnd.random() < 0.5
    given = {"size": size, "stride": stride, "fit": "ceil" if ceil else "floor"}
    x = (2, *(rnd.randint(1, 9) for _ in range(rank)))
    kind = rnd.choice(["POOL", "AVGPOOL", "LPPOOL"])
    if kind == "POOL":
        given |= {"padding": padding, "dilation": dilation}
        module = getattr(nn, f"MaxPool{rank}d")(size, stride, padding, dilation, ceil_mode=ceil)
    elif kind == "AVGPOOL":
        given |= {"padding": padding, "count_include_pad": counted}
        module = getattr(nn, f"AvgPool{rank}d")(size, stride, padding, ceil, counted)
    else:
        if rank == 1:  # torch's takes no tuples there
            size, stride = (v if isinstance(v, int) else v[0] for v in (size, stride))
            given |= {"size": size, "stride": stride}
        module = getattr(nn, f"LPPool{rank}d")(2, size, stride, ceil)
    layer = layer_class(kind)(**given)
    assert isinstance(layer, Pooling)
    return layer, module, x


def test_shapes_over_a_grid() -> None:
    """With fit=floor and ceil the layers take what torch takes, and give the shapes that torch gives."""
    rnd, taken = random.Random(0), 0
    for _ in range(800):
        layer, module, x = _random_pool(rnd)
        try:
            expected: Any = tuple(module(torch.zeros(1, *x)).shape[1:])
        except RuntimeError:
            expected = None
        try:
            own: Any = layer.shape(TensorType(x)).shape
        except LayerError as error:
            assert error.code in ("E202", "E208")
            own = None
        assert own == expected, (vars(layer), x)
        taken += own is not None
        if own is not None and taken % 8 == 0 and layer.dilation == 1:  # a dilated window may see padding alone: -inf
            hold(layer, TensorType(x), opset=rnd.choice([17, 20, 22]))
    assert 200 < taken < 700


def test_cover_loses_nothing() -> None:
    """`lost` counts the input's positions behind the last window, the gap that lies between all windows apart."""
    rnd = random.Random(0)
    for _ in range(2000):
        n, before, after = rnd.randint(1, 20), rnd.randint(0, 4), rnd.randint(0, 4)
        s = Slide(rnd.randint(1, 5), rnd.randint(1, 7), rnd.randint(1, 2), before, after)
        if n + before + after < s.extent:
            continue
        last = (s.floor(n) - 1) * s.stride - before
        behind = [p for p in range(n) if p >= last + max(s.extent, s.stride)]
        assert s.lost(n) == len(behind)


@pytest.mark.parametrize(
    "name, arguments, shape, code",
    [
        ("POOL", {}, (3, 7, 7), "E201"),
        ("POOL", {"stride": 10**12, "fit": "exact"}, (3, 7, 7), "E201"),
        ("POOL", {"size": 10**12}, (3, 7, 7), "E202"),
        ("POOL", {"size": 9}, (3, 7, 7), "E202"),
        ("POOL", {"padding": "half"}, (3, 8, 8), "E203"),
        ("POOL", {"size": 3, "padding": 2}, (3, 8, 8), "E208"),
        ("POOL", {"size": 3, "padding": 2, "dilation": 2}, (3, 8, 8), "E208"),
        ("POOL", {}, (10,), "E206"),
        ("AVGPOOL", {"size": 5, "padding": 2, "stride": 1}, (3, 8, 4, 8), "E202"),
        ("LPPOOL", {"p": 0}, (3, 8, 8), "E210"),
        ("GAP", {}, (10,), "E206"),
        ("ADAPTIVEAVGPOOL", {"size": 1}, (10,), "E206"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], shape: tuple[int, ...], code: str) -> None:
    """What a layer cannot take has a code; of the changes that are offered some mend it."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(TensorType(shape))
    assert caught.value.code == code
    assert len(caught.value.trials) < 40
    mended = 0
    for trial in caught.value.trials:
        try:
            layer_class(name)(**{**arguments, trial.argument: trial.value}).shape(TensorType(shape))
            mended += 1
        except LayerError:
            pass
    assert mended or code == "E206"


def test_windows() -> None:
    """The receptive field's extents and strides, and where the first one starts."""
    assert Pool(size=3, dilation=2).window(TensorType((3, 15, 15))) == ((5, 5), (3, 3), (0, 0))
    assert layer_class("GAP")().window(TensorType((3, 8, 8))) == "everything"
    assert AdaptiveMaxPool(size=4).window(TensorType((3, 8, 10))) == ((2, 3), (2, 2.5), (0, 0.25))


def test_longest_span() -> None:
    """The closed form says what the spans say."""
    for n in range(1, 25):
        for out in range(1, 25):
            assert longest(n, out) == max(stop - start for start, stop in spans(n, out))


def test_maxpool_is_pool() -> None:
    """Two names, one layer."""
    assert LAYERS["MAXPOOL"] == LAYERS["POOL"]
    assert layer_class("MAXPOOL").spec == "POOL"
