"""What was measured of ONNX, onnxruntime and torch's exporter, a fact a test; each docstring says the fact."""

from __future__ import annotations

import cProfile
import os
import pstats
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import archdsl
from archdsl.backends.onnx.emit import IR_VERSIONS, LARGEST, Options
from tests.support.run_onnx import dimensions, hold, session

NOW = [{}]
"""The one point of a spec whose sizes are known."""


def model(text: str, **options: Any) -> onnx.ModelProto:
    """The file of a spec, parsed."""
    return onnx.load_from_string(archdsl.to_onnx(text=text, **options))


def operators(text: str, **options: Any) -> list[str]:
    """Its nodes' operators, in order."""
    return [node.op_type for node in model(text, **options).graph.node]


def attributes(text: str, operator: str, **options: Any) -> dict[str, Any]:
    """The attributes of the one node of that operator."""
    [node] = [node for node in model(text, **options).graph.node if node.op_type == operator]
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def equal(text: str, *opsets: int, **options: Any) -> None:
    """Hold its files, at the default opset if none is given, against torch, at two batches."""
    hold(text, NOW, opsets or (20,), **options)


# ---- writing the file


def test_bytes_are_those_of_onnx_itself() -> None:
    """The wire format written directly gives the bytes that onnx's own classes write."""
    data = archdsl.to_onnx(text="input 3x8x8\nCONV(4) - BN - RELU - FC(2)")
    assert onnx.load_from_string(data).SerializeToString(deterministic=True) == data


def test_repeated_messages_are_merged() -> None:
    """Protobuf merges repeated occurrences of a message: a structure and its tensors may come apart."""
    whole = model("input 3\nFC(2)")
    tensors = onnx.ModelProto(graph=onnx.GraphProto(initializer=whole.graph.initializer))
    del whole.graph.initializer[:]
    assert not whole.graph.initializer
    merged = onnx.load_from_string(whole.SerializeToString() + tensors.SerializeToString())
    assert {t.name for t in merged.graph.initializer} == {"0.weight", "0.bias"}


def test_no_file_is_above_2_gib() -> None:
    """A larger file parses nowhere: past that weights go to a second file (see test_too_large_goes_outside)."""
    assert LARGEST == 2**31 - 1


def test_no_path_is_in_the_file(tmp_path: Path) -> None:
    """Torch's file holds absolute paths and differs between folders; ours is the same from any (pytorch#5463)."""
    made = []
    for name in ("a", "b"):
        os.mkdir(tmp_path / name)
        (tmp_path / name / "net.arch").write_text("input 3x8x8\nCONV(4) - FC(2)\n")
        made.append(archdsl.to_onnx(tmp_path / name / "net.arch"))
    assert made[0] == made[1] and str(tmp_path).encode() not in made[0]


# ---- versions


def test_opset_20_and_ir_10_are_the_default() -> None:
    """They are torch's too; metadata of nodes needs IR 10, and Conv of opset 22 was fused late (onnxruntime#27262)."""
    made = model("input 3\nFC(2)")
    assert (made.opset_import[0].version, made.ir_version) == (20, 10) and Options().opset == 20


@pytest.mark.parametrize("opset", IR_VERSIONS)
def test_both_versions_are_set(opset: int) -> None:
    """onnx's own defaults are beyond what onnxruntime takes: 26 and 13 at most."""
    made = model("input 3\nFC(2)", opset=opset)
    assert (made.opset_import[0].version, made.ir_version) == (opset, IR_VERSIONS[opset])
    assert opset <= 26 and made.ir_version <= 13
    assert session(made.SerializeToString()).run(None, {"input": np.ones((1, 3), np.float32)})[0].shape == (1, 2)


# ---- parity, layer by layer


@pytest.mark.parametrize("text", ["CONV(4, 4, 3, padding=same)", "CONV(4, 3, padding=same, dilation=2)"])
def test_same_padding_is_explicit(text: str) -> None:
    """Pads of total//2 before and the rest behind: onnxruntime refuses auto_pad with dilation, SAME_LOWER is wrong."""
    text = f"input 3x10x11\n{text}"
    found = attributes(text, "Conv")
    assert "auto_pad" not in found
    before, after = found["pads"][:2], found["pads"][2:]
    assert all(a - b in (0, 1) for a, b in zip(after, before))
    equal(text, 17, 22)


@pytest.mark.parametrize("size", [5, 6, 7, 8])
def test_ceil_mode_is_baked(size: int) -> None:
    """ONNX drops windows in the right padding from opset 22 on alone: extra end pads, and no ceil_mode."""
    text = f"input 2x{size}x{size + 3}\nPOOL(3, 2, padding=1, fit=ceil)"
    assert "ceil_mode" not in attributes(text, "MaxPool")
    equal(text, 17, 22)


def test_average_with_ceil_and_counted_padding() -> None:
    """Pad, then an AveragePool with end pads that do not count (pytorch#183528, onnxruntime#24681)."""
    text = "input 2x8x8\nAVGPOOL(3, 2, padding=1, fit=ceil)"
    assert operators(text) == ["Pad", "Max", "AveragePool"]
    found = attributes(text, "AveragePool")
    assert found["count_include_pad"] == 0 and found["pads"] == [0, 0, 1, 1]
    equal(text, 17, 22)


def test_lp_pooling_is_made_of_averages() -> None:
    """Pow, AveragePool, Mul and Pow, as torch does."""
    assert operators("input 2x8x8\nLPPOOL(2)") == ["Pow", "AveragePool", "Mul", "Pow"]
    equal("input 2x9x8\nRELU - LPPOOL(3, 2, p=3, fit=ceil)")


def test_adaptive_average_is_two_products() -> None:
    """Sizes that do not divide: two MatMuls with constant matrices."""
    assert operators("input 2x7x9\nADAPTIVEAVGPOOL(3x4)") == ["MatMul", "MatMul"]
    equal("input 2x7x9\nADAPTIVEAVGPOOL(3x4)")


def test_adaptive_max_is_made_of_slices() -> None:
    """Slice, ReduceMax and Concat, which is exact."""
    assert set(operators("input 2x7x9\nADAPTIVEMAXPOOL(3x4)")) == {"Slice", "ReduceMax", "Concat"}
    equal("input 2x7x9\nADAPTIVEMAXPOOL(3x4)")


def test_batch_statistics_are_decomposed() -> None:
    """onnxruntime is wrong for training_mode=1 with unused outputs (#29790)."""
    assert "BatchNormalization" not in operators("input 3x4x4\nBN(track=false)")
    equal("input 3x4x4\nBN(track=false)")


def test_folded_convolutions_have_biases_of_their_own() -> None:
    """Torch's file had a wrong bias behind a folded BN (pytorch#166797, #169178); ours has the CONV's width."""
    text = (
        "input 3x8x8\na: [CONV(4) - BN - RELU]\nADD{ CONV(8, 1, 1) - BN | CONV(8) - BN - RELU - CONV(8) - BN } - RELU"
    )
    tensors = {t.name: t for t in model(text, fold_bn=True).graph.initializer}
    widths = {name: list(t.dims) for name, t in tensors.items() if name.endswith("bias")}
    assert (
        all(widths[name] == [tensors[name.replace("bias", "weight")].dims[0]] for name in widths) and len(widths) == 4
    )
    equal(text, fold_bn=True)


def test_dropout_is_nothing() -> None:
    """In evaluation there is no node for DROPOUT and DROPPATH."""
    assert operators("input 3\nDROPOUT - DROPPATH(0.1) - RELU") == ["Relu"]


def test_gelu_by_opset() -> None:
    """`Gelu` from opset 20 on, before it the erf form."""
    assert operators("input 3\nGELU") == ["Gelu"]
    assert "Erf" in operators("input 3\nGELU", opset=19)
    equal("input 3\nGELU - GELU(approximate=tanh)", 17, 20)


def test_layer_norm_is_one_node() -> None:
    """Its axis is -len(shape), and where there is no affine its scale is ones."""
    assert attributes("input 5x4x6\nLN(axis=(1, 2))", "LayerNormalization")["axis"] == -2
    made = model("input 5x4\nLN(affine=false)")
    [scale] = [t for t in made.graph.initializer if t.name == made.graph.node[0].input[1]]
    assert numpy_helper.to_array(scale).tolist() == [1, 1, 1, 1]
    equal("input 5x4x6\nLN(axis=(1, 2)) - LN(affine=false)", 17, 20)


@pytest.mark.parametrize("opset", [17, 18, 21])
def test_group_norm_is_an_instance_norm(opset: int) -> None:
    """GroupNormalization's scale is per group in opset 18 (onnx#5466), and it is half as fast."""
    found = operators("input 4x5x6\nGN(groups=2)", opset=opset)
    assert "GroupNormalization" not in found and {"InstanceNormalization", "Mul", "Add"} <= set(found)
    equal("input 4x5x6\nGN(groups=2)", opset)


def test_resize() -> None:
    """The rules by mode; fractional scales mismatch, so sizes are given."""
    rules = {
        "UPSAMPLE(2)": ("asymmetric", "floor", None),
        'UPSAMPLE(2, mode="nearest-exact")': ("half_pixel", "round_prefer_ceil", None),
        "UPSAMPLE(2, mode=bilinear)": ("half_pixel", None, None),
        "UPSAMPLE(2, mode=bicubic)": ("half_pixel", None, -0.75),
        "UPSAMPLE(2, mode=bilinear, align_corners=true)": ("align_corners", None, None),
    }
    for layer, (transformation, nearest, a) in rules.items():
        found = attributes(f"input 3x5x6\n{layer}", "Resize")
        assert found["coordinate_transformation_mode"].decode() == transformation
        assert (found["nearest_mode"].decode() if nearest else None) == nearest
        assert found.get("cubic_coeff_a") == (a if a is None else pytest.approx(a))
    [resize] = [n for n in model("input 3x5x6\nUPSAMPLE(size=8x7, mode=bilinear)").graph.node if n.op_type == "Resize"]
    assert resize.input[2] == "" and resize.input[3]
    equal("input 3x5x6\nUPSAMPLE(size=8x7, mode=bicubic) - UPSAMPLE(size=11x5)", 17, 20)


def test_transposed_convolution_past_its_stride() -> None:
    """onnxruntime refuses stride <= output_padding < dilation."""
    equal("input 3x5x6\nUPCONV(4, 3, 1, dilation=2, padding=2, output_padding=1)", 17, 22)


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "RNN"])
def test_recurrent_layers(layer: str) -> None:
    """Gates in ONNX's order, linear_before_reset=1, both biases as one, and no layout=1."""
    text = f"input 5x3\n{layer}(4, layers=2, bidirectional=true)"
    for node in model(text).graph.node:
        if node.op_type == layer:
            found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            assert "layout" not in found and found.get("linear_before_reset") == (1 if layer == "GRU" else None)
    equal(text, 17, 22)


def test_attention_from_opset_23() -> None:
    """It equals scaled_dot_product_attention, causal and masked; below it is written out."""
    text = "input 5x12\nMHA(3, causal=true) - ATTENTION(2){ ID | ID | ID }"
    assert operators(text, opset=23).count("Attention") == 2 and "Attention" not in operators(text, opset=22)
    equal(text, 22, 23, 24, 25)
    mask = "input 5x12\nmask: LINEAR(5)\n@input - ATTENTION(2){ ID | ID | ID | @mask }"
    assert "Attention" in operators(mask, opset=23)
    equal(mask, 22, 23)


def test_softmax_keeps_its_axis() -> None:
    """Below opset 13 it flattens there; none so low is written."""
    assert min(IR_VERSIONS) >= 13 and attributes("input 3x4x5\nSOFTMAX(axis=1)", "Softmax")["axis"] == 2
    equal("input 3x4x5\nSOFTMAX(axis=1)", 17)


def test_lrn_of_even_size() -> None:
    """onnxruntime refuses it: it is written out; an odd one is LRN."""
    assert "LRN" not in operators("input 6x4x4\nLRN(size=4)") and operators("input 6x4x4\nLRN") == ["LRN"]
    equal("input 6x4x4\nLRN(size=4) - LRN(size=3)")


def test_pixel_shuffle_is_depth_to_space() -> None:
    """In mode CRD."""
    assert attributes("input 8x3x4\nPIXELSHUFFLE(2)", "DepthToSpace")["mode"] == b"CRD"
    equal("input 8x3x4\nPIXELSHUFFLE(2)")


# ---- speed in onnxruntime


def test_initializers_are_no_inputs() -> None:
    """As inputs they lose BN folding and the blocked layout."""
    made = model("input 3x8x8\nCONV(4) - BN - FC(2)")
    assert [i.name for i in made.graph.input] == ["input"]
    assert not {t.name for t in made.graph.initializer} & {i.name for i in made.graph.input}


def test_the_faster_forms() -> None:
    """Sigmoid and Mul rather than Swish, HardSwish rather than its parts, ReduceMean rather than GlobalAveragePool."""
    assert operators("input 3\nSILU", opset=26) == ["Sigmoid", "Mul"]
    assert operators("input 3\nHSWISH") == ["HardSwish"]
    assert operators("input 3x4x4\nGAP") == ["ReduceMean"]


def test_constants_are_initializers() -> None:
    """Constant or initializer, names and Identity make no difference: each value is there once, and no node for it."""
    made = model("input 3x8x8\nCLAMP(0, 1) - CLAMP(0, 1)")
    assert [node.op_type for node in made.graph.node] == ["Clip", "Clip"] and len(made.graph.initializer) == 2


def test_a_residual_network_is_near(tmp_path: Path) -> None:
    """Bit-equality can't be had; a network of residual blocks stays within 5e-6 of the greatest number."""
    from archdsl.api import open_source
    from archdsl.backends.onnx.verify import verify
    from archdsl.pipeline import build

    text = "input 3x32x32\nblock B(w, s = 1) { ADD{ CONV(w, 3, s) - BN - RELU - CONV(w) - BN | "
    text += "if s > 1 { CONV(w, 1, s, fit=floor) - BN } } - RELU }\n"
    text += "CONV(8, fit=floor) - BN - RELU - B(8)*2 - B(16, 2) - B(16) - GAP - FC(10)"
    text = text.replace("CONV(w, 3, s)", "CONV(w, 3, s, fit=floor)")
    archdsl.to_onnx(None, tmp_path / "net.onnx", text=text)
    network, _ = build(open_source(None, text), constants={}, inputs={}, fit=None)
    assert network is not None
    told = next(f.says for f in verify(network, str(tmp_path / "net.onnx"), {}) if f.what == "torch")
    assert float(told.split(" is ")[1].split(" ")[0]) <= 5e-6


BLOCKS = "input 8x8x8\nblock B() { ADD{ ID | CONV(8) - BN - RELU - CONV(8) - BN } - RELU }\n"


def test_functions_are_an_option() -> None:
    """onnxruntime inlines them, the structure halves or better, but other tools refuse them: not the default."""
    text = BLOCKS + "B*12"
    plain, made = model(text), model(text, functions=True)
    assert not plain.functions and [f.name for f in made.functions] == ["B"]
    structures = []
    for m in (plain, made):
        del m.graph.initializer[:], m.metadata_props[:]
        structures.append(m.ByteSize())
    assert structures[1] < 0.6 * structures[0]
    equal(BLOCKS + "B*2", functions=True)


# ---- what users of torch.onnx.export report


def test_time_grows_with_the_layers() -> None:
    """Exports that took hours or grew with the square (pytorch#63734, #121422): twice the layers, twice the calls."""
    counts = []
    for depth in (40, 80):
        profile = cProfile.Profile()
        profile.enable()
        archdsl.to_onnx(text=f"input 2x4x4\n(CONV(2) - BN - RELU)*{depth}")
        profile.disable()
        counts.append(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]  # typeshed lacks it
    assert counts[1] < 2.2 * counts[0]


def test_the_batch_is_not_frozen() -> None:
    """It is the symbol N, whatever the layers do (pytorch#157621, #133653, #148886)."""
    text = "input 4x6\nRESHAPE(2, 12) - MHA(2) - FLATTEN - FC(6) - RESHAPE(2, 3) - LSTM(3)"
    made = model(text)
    assert dimensions(made.graph.input[0])[0] == dimensions(made.graph.output[0])[0] == "N"
    run = session(made.SerializeToString())
    for batch in (1, 2, 7):
        assert run.run(None, {"input": np.ones((batch, 4, 6), np.float32)})[0].shape == (batch, 2, 3)


def test_adaptive_pooling_of_any_size() -> None:
    """Refused by torch's exporter unless the size divides (pytorch#42653, #64806, #109370), open sizes included."""
    equal("input 2x7x10\nADAPTIVEAVGPOOL(4) - ADAPTIVEMAXPOOL(3)")
    hold("input 2xHxW\nADAPTIVEAVGPOOL(4) - ADAPTIVEMAXPOOL(3)", [{"H": 5, "W": 9}, {"H": 12, "W": 4}], (17,))


def test_external_data_by_itself(tmp_path: Path) -> None:
    """Asked for in pytorch#126269 and #126479: past the limit without being told, before it on request."""
    archdsl.to_onnx(None, tmp_path / "net.onnx", text="input 64\nFC(64)", external_data=True)
    assert len(list(tmp_path.iterdir())) == 2
    assert onnxruntime.InferenceSession(str(tmp_path / "net.onnx")).run(None, {"input": np.ones((1, 64), np.float32)})
