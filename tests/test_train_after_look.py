"""What each layer makes of an input: the numbers are the module's own, and the pictures show them."""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from archdsl.analyses.uses import Walk
from archdsl.backends.pytorch import emit
from archdsl.live import instance
from archdsl.training.looking.activations import activations
from archdsl.training.looking.look import rows
from archdsl.training.looking.page import MARK, PNG_MARK, Page, html, png
from archdsl.training.looking.pictures import GAP, LARGEST, MOST_CELLS, MOST_TILES, TABLE, colours, filters, picture
from tests.support.train_data import network

SPECS = {
    "a chain, copies, an implied flattening": "input 3x8x8\n[(CONV(4)-RELU)*2-POOL]*2-FC(8)-RELU-FC(3)-SOFTMAX",
    "blocks and a sum": (
        "input 4x8x8\nblock B(w) {\n ADD{ CONV(w)-BN-RELU-CONV(w)-BN | }\n RELU\n}\na: B(4)-B(4)*3-GAP-FC(2)"
    ),
    "what is read from inside, and again": (
        "input 4x8x8\na: [CONV(4)-b: RELU]-CONV(4)\nADD{ ID | @b }-share a-GAP-FC(2)"
    ),
    "tensors of its own": "input 5x8\nADD{ ID | pos: PARAM(5x8) }-MUL{ ID | 0.5 }-MAX{ ID | CONST([0.1]) }-LINEAR(3)",
    "recurrence": "input 12 of int\nEMBEDDING(20, 8)-LSTM(6)-GRU(4)-LINEAR(3)",
    "attention": "input 6x8\nADD{ LN-MHA(2) | }-ADD{ LN-LINEAR(16)-GELU-LINEAR(8) | }-MEAN(axis=0)-FC(2)",
    "two inputs, and an output in training": (
        "input p: 3x4x4\ninput q: 3x4x4\nCONCAT{ @p | @q }-c: CONV(4)-aux: RELU-GAP-y: FC(2)\n"
        "output y\noutput aux in training"
    ),
    "arms side by side": ("input 4x4x4\nCONCAT{ CONV(2, 1) | POOL(3, stride=1, padding=1)-CONV(2, 1) }-UPCONV(2)"),
}


def tensors(net: Any, batch: int = 2) -> list[torch.Tensor]:
    """Random inputs of a network."""
    made = torch.Generator().manual_seed(0)
    types = [given.value.type for given in net.inputs]
    return [
        torch.randn((batch, *t.shape), generator=made)
        if t.dtype == "float"
        else torch.randint(0, 20, (batch, *t.shape), generator=made)
        for t in types
    ]


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_the_numbers_are_the_modules_own(text: str) -> None:
    """Gone through layer by layer, the last layer gives bit for bit what the module gives; shapes are those derived."""
    net = network(text)
    module = instance(emit(net), net.name).eval()
    inputs = tensors(net)
    with torch.inference_mode():
        given = module(*inputs)
        seen = {found.use.output: found for found in activations(net, module, inputs)}
    walk = Walk(net)
    uses = {use.output: use for use in walk}
    plain = [output for output in net.outputs if not output.training]
    for output, expected in zip(plain, given if isinstance(given, tuple) else (given,)):
        assert torch.equal(seen[walk.tensors[output.value]].value, expected)
    for number, use in uses.items():
        if number in seen and use.apply.output.type.batched:
            assert seen[number].value.shape == (2, *use.apply.output.type.shape), use.path


def test_the_module_is_left_as_it_is() -> None:
    """An activation that overwrites its input shows the layer before it unharmed, and nothing is changed."""
    net = network("input 1x4x4\nCONV(2)-RELU")
    module = instance(emit(net), net.name).eval()
    assert module[1].inplace
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with torch.inference_mode():
        conv, relu = list(activations(net, module, tensors(net)))
        assert float(conv.value.min()) < 0 and torch.equal(relu.value, conv.value.clamp(min=0))
    assert module[1].inplace and all(torch.equal(before[k], v) for k, v in module.state_dict().items())
    assert conv.filters is not None and conv.filters.shape == (2, 1, 3, 3) and relu.filters is None


@pytest.mark.parametrize(
    ("shape", "size", "note"),
    [
        ((), (12, 12), None),
        ((5,), (5 * 14 - GAP, 12), None),
        ((MOST_CELLS + 1,), None, "the first 1,024 of 1,025 numbers"),
        ((6, 10), (10 * 12, 6 * 12), None),
        ((TABLE[0] + 1, 7), None, "the first 128x7 numbers"),
        ((3, 28, 28), (3 * 58 - GAP, 56), None),
        ((3, 200, 100), (3 * (LARGEST // 2 + GAP) - GAP, LARGEST), None),
        ((MOST_TILES + 1, 7, 7), None, "the first 64 of 65 channels"),
        ((2, 9, 4, 4), None, "of an axis of 9 its middle, 4"),
        ((2, 3, 3, 4, 4), None, "of an axis of 3 its middle, 1"),
    ],
)
def test_pictures(shape: tuple[int, ...], size: tuple[int, int] | None, note: str | None) -> None:
    """A picture of any shape, with what it leaves out."""
    drawn = picture(np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape))
    assert size is None or drawn.image.size == size
    assert note is None or note in drawn.notes
    assert note is not None or not drawn.notes
    assert drawn.low == 0 and drawn.high == np.prod(shape, dtype=int) - 1


def test_greys() -> None:
    """Black is the least number of the whole layer, white the greatest; the gap is transparent; all equal is grey."""
    value = np.zeros((2, 1, 1), np.float32)
    value[1] = 4
    pixels = np.asarray(picture(value).image)
    assert pixels[0, 0].tolist() == [0, 255] and pixels[0, -1].tolist() == [255, 255]
    assert pixels[0, 56].tolist() == [0, 0]
    assert np.asarray(picture(np.full((1, 2, 2), 7.0)).image)[..., 0].tolist() == np.full((56, 56), 128).tolist()


def test_what_is_not_finite() -> None:
    """NaN and infinity are counted, and spoil nothing."""
    drawn = picture(np.array([0.0, np.nan, np.inf, 2.0], np.float32))
    assert (drawn.low, drawn.high) == (0, 2) and drawn.notes == ("2 numbers are not finite, shown black",)
    assert picture(np.array([np.nan], np.float32)).low == 0


def test_filters_and_colours() -> None:
    """Filters on RGB are coloured, others are grey images of each channel; an RGB input is coloured."""
    assert filters(np.random.default_rng(0).random((8, 3, 5, 5))).image.mode == "RGBA"
    grey = filters(np.random.default_rng(0).random((8, 2, 5, 5)))
    assert grey.image.mode == "LA" and grey.image.size[0] > 800
    assert filters(np.random.default_rng(0).random((40, 2, 5, 5))).notes == ("the first 64 of 80",)
    assert filters(np.ones((4, 2, 3))).image.size[1] < filters(np.ones((4, 2, 3, 3, 3))).image.size[1]
    assert colours(np.random.default_rng(0).random((3, 8, 8))).image.mode == "RGBA"
    assert colours(np.random.default_rng(0).random((1, 8, 8))).image.size == (224, 224)
    assert colours(np.random.default_rng(0).random((5, 8))).image.mode == "LA"


def page(text: str, only: tuple[str, ...] = ()) -> Page:
    """The page of a network with random weights."""
    net = network(text)
    module = instance(emit(net), net.name).eval()
    return Page("a <look>", rows(net, module, tensors(net, 1), only), (("<cat>", 0.75), ("dog", 0.25)))


def test_html() -> None:
    """One file: a row for the input, the filters and each layer by its path, each with a whole picture in it."""
    made = page(SPECS["blocks and a sum"])
    text = html(made).decode()
    assert text.encode().startswith(MARK)
    titles = [unescape(t) for t in re.findall(r"<h2><code>(.*?)</code>", text)]
    layers = ["conv1", "bn1", "relu1", "conv2", "bn2", "add1", "relu2"]
    blocks = [f"{name}.{layer}" for name in ("a", "b1", "b2", "b3") for layer in layers]
    assert titles == ["input", "a.conv1.weight", *blocks, "gap1", "fc1"]
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    assert len(pictures) == len(titles) == len(made.rows)
    for row, data in zip(made.rows, pictures):
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == row.picture.image.size
    assert "&lt;cat&gt;<td>" in text and "75.00%" in text and "<look>" not in text
    assert not re.search(r'(src|href)="(?!data:)', text)


def test_png() -> None:
    """One picture as high as its rows, which archdsl knows as its own."""
    made = page(SPECS["a chain, copies, an implied flattening"])
    data = png(made)
    assert PNG_MARK in data[:512]
    sheet = Image.open(io.BytesIO(data))
    assert sheet.mode == "RGB" and sheet.height > sum(row.picture.image.height + 40 for row in made.rows)
    assert len(np.unique(np.asarray(sheet))) > 50


def test_only() -> None:
    """Patterns of paths leave the other layers out, and the inputs in."""
    titles = [row.title for row in page(SPECS["a chain, copies, an implied flattening"], ("1", "5*")).rows]
    assert titles == ["input", "1", "5"]
