"""The worked figures of CS231n and of "A guide to convolution arithmetic for deep learning", each as a spec.

Figures: Stanford CS231n, lectures 5 and 9 and the notes "Convolutional Networks" (https://cs231n.github.io/
convolutional-networks); Dumoulin and Visin, https://arxiv.org/abs/1603.07285, whose relations are numbered.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from archdsl import check, load
from archdsl.analyses import all as analyses
from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.report import LayerRow
from archdsl.syntax.source import Source

SPECS = Path(__file__).parent.parent / "specs"


def layers(text: str, fit: str | None = None) -> tuple[LayerRow, ...]:
    report = check(text=text + "\n", fit=fit)
    assert report.model is not None, report.diagnostics
    return report.model.layers


def network(path: Path) -> Network:
    found, findings = build(Source(path.read_text(), str(path), str(path)), constants={}, inputs={}, fit=None)
    assert found is not None, findings.found
    return found


def size(text: str, fit: str | None = None) -> int:
    """The output's height, which is its width."""
    shape = layers(text, fit)[-1].output
    assert len(set(shape[1:])) == 1
    return int(shape[1])


# ---- CS231n


def test_a_filter_over_the_whole_depth() -> None:
    """A 32x32x3 image and a 5x5x3 filter: one 28x28 activation map, each number a 75-dimensional dot product + bias."""
    [row] = layers("input 3x32x32\nCONV(1, 5, padding=0)")
    assert (row.output, row.parameters, row.macs) == ((1, 28, 28), 75 + 1, 28 * 28 * 75)


def test_six_filters() -> None:
    """Six 5x5 filters give a new "image" of 28x28x6; ten over that one of 24x24x10."""
    rows = layers("input 3x32x32\nCONV(6, 5, padding=0) - RELU - CONV(10, 5, padding=0)")
    assert [row.output for row in rows] == [(6, 28, 28), (6, 28, 28), (10, 24, 24)]


@pytest.mark.parametrize(("stride", "output"), [(1, 5), (2, 3)])
def test_seven_by_seven(stride: int, output: int) -> None:
    """7x7 input, 3x3 filter: 5x5 at stride 1, 3x3 at stride 2."""
    assert size(f"input 1x7x7\nCONV(1, 3, stride={stride}, padding=0)") == output
    assert size(f"input 1x7x7\nCONV(1, 3, stride={stride}, padding=0)", fit="exact") == output


def test_seven_by_seven_with_stride_3() -> None:
    """Doesn't fit! (7 - 3)/3 + 1 = 2.33."""
    [found] = check(text="input 1x7x7\nCONV(1, 3, stride=3, padding=0)\n").diagnostics
    assert found.code == "E201" and found.message.startswith("doesn't fit: a 3x3 filter with stride 3")
    assert any("(7 - 3)/3 + 1 = 2.33" in text for text in (found.label, *(place.text for place in found.related)))


def test_padding_by_one_keeps_the_size() -> None:
    """7x7, 3x3 filter at stride 1, pad 1: a 7x7 output; F = 3, 5, 7 keep it with pad 1, 2, 3, (F - 1)/2."""
    for kernel, padding in ((3, 1), (5, 2), (7, 3)):
        assert size(f"input 1x7x7\nCONV(1, {kernel}, padding={padding})") == 7
        assert size(f"input 1x7x7\nCONV(1, {kernel})") == 7  # half padding, the default


def test_ten_filters_of_5x5() -> None:
    """Input 32x32x3, ten 5x5 filters, stride 1, pad 2: 32x32x10, 76 parameters for each filter, 760 in all."""
    [row] = layers("input 3x32x32\nCONV(10, 5, stride=1, padding=2)")
    assert (row.output, row.parameters) == ((10, 32, 32), 760)
    assert row.macs == 10 * 32 * 32 * 75  # 768,000


def test_one_by_one_convolution() -> None:
    """A 1x1 CONV with 32 filters over 56x56x64: 56x56x32, each filter a 64-dimensional dot product."""
    [row] = layers("input 64x56x56\nCONV(32, 1)")
    assert (row.output, row.parameters, row.macs) == ((32, 56, 56), 32 * (64 + 1), 32 * 56 * 56 * 64)


def test_five_filters() -> None:
    """Five 5x5 filters over 32x32x3: 28x28x5, five neurons that all look at the same 5x5 of the input."""
    [row] = layers("input 3x32x32\nCONV(5, 5, padding=0)")
    assert (row.output, row.receptive_field) == ((5, 28, 28), (5, 5))


def test_repeated_filters_shrink() -> None:
    """5x5 filters again and again: 32 -> 28 -> 24 ..., "shrinking too fast is not good"."""
    rows = layers("input 3x32x32\nCONV(6, 5, padding=0)*7")
    assert [row.output[1] for row in rows for _ in range(row.repeats)] == [28, 24, 20, 16, 12, 8, 4]


def test_max_pooling_of_the_slide() -> None:
    """A single depth slice of 4x4, 2x2 filters and stride 2: 6 8 3 4."""
    x = torch.tensor([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
    assert load(text="input 1x4x4\nPOOL(2, stride=2)")(x[None, None]).tolist() == [[[[6, 8], [3, 4]]]]


@pytest.mark.parametrize(("kernel", "stride", "padding", "output"), [(3, 1, 1, 32), (5, 1, 2, 32), (1, 1, 0, 32)])
def test_common_settings(kernel: int, stride: int, padding: int, output: int) -> None:
    """F = 3, S = 1, P = 1; F = 5, S = 1, P = 2; F = 1, S = 1, P = 0."""
    assert size(f"input 3x32x32\nCONV(8, {kernel}, {stride}, padding={padding})", fit="exact") == output


def test_a_setting_that_whatever_fits() -> None:
    """F = 5, S = 2, P = ? (whatever fits): by the slide's own formula no P does on 32, and P = 1 does on 31."""
    [found] = check(text="input 3x32x32\nCONV(8, 5, 2, padding=0)\n", fit="exact").diagnostics
    assert found.code == "E201" and not any(help.startswith("padding") for help in found.help)
    assert size("input 3x31x31\nCONV(8, 5, 2, padding=1)", fit="exact") == 15


def test_pooling() -> None:
    """2x2 with stride 2 over 224x224x64 gives 112x112x64, no parameters; 4x4 gives 2x2."""
    [row] = layers("input 64x224x224\nPOOL(2, stride=2)")
    assert (row.output, row.parameters) == ((64, 112, 112), 0)
    assert size("input 1x4x4\nPOOL") == 2


def test_fully_connected() -> None:
    """32x32x3 stretched to 3072x1, W of 10x3072: ten scores."""
    [row] = layers("input 3x32x32\nFC(10)")
    assert (row.output, row.parameters) == ((10,), 10 * 3072 + 10)


def test_the_notes_demo() -> None:
    """W1 = 5, H1 = 5, D1 = 3, K = 2, F = 3, S = 2, P = 1: the output is (5 - 3 + 2)/2 + 1 = 3."""
    [row] = layers("input 3x5x5\nCONV(2, 3, stride=2, padding=1)")
    assert (row.output, row.parameters) == ((2, 3, 3), 2 * (27 + 1))


def test_the_notes_ten_by_ten() -> None:
    """W = 10, P = 0, F = 3, S = 2 is (10 - 3)/2 + 1 = 4.5: "not an integer", so that it cannot be used."""
    [found] = check(text="input 1x10x10\nCONV(1, 3, stride=2, padding=0)\n").diagnostics
    assert found.code == "E201" and any("= 4.50" in text for text in (found.label, *(r.text for r in found.related)))


def test_the_notes_connections() -> None:
    """A neuron over 32x32x3 with a field of 5x5 has 75 weights, one over 16x16x20 with 3x3 has 180."""
    assert layers("input 3x32x32\nCONV(1, 5)")[0].parameters == 75 + 1
    assert layers("input 20x16x16\nCONV(1, 3)")[0].parameters == 180 + 1


def test_the_notes_neurons() -> None:
    """55x55x96 = 290,400 neurons of 11x11x3 = 363 weights; 105,705,600 if they did not share, 34,944 as they do."""
    [row] = layers("input 3x227x227\nCONV(96, 11, stride=4, padding=0)")
    neurons = row.output[0] * row.output[1] * row.output[2]
    assert (neurons, row.macs // neurons) == (290_400, 363)
    assert (neurons * (363 + 1), row.parameters) == (105_705_600, 34_944)


def test_the_notes_cifar_net() -> None:
    """INPUT [32x32x3] - CONV [32x32x12] - RELU - POOL [16x16x12] - FC [10]."""
    rows = layers("input 3x32x32\nINPUT - CONV(12) - RELU - POOL - FC(10)")
    assert [row.output for row in rows] == [(12, 32, 32), (12, 32, 32), (12, 16, 16), (10,)]


def test_the_notes_fc_as_conv() -> None:
    """AlexNet's FC layers as CONV with F = 7 and twice F = 1: 1x1x1000 on 224, and 6x6x1000 at once on 384."""
    text = "(CONV(8) - POOL)*5 - CONV(4096, 7, padding=0) - CONV(4096, 1) - CONV(1000, 1)"
    assert [row.output for row in layers(f"input 3x224x224\n{text}")][-3:] == [(4096, 1, 1), (4096, 1, 1), (1000, 1, 1)]
    assert layers(f"input 3x384x384\n{text}")[-1].output == (1000, 6, 6)
    flat = layers("input 512x7x7\nFC(4096)")[0]
    assert flat.parameters == layers("input 512x7x7\nCONV(4096, 7, padding=0)")[0].parameters


@pytest.mark.parametrize(
    ("spec", "depth", "parameters"),
    [
        ("alexnet", 8, 62_378_344),  # "60M"
        ("vgg16", 16, 138_357_544),
        ("torchvision/vgg19", 19, 143_667_240),
        ("googlenet", 22, 6_624_904),  # "5M", says the lecture
        ("torchvision/resnet152", 152, 60_192_808),
        ("torchvision/squeezenet1_0", 18, 1_248_424),  # AlexNet's accuracy with 50 times fewer parameters
    ],
)
def test_depths(spec: str, depth: int, parameters: int) -> None:
    """The layers by which lecture 9 counts its architectures, and their parameters."""
    found = network(SPECS / f"{spec}.arch")
    assert (analyses.depth(found), analyses.parameters(found)) == (depth, parameters)


def test_alexnet() -> None:
    """227x227x3, 96 11x11 filters at stride 4: 55x55x96 and 35K parameters; POOL1 of 3x3 at stride 2: 27x27x96, 0."""
    first, pool = layers("input 3x227x227\nCONV(96, 11, stride=4, padding=0) - POOL(3, stride=2)")
    assert (first.output, first.parameters) == ((96, 55, 55), 34_944)
    assert first.parameters - 96 == 34_848 == 11 * 11 * 3 * 96  # the lecture leaves the biases out: 35K either way
    assert (pool.output, pool.parameters) == ((96, 27, 27), 0)


def test_alexnet_whole() -> None:
    """Lecture 9's table of sizes, in AlexNet's form without groups."""
    text = (
        "input 3x227x227\n"
        "CONV(96, 11, stride=4, padding=0) - RELU - POOL(3, stride=2) - LRN\n"
        "CONV(256, 5, padding=2) - RELU - POOL(3, stride=2) - LRN\n"
        "CONV(384, 3) - RELU - CONV(384, 3) - RELU - CONV(256, 3) - RELU - POOL(3, stride=2)\n"
        "FC(4096) - RELU - FC(4096) - RELU - FC(1000)"
    )
    shapes = [row.output for row in layers(text) if row.layer in ("CONV", "POOL", "FC")]
    assert shapes == [
        (96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13), (384, 13, 13), (384, 13, 13), (256, 13, 13),
        (256, 6, 6), (4096,), (4096,), (1000,),
    ]  # fmt: skip


VGG = [  # the table of lecture 9 and of the notes: memory in numbers, weights without biases
    (3_211_264, 1_728), (3_211_264, 36_864), (802_816, 0),
    (1_605_632, 73_728), (1_605_632, 147_456), (401_408, 0),
    (802_816, 294_912), (802_816, 589_824), (802_816, 589_824), (200_704, 0),
    (401_408, 1_179_648), (401_408, 2_359_296), (401_408, 2_359_296), (100_352, 0),
    (100_352, 2_359_296), (100_352, 2_359_296), (100_352, 2_359_296), (25_088, 0),
    (4_096, 102_760_448), (4_096, 16_777_216), (1_000, 4_096_000),
]  # fmt: skip


def test_vgg16() -> None:
    """Each row of the table of numbers and weights, and 138M parameters in all.

    The rows add up to 15.2M numbers with the input, 58 MiB for each image; the 24M under the lecture's table is not
    their sum. What training keeps here is more: the outputs of RELU and DROPOUT count as well.
    """
    model = check(SPECS / "vgg16.arch").model
    assert model is not None
    rows = [row for row in model.layers for _ in range(row.repeats) if row.layer in ("CONV", "POOL", "FC")]
    found = []
    for row in rows:
        numbers = 1
        for n in row.output:
            numbers *= n
        biases = row.output[0] if row.parameters else 0
        found.append((numbers, row.parameters - biases))
    assert found == VGG
    assert model.parameters == 138_357_544 == sum(weights for _, weights in VGG) + 13_416
    numbers = sum(n for n, _ in VGG) + 3 * 224 * 224
    assert numbers == 15_237_608
    elementwise = 0
    for row in model.layers:
        if row.layer not in ("CONV", "POOL", "FC"):
            each = 1
            for n in row.output:
                each *= n
            elementwise += each * row.repeats
    assert analyses.memory(network(SPECS / "vgg16.arch")).kept == 4 * (numbers + elementwise)


def test_stacks_of_small_filters() -> None:
    """Three 3x3 CONVs see 7x7, with 3*(3*3*C*C) weights instead of 7*7*C*C and more nonlinearity between."""
    small = layers("input 16x32x32\n(CONV(16) - RELU)*3")
    [large] = layers("input 16x32x32\nCONV(16, 7)")
    assert small[-1].receptive_field == large.receptive_field == (7, 7)
    assert sum((row.parameters - 16) * row.repeats for row in small if row.layer == "CONV") == 3 * 9 * 16 * 16
    assert large.parameters - 16 == 49 * 16 * 16


def test_inception_naive_and_with_bottlenecks() -> None:
    """28x28x256: the naive module gives 28x28x672 for 854M operations, that with 1x1 bottlenecks 28x28x480.

    The products on the second slide add up to 271M, though it says 358M below them.
    """
    text = "CONV(128, 1) | CONV(192, 3) | CONV(96, 5) | POOL(3, stride=1, padding=1)"
    naive = layers(f"input 256x28x28\nCONCAT{{ {text} }}")
    assert naive[-1].output == (672, 28, 28)
    assert [row.macs for row in naive[:3]] == [28 * 28 * 128 * 256, 28 * 28 * 192 * 9 * 256, 28 * 28 * 96 * 25 * 256]
    assert round(sum(row.macs for row in naive) / 1e6) == 854
    text = "CONV(128, 1) | CONV(64, 1) - CONV(192, 3) | CONV(64, 1) - CONV(96, 5)"
    text += " | POOL(3, stride=1, padding=1) - CONV(64, 1)"
    bottlenecked = layers(f"input 256x28x28\nCONCAT{{ {text} }}")
    assert bottlenecked[-1].output == (480, 28, 28)
    assert round(sum(row.macs for row in bottlenecked) / 1e6) == 271
    products = (128 * 256, 64 * 256, 64 * 256, 192 * 9 * 64, 96 * 25 * 64, 64 * 256)
    assert sum(row.macs for row in bottlenecked) == sum(28 * 28 * n for n in products)


def test_resnet_bottleneck() -> None:
    """28x28x256: 1x1 to 64, 3x3 over 64, 1x1 back to 256, added to what arrived."""
    rows = layers("input 256x28x28\nADD{ CONV(64, 1) - RELU - CONV(64, 3) - RELU - CONV(256, 1) | }")
    assert [row.output for row in rows if row.layer == "CONV"] == [(64, 28, 28), (64, 28, 28), (256, 28, 28)]
    assert rows[-1].output == (256, 28, 28)


# ---- Dumoulin and Visin

GRID = [(i, k) for i in range(3, 12) for k in range(1, i + 1)]


def test_relation_1_no_padding_unit_strides() -> None:
    """o = (i - k) + 1; the guide's figure 2.1: i = 4, k = 3 gives 2."""
    assert size("input 1x4x4\nCONV(1, 3, padding=0)") == 2
    for i, k in GRID:
        assert size(f"input 1x{i}x{i}\nCONV(1, {k}, padding=0)") == (i - k) + 1


def test_relation_2_zero_padding_unit_strides() -> None:
    """o = (i - k) + 2p + 1; figure 2.2: i = 5, k = 4, p = 2 gives 6."""
    assert size("input 1x5x5\nCONV(1, 4, padding=2)") == 6
    for i, k in GRID:
        for p in range(4):
            assert size(f"input 1x{i}x{i}\nCONV(1, {k}, padding={p})") == (i - k) + 2 * p + 1


def test_relation_3_half_padding() -> None:
    """Odd k = 2n + 1 with p = n: o = i; figure 2.3: i = 5, k = 3."""
    for i, k in GRID:
        if k % 2:
            assert size(f"input 1x{i}x{i}\nCONV(1, {k}, padding=half)") == i


def test_relation_4_full_padding() -> None:
    """p = k - 1: o = i + (k - 1); figure 2.4: i = 5, k = 3 gives 7."""
    for i, k in GRID:
        assert size(f"input 1x{i}x{i}\nCONV(1, {k}, padding=full)") == i + (k - 1)


def test_relations_5_and_6_strides() -> None:
    """o = floor((i + 2p - k)/s) + 1; figures 2.5 to 2.7: i = 5, k = 3, s = 2 gives 2, p = 1 gives 3, i = 6 gives 3."""
    assert size("input 1x5x5\nCONV(1, 3, stride=2, padding=0)") == 2
    assert size("input 1x5x5\nCONV(1, 3, stride=2, padding=1)") == 3
    assert size("input 1x6x6\nCONV(1, 3, stride=2, padding=1)") == 3
    for i, k in GRID:
        for s in (1, 2, 3):
            for p in (0, 1):
                text = f"input 1x{i}x{i}\nCONV(1, {k}, stride={s}, padding={p}, fit=floor)"
                assert size(text) == (i + 2 * p - k) // s + 1


def test_relation_7_pooling() -> None:
    """o = floor((i - k)/s) + 1; figure 1.5: 3x3 windows at stride 1 over 5x5 give 3x3."""
    assert size("input 1x5x5\nPOOL(3, stride=1)") == 3
    for i, k in GRID:
        for s in (1, 2, 3):
            assert size(f"input 1x{i}x{i}\nPOOL({k}, stride={s}, fit=floor)") == (i - k) // s + 1


def test_relations_8_to_11_transposed_with_unit_strides() -> None:
    """o' = i' + (k - 1) - 2p; figure 4.1: i' = 2, k = 3 gives 4; 4.2: i' = 6, k = 4, p = 2 gives 5."""
    assert size("input 1x2x2\nUPCONV(1, 3, stride=1, padding=0)") == 4
    assert size("input 1x6x6\nUPCONV(1, 4, stride=1, padding=2)") == 5
    assert size("input 1x5x5\nUPCONV(1, 3, stride=1, padding=1)") == 5
    assert size("input 1x7x7\nUPCONV(1, 3, stride=1, padding=2)") == 5


def test_relations_8_to_11_over_a_grid() -> None:
    """8: o' = i' + (k - 1); 9: less 2p; 10, half padding: o' = i'; 11, full padding: o' = i' - (k - 1)."""
    for i, k in GRID:
        text = f"input 1x{i}x{i}\nUPCONV(1, {k}, stride=1, padding="
        assert size(text + "0)") == i + (k - 1)
        for p in range(k):
            o = i + (k - 1) - 2 * p
            assert o < 1 or size(text + f"{p})") == o
        if k % 2:
            assert size(text + f"{k // 2})") == i
        if i >= k:
            assert size(text + f"{k - 1})") == i - (k - 1)


def test_the_numbers_of_the_guide() -> None:
    """Figures 1.1, 1.2, 1.5 and 1.6: the values that a convolution and both kinds of pooling give."""
    rows = [[3.0, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
    x = torch.tensor(rows)[None, None]

    def given(text: str) -> list[list[float]]:
        net = load(text=f"input 1x5x5\n{text}\n")
        for weight in net.parameters():
            weight.data = torch.tensor([[0.0, 1, 2], [2, 2, 0], [0, 1, 2]])[None, None]
        return [[round(value, 1) for value in row] for row in net(x)[0, 0].tolist()]

    assert given("CONV(1, 3, padding=0, bias=false)") == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]
    assert given("CONV(1, 3, 2, padding=1, bias=false)") == [[6, 17, 3], [8, 17, 13], [6, 4, 4]]
    assert given("AVGPOOL(3, 1)") == [[1.7, 1.7, 1.7], [1.0, 1.2, 1.8], [1.1, 0.8, 1.3]]
    assert given("POOL(3, 1)") == [[3, 3, 3], [3, 3, 3], [3, 2, 3]]


def test_relations_12_to_14_transposed_with_strides() -> None:
    """o' = s(i' - 1) + a + k - 2p; figures 4.5: i' = 2, k = 3, s = 2 gives 5; 4.6: i' = 3, p = 1: 5; 4.7: a = 1: 6."""
    assert size("input 1x2x2\nUPCONV(1, 3, stride=2, padding=0)") == 5
    assert size("input 1x3x3\nUPCONV(1, 3, stride=2, padding=1, output_padding=0)") == 5
    assert size("input 1x3x3\nUPCONV(1, 3, stride=2, padding=1, output_padding=1)") == 6
    for i in range(2, 7):
        for k in range(2, 6):
            for s in (1, 2, 3):
                for p in (0, 1):
                    for a in range(s):
                        o = s * (i - 1) + a + k - 2 * p
                        text = f"input 1x{i}x{i}\nUPCONV(1, {k}, stride={s}, padding={p}, output_padding={a})"
                        assert o < 1 or size(text) == o


def test_transposed_undoes_the_shape() -> None:
    """A convolution and its transposed one, with a = (i + 2p - k) mod s, give back the input's size."""
    for i, k in GRID:
        for s in (1, 2, 3):
            a = (i - k) % s
            there = f"CONV(1, {k}, stride={s}, padding=0, fit=floor)"
            back = f"UPCONV(1, {k}, stride={s}, padding=0, output_padding={a})"
            assert size(f"input 1x{i}x{i}\n{there} - {back}") == i


def test_relation_15_dilated() -> None:
    """o = floor((i + 2p - k - (k - 1)(d - 1))/s) + 1; figure 5.1: i = 7, k = 3, d = 2 gives 3."""
    assert size("input 1x7x7\nCONV(1, 3, dilation=2, padding=0)") == 3
    for i in range(7, 12):
        for d in (1, 2, 3):
            assert size(f"input 1x{i}x{i}\nCONV(1, 3, dilation={d}, padding=0)") == i - 3 - 2 * (d - 1) + 1
