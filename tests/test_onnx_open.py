"""Sizes of the input that stay open in an ONNX file, held at several of them against torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import archdsl
from archdsl.diagnostics import ArchError
from archdsl.shapes.late import Late, SizeNeeded, greatest, known, late
from tests.support.parity import hold_open, single
from tests.support.parity import network as random_network
from tests.support.run_onnx import dimensions, hold, session

SPECS = sorted((Path(__file__).parent.parent / "specs" / "symbolic").glob("*.arch"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_specs_with_open_sizes(path: Path) -> None:
    """Each spec of that folder, small, at several heights and widths."""
    text = path.read_text(encoding="utf-8").replace("filters = 64", "filters = 8").replace("64*2**", "4*2**")
    text = text.replace("depth = 16", "depth = 4").replace("depth = 4 in", "depth = 2 in")
    assert "= 8" in text or "4*2**" in text
    model = hold(text, [{"H": 16, "W": 16}, {"H": 8, "W": 24}, {"H": 28, "W": 12}])
    assert dimensions(model.graph.input[0])[2:] == ["H", "W"]
    assert dimensions(model.graph.output[0])[2:] in (["H", "W"], ["4*H", "4*W"])


IMAGE = [{"H": 16, "W": 24}, {"H": 32, "W": 8}]
ODD = [{"H": 17, "W": 24}, {"H": 30, "W": 7}, {"H": 23, "W": 13}]
LENGTH = [{"L": n} for n in (5, 8, 21)]

CASES: dict[str, tuple[str, list[dict[str, int]]]] = {
    "stride": ("input 3xHxW\nCONV(8, 3, 2) - BN - RELU - CONV(4, 3, 2)", IMAGE),
    "padding by the size": ("input 3xHxW\nCONV(8, 3, 2, padding=same) - CONV(4, 4, 3, padding=same)", ODD),
    "padding by the size, other modes": (
        "input 3xHxW\nCONV(8, 3, 2, padding=same, padding_mode=reflect)\n"
        "CONV(4, 4, padding=same, padding_mode=replicate)",
        ODD,
    ),
    "padding of windows by the size": (
        "input 3xHxW\nPOOL(3, 2, padding=same) - AVGPOOL(3, 2, padding=same)\n"
        "AVGPOOL(2, 2, padding=same, count_include_pad=false)",
        ODD,
    ),
    "windows past the end": (
        "input 3xHxW\nPOOL(3, 2, fit=ceil) - AVGPOOL(3, 2, padding=1, fit=ceil)\n"
        "AVGPOOL(2, count_include_pad=false, fit=ceil) - LPPOOL(2, p=2, fit=ceil)",
        ODD,
    ),
    "adaptive": ("input 3xHxW\nADAPTIVEAVGPOOL(3x5) - FC(7)", ODD),
    "adaptive, one axis open": ("input 3xHx12\nADAPTIVEAVGPOOL(5x4)", [{"H": 5}, {"H": 7}, {"H": 30}]),
    "adaptive planes": ("input 3xDx9x10\nADAPTIVEAVGPOOL(4)", [{"D": 4}, {"D": 6}, {"D": 11}]),
    "adaptive volume": ("input 2xDxHxW\nADAPTIVEAVGPOOL(2x3x4)", [{"D": 4, "H": 5, "W": 7}, {"D": 3, "H": 9, "W": 6}]),
    "adaptive sequence": ("input 3xL\nADAPTIVEAVGPOOL(4)", LENGTH),
    "adaptive max": ("input 3xHxW\nADAPTIVEMAXPOOL(3x1) - FC(7)", ODD),
    "global": ("input 3xHxW\nCONCAT{ ADAPTIVEMAXPOOL(1) | GAP | ADAPTIVEAVGPOOL(1) } - FC(4)", ODD),
    "upsampling": ('input 3xHxW\nUPSAMPLE(3) - UPSAMPLE(2, mode=bilinear) - UPSAMPLE(2, mode="nearest-exact")', ODD),
    "upsampling, corners": (
        "input 3xHxW\nUPSAMPLE(2, mode=bicubic) - UPSAMPLE(2, mode=bilinear, align_corners=true)",
        ODD,
    ),
    "upsampling by a factor that rounds": ("input 3xL\nUPSAMPLE(41)", LENGTH),
    "upsampling to a size": ("input 3xHxW\nUPSAMPLE(size=20x13) - UPSAMPLE(size=9, mode=bilinear)", ODD),
    "upsampling like": (
        "input 3xHxW\na: CONV(4, 3, 2, fit=floor)\nb: UPSAMPLE(like=@input)\nc: UPSAMPLE(like=@a, mode=bilinear)\n"
        'UPSAMPLE(like=@input, mode="nearest-exact")',
        ODD,
    ),
    "transposed": (
        "input 3xHxW\nUPCONV(4) - UPCONV(4, 3, 2) - UPCONV(2, 3, 1, dilation=2, padding=2, output_padding=1)",
        ODD,
    ),
    "shuffled": ("input 3xHxW\nPIXELUNSHUFFLE(2) - CONV(16) - PIXELSHUFFLE(4)", IMAGE),
    "groups": (
        "input 6xHxW\nGN(groups=3) - CONV(6, 2, padding=0) - PAD(1) - INSTANCENORM(affine=true) - BN\n"
        "LRN(size=4) - LRN - LN(axis=0)",
        ODD,
    ),
    "norm without weights": ("input 3xL\nLN(affine=false) - NORMALIZE(axis=0)", LENGTH),
    "cut": (
        "input 3xHxW\nCHUNK(1, 4, axis=1) - SLICE(1, axis=2) - SLICE(0, -2, 2, axis=2) - SELECT(-1, axis=1)",
        IMAGE,
    ),
    "moved": ("input 3xHxW\nROLL((3, -2), axis=(1, 2)) - PERMUTE(1, 2, 0) - ROLL(100, axis=1)", ODD),
    "padded": ("input 3xHxW\nPAD(1, mode=reflect) - PAD(2, mode=circular) - PAD(((0, 1), (2, 2)), value=3)", ODD),
    "arranged": ('input 4xHxW\nREARRANGE("(a c) (h p) w -> (a p) c h w", a=2, p=4) - FLATTEN(start=0, end=1)', IMAGE),
    "arranged as nothing": ('input 4xHxW\nREARRANGE("c h w -> h w c") - REARRANGE("h w c -> c h w")', ODD),
    "reshaped": ("input 4x3xL\nRESHAPE(12, -1) - PERMUTE(1, 0) - LINEAR(5) - FLATTEN(start=0, end=0)", LENGTH),
    "attention": ("input Lx12\nMHA(3) - MHA(2, causal=true) - LN", LENGTH),
    "attention without weights": (
        "input Lx12\nq: LINEAR(8)\n@input - k: LINEAR(8)\n@input - v: LINEAR(6)\n"
        "ATTENTION(2, causal=true){ @q | @k | @v }",
        LENGTH,
    ),
    "copies that are equal at some sizes alone": ("input 3xHxW\n(UPSAMPLE(size=256) - CONV(3))*2 - POOL(16)", ODD[:2]),
    "copies that round": ("input 3xHxW\n(POOL(2, fit=ceil) - UPSAMPLE(2))*3", ODD),
    "recurrent": ("input Lx4\nLSTM(3, layers=2, bidirectional=true) - GRU(5) - RNN(2) - SELECT(-1)", LENGTH),
    "words": ("input 2xL of int\nEMBEDDING(10, 4) - MEAN(1) - FC(3)", LENGTH),
    "reduced": ("input 3xHxW\nADD(stretch=true){ MEAN(1, keep=true) | NORM(2, keep=true) }", ODD),
    "joined": ("input 3xHxW\nCONCAT{ MUL{ ID | GAP } | CONV(2) } - SOFTMAX", ODD),
    "multiplied": ("input 4xL\nMATMUL{ ID | PERMUTE(1, 0) }", LENGTH),
}


@pytest.mark.parametrize("name", CASES)
def test_layers_with_open_sizes(name: str) -> None:
    """One file for all sizes, whatever the layers ask of them."""
    hold(*CASES[name], opsets=(17, 23))


@pytest.mark.parametrize("start", range(0, 100, 20))
def test_random_layers_with_open_sizes(start: int) -> None:
    """Single layers, their input's sizes letters, at some valid sizes each."""
    assert sum(hold_open(single(seed), seed, (20,)) for seed in range(start, start + 20)) >= 40


@pytest.mark.parametrize("seed", range(8, 44, 2))
def test_random_networks_with_open_sizes(seed: int) -> None:
    """Networks likewise, those whose sizes can stay open."""
    hold_open(random_network(seed), seed, (17,))


def test_options_with_open_sizes() -> None:
    """Blocks as functions and folded normalisations change nothing about sizes."""
    text = (
        "input 3xHxW\nblock B(w) { CONV(w, padding=same, stride=2) - BN - RELU }\nB(8) - B(8) - UPSAMPLE(like=@input)"
    )
    model = hold(text, ODD, (20,), functions=True, fold_bn=True)
    assert [f.name for f in model.functions] == ["B"]


def test_names_of_dimensions() -> None:
    """Letters and expressions of them; the batch is called otherwise where the spec has an N."""
    text = "input 3xNxW\na: [CONV(8, 7, stride=2, padding=3, fit=floor) - POOL(3, 2, padding=1, fit=floor)]\n"
    text += "b: UPSAMPLE(3)\noutput a, b"
    model = onnx.load_from_string(archdsl.to_onnx(text=text))
    assert [dimensions(v) for v in (*model.graph.input, *model.graph.output)] == [
        ["batch", 3, "N", "W"],
        ["batch", 8, "floor((N + 3)/4)", "floor((W + 3)/4)"],
        ["batch", 8, "3*floor((N + 3)/4)", "3*floor((W + 3)/4)"],
    ]
    fixed = onnx.load_from_string(archdsl.to_onnx(text="input 3xHxW\nPOOL", batch=2, W=8))
    assert [dimensions(v) for v in (*fixed.graph.input, *fixed.graph.output)] == [[2, 3, "H", 8], [2, 3, "H/2", 4]]


def test_a_size_without_an_expression_has_a_name_of_its_own() -> None:
    """Where no expression was found nothing wrong is said."""
    text = "input 2xH\nCONCAT(axis=1){ POOL(2, 2, fit=floor) | POOL(3, 3, fit=floor) }"
    model = onnx.load_from_string(archdsl.to_onnx(text=text))
    assert dimensions(model.graph.output[0]) == ["N", 2, "output:2"]


def test_nothing_is_warned_of(capfd: pytest.CaptureFixture[str]) -> None:
    """onnxruntime finds the names of the dimensions in order."""
    data = archdsl.to_onnx(text="input 3xHxW\nCONV(4, 3, 2) - UPSAMPLE(like=@input) - ADAPTIVEAVGPOOL(3)")
    assert session(data).run(None, {"input": np.ones((2, 3, 9, 11), np.float32)})[0].shape == (2, 4, 3, 3)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("input 3xHxW\nRELU\nCONV(4, 3, 2, padding=same, padding_mode=circular)", "3:1"),
        ("input 2xL\nATTENTION{ ID | ID | ID }", "2:1"),
    ],
)
def test_a_layer_that_needs_a_size_says_so(text: str, where: str) -> None:
    """It is named at its place; with a value it is written."""
    with pytest.raises(ArchError, match="needs the size of what arrives") as caught:
        archdsl.to_onnx(text=text, opset=17)
    [found] = caught.value.diagnostics
    assert found.code == "E607" and found.span is not None and found.span.place == where
    assert archdsl.to_onnx(text=text, opset=17, **{s: 8 for s in "HWL" if s in text.partition("\n")[0]})


def test_a_number_can_not_be_had() -> None:
    """Whatever would bake an open size into a file is refused: that is why none can hang on it."""
    n: Any = late("x", 2)
    asking: list[Any] = [
        int, float, bool, hash, list, range, [0].__getitem__, lambda n: np.asarray([n], np.int64),
        lambda n: n == 3, lambda n: n != 3, lambda n: n < 3, lambda n: 3 <= n, lambda n: max(n, 3), lambda n: n in (1,),
        lambda n: 1 if n % 2 else 0, lambda n: [1.0] * n, lambda n: n * 1.5, lambda n: {n: 1}, lambda n: n == n + 0,
    ]  # fmt: skip
    for ask in asking:
        with pytest.raises((SizeNeeded, TypeError)):
            ask(n)
    from archdsl.backends.onnx.recorder import GraphRecorder

    recorder = GraphRecorder(20)
    for attributes in ({"pads": [0, n]}, {"axis": n}):
        with pytest.raises(SizeNeeded):
            recorder.node("Conv", ["x"], **attributes)
    with pytest.raises(SizeNeeded):
        recorder.constant([[n]], "int")
    with pytest.raises(SizeNeeded):
        recorder.constant(n, "int")
    assert not recorder.recorded and not known(1, n) and isinstance(greatest(3, n), Late)


@pytest.mark.parametrize("size", [1, 2, 7, 12])
def test_arithmetic_of_sizes_is_that_of_whole_numbers(size: int) -> None:
    """What is recorded computes in a run what Python would, below 0 too."""
    from archdsl.backends.onnx import wire
    from archdsl.backends.onnx.recorder import GraphRecorder

    def all_of(n: Any) -> list[Any]:
        return [
            n, n + 3, 3 + n, n - 9, 5 - n, n * 2, 3 * n, n // 3, (n - 9) // 4, -(-n // 5), (n - 9) % 4, 7 % n, -n,
            greatest(0, n - 5), greatest(n, 4), n * 1, n // 1, (n + 1) * (n + 2),
        ]  # fmt: skip

    recorder = GraphRecorder(17)
    name = recorder.constant([0, *all_of(late("x", 1))], "int")
    constants = [
        wire.blob(wire.INITIALIZER, wire.tensor_head(n, c.dtype, c.shape, len(c.data)) + c.data)
        for n, c in recorder.constants.items()
    ]
    graph = wire.graph_head([node.bytes() for node in recorder.recorded], "g") + b"".join(constants)
    graph += wire.graph_tail([wire.value_info("x", "float", (1, "n"))], [wire.value_info(name, "int", ("m",))])
    model = wire.model_head(8, "test", "") + wire.blob(wire.GRAPH, graph) + wire.model_tail([("", 17)], [])
    (found,) = session(model).run(None, {"x": np.zeros((1, size), np.float32)})
    assert found.tolist() == [0, *all_of(size)]


def test_verify_runs_at_two_sizes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Open sizes are given numbers, and torch's code is that of each."""
    from archdsl.cli.commands import run

    (tmp_path / "net.arch").write_text("input 3xHxW\nPOOL - CONV(4, 3, 2, padding=same) - ADAPTIVEAVGPOOL(3) - FC(2)\n")
    assert run(["compile", str(tmp_path / "net.arch"), "--to", "onnx", "--verify"]) == 0
    told = capfd.readouterr().err.splitlines()[-3:]
    assert told[1] == "onnxruntime: runs, batch 1 and 3, at H = 2, W = 2 and H = 8, W = 8"
    assert told[2].startswith("torch: the greatest difference is ")
