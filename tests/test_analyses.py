"""The analyses against published figures, against torch, and loops against what they stand for."""

from __future__ import annotations

import time
from fractions import Fraction as F
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.analyses.alignment import misaligned
from archdsl.analyses.depth import depth
from archdsl.analyses.macs import elementwise, flops, macs
from archdsl.analyses.memory import memory
from archdsl.analyses.parameters import parameters, state_shapes, totals
from archdsl.analyses.receptive_field import fields, receptive_field, receptive_fields
from archdsl.backends.pytorch import emit
from archdsl.graph import Network
from archdsl.layers.base import Layer
from archdsl.live import instance
from archdsl.pipeline import build
from archdsl.syntax.source import Source
from tests.support.build import Again, At, Block, Join, Label, Times, layers, network
from tests.support.single import TorchLayer

CONV, BN, RELU, POOL, FC, ADD, GAP = layers("CONV", "BN", "RELU", "POOL", "FC", "ADD", "GAP")
UPCONV, MAX, PARAM, PAD, UPSAMPLE = layers("UPCONV", "MAX", "PARAM", "PAD", "UPSAMPLE")


def vgg16() -> Network:
    """VGG-16 at 224x224 (Simonyan and Zisserman, 2014)."""
    items: list[Any] = []
    for stage, (filters, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
        items += [x for _ in range(count) for x in (CONV(filters), RELU())] + [Label(f"pool{stage}", POOL())]
    return network([*items, FC(4096), RELU(), FC(4096), RELU(), FC(1000)], x=(3, 224, 224))


def resnet50() -> Network:
    """ResNet-50 at 224x224 in torchvision's form (He et al., 2015)."""

    def bottleneck(width: int, stride: int, down: bool) -> Block:
        arm = [CONV(width, 1, bias=False), BN(), RELU(), CONV(width, 3, stride, bias=False), BN(), RELU()]
        arm += [CONV(4 * width, 1, bias=False), BN()]
        short = [Block("", [CONV(4 * width, 1, stride, bias=False), BN()])] if down else []
        return Block("Bottleneck", [Join(ADD(), [arm, short]), RELU()])

    items: list[Any] = [CONV(64, 7, 2, bias=False), BN(), RELU(), POOL(3, 2, padding=1)]
    for width, count, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        items += [bottleneck(width, stride, True), Times(count - 1, [bottleneck(width, 1, False)])]
    return network([*items, Label("last", RELU()), GAP(), FC(1000)], x=(3, 224, 224))


def test_vgg16() -> None:
    """138M parameters, 15.5G multiply-accumulates, 16 layers, and a field of 212 at the last POOL."""
    net = vgg16()
    assert (parameters(net), macs(net), depth(net)) == (138_357_544, 15_470_264_320, 16)
    assert flops(net) == 30_940_528_640
    assert str(receptive_field(net)) == "212x212"
    pools = [step for step in net.module.region.steps if getattr(step, "label", "").startswith("pool")]
    found = fields(net)
    assert [found[step.output].size[0] for step in pools] == [6, 16, 44, 100, 212]
    assert [found[step.output].stride[0] for step in pools] == [2, 4, 8, 16, 32]
    assert receptive_fields(net)[net.outputs[0].value] == (224, 224)
    assert memory(net).peak == 4 * 2 * 64 * 224 * 224


def test_resnet50() -> None:
    """25.6M parameters, 4.09G multiply-accumulates, depth 50, and a field of 427 (Araujo et al., 2019, method)."""
    net = resnet50()
    assert (parameters(net), macs(net), depth(net)) == (25_557_032, 4_089_184_256, 50)
    assert totals(net).buffers == 2 * 26_560 + 53
    found = receptive_field(net)
    assert found is not None and found.size == (427, 427)


def test_cs231n() -> None:
    """The figures of the course's notes and lectures."""
    assert parameters(network([CONV(10, 5, padding=2)], x=(3, 32, 32))) == 760
    alexnet = network([CONV(96, 11, 4, padding=0)], x=(3, 227, 227))
    assert parameters(alexnet) == 34_944 and alexnet.outputs[0].value.type.shape == (96, 55, 55)
    found = receptive_field(network([Times(3, [CONV(8)])], x=(8, 32, 32)))
    assert found is not None and found.size == (7, 7)  # three 3x3 see what one 7x7 sees


@pytest.mark.parametrize(
    "source, work",
    [
        ("RELU - EXP - DROPOUT - FLATTEN", 2 * 192),
        ("CONV(4) - CONV(4, bias=false)", 4 * 64),
        ("ADD{ ID | ID | ID } - MUL{ ID | GAP }", 2 * 192 + 192 + 192),
        ("BN - LN - LN(affine=false)", (2 + 7 + 5) * 192),
        ("POOL - AVGPOOL(3, 1, padding=1)", 3 * 16 * (4 + 9)),
        ("SOFTMAX - LRN - NORMALIZE", (3 + 8 + 3) * 192),
        ("UPSAMPLE - UPSAMPLE(2, mode=bilinear)", 8 * 3 * 32 * 32),
        ("FC(10, bias=false) - FC(10)", 10),
        ("RESHAPE(8, 24) - MHA(4)", 4 * 4 * 8 * 8 + 4 * 192),
        ("RESHAPE(8, 24) - ATTENTION(heads=2){ ID | ID | ID }", 2 * 4 * 8 * 8),
        ("RESHAPE(8, 24) - RNN(5)", 8 * 5 * 4),
        ("RESHAPE(8, 24) - LSTM(5, bias=false)", 8 * 5 * (8 + 5)),
        ("(RELU - CONV(3))*1000", 1000 * 2 * 192),
    ],
)
def test_elementwise(source: str, work: int) -> None:
    """The operations that no multiply-accumulate is, by the documented table."""
    found, findings = build(Source(f"input 3x8x8\n{source}\n"), constants={}, inputs={}, fit=None)
    assert found is not None, findings.found
    assert elementwise(found) == work


def test_state_shapes() -> None:
    """The keys of a state_dict with their shapes, what is learned and what is not."""
    found = state_shapes(network([Label("a", CONV(4, bias=False)), Label("b", BN())]))
    assert {key: (entry.weight.shape, entry.is_buffer) for key, entry in found.items()} == {
        "a.weight": ((4, 3, 3, 3), False),
        "b.weight": ((4,), False),
        "b.bias": ((4,), False),
        "b.running_mean": ((4,), True),
        "b.running_var": ((4,), True),
        "b.num_batches_tracked": ((), True),
    }


def test_shared_layers() -> None:
    """Weights count once, work at each use; a param's key is its path."""
    tower = Label("tower", Block("", [CONV(3), RELU()]))
    once, twice = network([tower]), network([tower, Again("tower"), Again("tower")])
    assert parameters(once) == parameters(twice) == 84
    assert (macs(twice), depth(twice)) == (3 * macs(once), 3)
    assert list(state_shapes(network([Join(ADD(), [[], [Label("p", PARAM((8, 8)))]])]))) == ["p"]


def test_what_no_output_needs() -> None:
    """A head in training alone has parameters, and is no work at inference."""
    items = [Label("a", CONV(4)), Label("aux", FC(3)), At("a"), Label("out", RELU())]
    net = network(items, outputs=["out"], training=["aux"])
    assert parameters(net) == 112 + 771 and macs(net) == 4 * 8 * 8 * 27 and depth(net) == 1
    assert memory(net).peak == 4 * 2 * 4 * 64 and memory(net).kept == 4 * (192 + 256 + 3 + 256)


def test_memory_of_a_skip() -> None:
    """What a join still needs stays alive."""
    plain, skip = [CONV(3), CONV(3), CONV(3)], [Join(ADD(), [[CONV(3), CONV(3), CONV(3)], []])]
    assert memory(network(plain)).peak == 4 * 2 * 192
    assert memory(network(skip)).peak == 4 * 3 * 192
    whole = layers("EMBEDDING")[0](10, 4)
    assert memory(network([whole], dtype="int", x=(7,))) == (7 * 8 + 28 * 4, 7 * 8 + 28 * 4)


def test_everything() -> None:
    """A layer that sees all, and what follows; the other axes of a sequence."""
    net = network([Label("a", CONV(4)), Label("b", GAP()), Label("c", CONV(4, 1))], outputs=["a", "c"])
    found = fields(net)
    assert str(found[net.outputs[0].value]) == "3x3" and str(found[net.outputs[1].value]) == "everything"
    untouched = network([RELU()])
    assert fields(untouched)[untouched.outputs[0].value].size == (1, 1)
    constant = network([Label("p", PARAM((3, 1))), Label("q", RELU())])
    assert constant.outputs[0].value not in fields(constant) and receptive_field(constant) is None


def test_interval() -> None:
    """Where the first position's field starts: that of VGG-16's last map 90 in the padding (Araujo et al.)."""
    found = receptive_field(vgg16())
    assert found is not None and (found.size, found.stride, found.start) == ((212, 212), (32, 32), (-90, -90))
    causal = receptive_field(network([CONV(3, 3, padding="causal", dilation=4)], x=(3, 32)))
    assert causal is not None and (causal.size, causal.start, causal.centre) == ((9,), (-8,), (-4,))
    cut = receptive_field(network([PAD(2), CONV(3, 3, padding=0)]))
    assert cut is not None and cut.start == (-2, -2)


@pytest.mark.parametrize(
    "arms, apart",
    [
        ([[CONV(3, 2, padding="same")], []], (F(1, 2), F(1, 2))),
        ([[CONV(3, 3)], [CONV(3, 5)], []], ()),
        ([[POOL(), CONV(3), UPCONV(3)], []], ()),
        ([[POOL(), CONV(3), UPSAMPLE(2)], [CONV(3)]], ()),
        ([[POOL(3, 2, padding=1), UPCONV(3, 2, 2)], [CONV(3, 1)]], (F(1, 2), F(1, 2))),
        ([[POOL(2, 1, padding="same"), CONV(3, 2, padding="same")], []], (1, 1)),
        ([[GAP(), CONV(3, 1)], [GAP()]], ()),
    ],
)
def test_misaligned(arms: list[Any], apart: tuple[Any, ...]) -> None:
    """Arms whose centres lie apart, such as an even kernel beside the identity; a U-Net's lie together again."""
    found = misaligned(network([CONV(3), Join(ADD(), arms)]))
    assert [one.apart for one in found] == ([apart] if apart else [])
    before = [POOL(), CONV(3)]
    found = misaligned(network([*before, Join(ADD(), arms)]))
    assert [one.apart for one in found] == ([tuple(2 * n for n in apart)] if apart else [])
    copies = misaligned(network([Times(3, [Join(ADD(), arms)])]))
    assert len(copies) == bool(apart)


@pytest.mark.parametrize(
    ("text", "behind"),
    [
        ("LSTM(8)", 0),
        ("GRU(3, bidirectional=true) - LINEAR(2)", None),
        ("LINEAR(6) - RNN(4) - LN", 0),
        ("MHA(2)", None),
        ("(ADD{ LN - MHA(2, causal=true) | })*3 - LINEAR(5)", 0),
        ("ATTENTION{ LINEAR(4) | LINEAR(4) | }", None),
        ("ATTENTION(causal=true){ | | }", 0),
        ("LSTM(4) - PERMUTE(1, 0) - CONV(3) - CONV(3, 5) - PERMUTE(1, 0)", 3),
        ("LINEAR(8) - MATMUL{ MATMUL{ | PERMUTE(1, 0) } - SOFTMAX | }", None),
    ],
)
def test_what_mixes_all_positions(text: str, behind: int | None) -> None:
    """A sequence's positions are its length; the gradient of each goes where the field says."""
    graph, _ = build(Source(f"input 12x8\n{text}\nassert receptive_field == 12\n"), constants={}, inputs={}, fit=None)
    assert graph is not None
    found = receptive_field(graph)
    assert found is not None and (found.size, found.whole, found.behind) == ((12,), True, behind)
    assert receptive_fields(graph)[graph.outputs[0].value] == (12,)
    torch.manual_seed(0)
    x = torch.randn(1, 12, 8, requires_grad=True)
    y = instance(emit(graph), graph.name)(x)
    for i in range(12):
        (gradient,) = torch.autograd.grad(y[0, i].square().sum(), x, retain_graph=True)
        seen = gradient[0].abs().sum(1).nonzero().flatten().tolist()
        assert seen == list(range(12 if behind is None else min(12, i + behind + 1)))


def test_what_is_pooled_behind_attention() -> None:
    """Behind attention a map sees all of the image, and so does what is made of it; windows alone are told of a map."""
    patches = "input 3x32x32\nCONV(8, 16, 16, padding=0) - RESHAPE(8, -1) - PERMUTE(1, 0)"
    for tail in ("MHA(2)", "MHA(2) - LN - MEAN(0) - FC(10)", "MHA(2) - FC(10)"):
        graph, _ = build(Source(f"{patches} - {tail}\n"), constants={}, inputs={}, fit=None)
        assert graph is not None and str(receptive_field(graph)) == "32x32"
        assert receptive_fields(graph)[graph.outputs[0].value] == (32, 32)
    graph, _ = build(Source(f"{patches} - LINEAR(4) - FC(10)\n"), constants={}, inputs={}, fit=None)
    assert graph is not None and str(receptive_field(graph)) == "16x16"


CHAINS: list[list[Any]] = [
    [CONV(2), CONV(2, 5, 2), POOL(3, 1, padding=1), CONV(2, 3, dilation=2)],
    [CONV(2, 3, 2), CONV(2, 3, 2), UPCONV(2, 2, 2), CONV(2)],
    [POOL(), CONV(2), UPCONV(2, 4, 2, padding=1), CONV(2), POOL(2)],
    [CONV(2, (1, 5), (1, 2), padding=(0, 2)), CONV(2, (3, 1), padding=(1, 0))],
]


@pytest.mark.parametrize("chain", CHAINS)
def test_receptive_field_is_where_the_gradient_goes(chain: list[Any]) -> None:
    """The widest extent of the inputs that a position in the middle depends on, as torch finds it."""
    net = network(chain, x=(1, 64, 64))
    found = receptive_field(net)
    assert found is not None
    x = torch.rand(1, 1, 64, 64, dtype=torch.float64).requires_grad_()
    value, type = x, net.inputs[0].value.type
    for layer in chain:
        module = TorchLayer(layer, type).double()
        for p in module.parameters():
            torch.nn.init.ones_(p)
        if layer.spec == "POOL":
            value = torch.nn.functional.avg_pool2d(value, layer.size, layer.stride, layer.padding)
        else:
            value = module(value)
        type = layer.shape(type)
    rows, columns = value.shape[2:]
    extents = []
    for i in range(4):
        at = rows // 2 + i, columns // 2 + i
        (gradient,) = torch.autograd.grad(value[0, 0, at[0], at[1]], x, retain_graph=True)
        hit = gradient[0, 0].nonzero()
        first, last = hit.min(0).values.tolist(), hit.max(0).values.tolist()
        extents.append([b - a + 1 for a, b in zip(first, last)])
        for low, high, n, size, stride, start in zip(first, last, at, found.size, found.stride, found.start):
            rest = any(layer.spec == "UPCONV" for layer in chain)  # a fraction of a position
            assert start + n * stride - rest <= low and high <= start + n * stride + size - 1 + rest
    seen = tuple(max(e) for e in zip(*extents))
    if any(layer.spec == "UPCONV" for layer in chain):  # what a fraction of a position adds may not be there
        assert all(s <= size <= s + 2 for s, size in zip(seen, found.size))
    else:
        assert seen == found.size


SAME: list[Layer] = [CONV(3), CONV(3, 1), RELU(), POOL(3, 1, padding=1), BN(), CONV(3, 3, dilation=2), UPCONV(3, 3, 1)]
LEAVES = st.sampled_from(SAME)  # all keep the shape


def items_of(outer: bool) -> st.SearchStrategy[list[Any]]:
    """Chains that keep 3x8x8, with joins and repetitions; `outer` reads the label around."""
    leaf = st.one_of(LEAVES, st.just(At("start"))) if outer else LEAVES
    return st.recursive(
        st.lists(leaf, min_size=1, max_size=3),
        lambda inner: st.lists(
            st.one_of(
                leaf,
                st.builds(lambda a, b: Join(ADD(), [a, b]), inner, st.one_of(inner, st.just([]))),
                st.builds(Times, st.integers(2, 4), inner),
                st.builds(lambda a: Block("", a), inner),
            ),
            min_size=1,
            max_size=3,
        ),
        max_leaves=6,
    )


def unrolled(items: list[Any]) -> list[Any]:
    """The same chain without loops."""
    result: list[Any] = []
    for item in items:
        if isinstance(item, Times):
            assert isinstance(item.counts, int)
            result.append(Times((1,) * item.counts, unrolled(list(item.items))))
        elif isinstance(item, Join):
            result.append(Join(item.layer, [unrolled(list(arm)) for arm in item.arms]))
        else:
            result.append(Block("", unrolled(list(item.items))) if isinstance(item, Block) else item)
    return result


@settings(max_examples=150, deadline=None)
@given(st.booleans(), st.data())
def test_loops_are_what_they_stand_for(outer: bool, data: st.DataObject) -> None:
    """All figures of a repetition are those of its copies written out."""
    items = [Label("start", CONV(3)), *data.draw(items_of(outer))]
    short, long = network(items), network(unrolled(items))
    assert totals(short) == totals(long)
    assert totals(long).parameters == sum(
        torch.Size(e.weight.shape).numel() for e in state_shapes(long).values() if not e.is_buffer
    )
    assert list(state_shapes(short)) == list(state_shapes(long))
    assert macs(short) == macs(long) and depth(short) == depth(long)
    assert receptive_field(short) == receptive_field(long)
    assert memory(short).kept == memory(long).kept
    if outer:
        assert memory(short).peak >= memory(long).peak  # what a copy reads from around stays to the end
    else:
        assert memory(short).peak == memory(long).peak


def test_loops_in_no_time() -> None:
    """10**18 copies, and loops in loops in loops."""
    start = time.process_time()
    items: list[Any] = [CONV(3), RELU()]
    net = network([Times(10**18, items)])
    assert parameters(net) == 84 * 10**18 and depth(net) == 10**18
    assert macs(net) == 10**18 * 64 * 81 and memory(net).peak == 4 * 2 * 192
    found = receptive_field(net)
    assert found is not None and found.size == (2 * 10**18 + 1,) * 2
    for _ in range(30):
        items = [Times(3, items)]
    net = network(items)
    assert parameters(net) == 84 * 3**30 and depth(net) == 3**30 and memory(net).peak == 4 * 2 * 192
    assert receptive_field(net).size == (2 * 3**30 + 1,) * 2  # type: ignore[union-attr]
    net = network([Times(10**9, [CONV(3, 3, 2)])], x=(3, 1, 1))
    assert receptive_field(net).size[0] > 2**64  # type: ignore[union-attr]
    assert time.process_time() - start < 2
