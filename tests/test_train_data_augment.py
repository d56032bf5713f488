"""Augmentation and the order of an epoch are functions of (seed, epoch, index) and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from archdsl.training.data import augment
from archdsl.training.data.hashing import mix, permutation, uniform
from archdsl.training.data.normalise import moments
from archdsl.training.data.split import divide
from archdsl.training.data.stores import TensorStore
from tests.support.train_data import GREY, RGB, folder, npz, opened, pixels

KEYS = st.integers(-(2**63), 2**64)


def fixed(*values: float) -> Callable[[int], Tensor]:
    """Draws that are given."""
    return lambda k: torch.tensor([values[k]])


def drawn(count: int, key: int = 0) -> Callable[[int], Tensor]:
    """Draws for so many samples."""
    return lambda k: uniform(mix(key, k), torch.arange(count))


@settings(max_examples=50, deadline=None)
@given(KEYS, st.lists(st.integers(0, 2**62), min_size=1, max_size=20))
def test_a_random_number_hangs_on_its_own_index(key: int, indices: list[int]) -> None:
    """Whatever else is asked for with it, and in whatever order."""
    together = uniform(key, torch.tensor(indices))
    assert [float(uniform(key, torch.tensor([i]))) for i in indices] == together.tolist()
    assert bool(((together >= 0) & (together < 1)).all())


def test_random_numbers_are_even_and_apart() -> None:
    """Each of 64 boxes gets its share; numbers of neighbouring keys and indices have nothing to do with each other."""
    some = [uniform(mix(0, 1, epoch), torch.arange(20_000)) for epoch in range(3)]
    for numbers in some:
        share = torch.histc(numbers, 64, 0, 1)
        assert float((share - 312.5).square().sum() / 312.5) < 110  # chi-square of 63 degrees, once in 5,000
    stacked = torch.stack([*some, some[0].roll(1)])
    assert float((torch.corrcoef(stacked) - torch.eye(4)).abs().max()) < 0.03


def test_the_numbers_stay_what_they_are() -> None:
    """Those of splitmix64 as published: another version that drew others would not resume a run of this one."""
    first, second = 0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4  # its first numbers from seed 0
    gamma = 0x9E3779B97F4A7C15
    assert (mix(0), mix(gamma)) == (first, second)
    assert uniform(0, torch.tensor([0, gamma - 2**64])).tolist() == [(n >> 40) / 2**24 for n in (first, second)]
    assert sorted(permutation(6, 1, 2).tolist()) == list(range(6)) and mix(1, 2) != mix(2, 1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.floats(0.05, 0.9), st.integers(0, 99))
def test_a_split_keeps_every_class_on_both_sides(labels: list[int], part: float, seed: int) -> None:
    """All samples, each once; a class of two or more has one on each side."""
    kept, held = divide(torch.tensor(labels), len(labels), part, seed)
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(len(labels)))
    for label in set(labels):
        sides = [sum(labels[i] == label for i in side.tolist()) for side in (kept, held)]
        assert min(sides) >= 1 or labels.count(label) == 1
        assert abs(sides[1] - part * labels.count(label)) <= 1


def test_flip() -> None:
    """Left and right, or nothing."""
    x = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert augment.flip(x, fixed(0.4)).flatten().tolist() == [2, 1, 0, 5, 4, 3]
    assert torch.equal(augment.flip(x, fixed(0.5)), x)


def test_crop() -> None:
    """Moved by whole pixels, with zeros where nothing was; never by more than an eighth."""
    x = torch.arange(1.0, 65.0).reshape(1, 1, 8, 8)
    moved = augment.crop(x, fixed(0.99, 0.0))[0, 0]
    assert torch.equal(moved[:7, 1:], x[0, 0, 1:, :7]) and not moved[7].any() and not moved[:, 0].any()
    assert torch.equal(augment.crop(x, fixed(0.5, 0.5)), x)


def test_rotate() -> None:
    """About the middle: what is round stays, also where height and width differ; a chance of a half is no turn."""
    y, x = torch.meshgrid(torch.arange(40.0) - 19.5, torch.arange(60.0) - 29.5, indexing="ij")
    hill = (-(x.square() + y.square()) / 72).exp()[None, None]
    torch.testing.assert_close(augment.rotate(hill, fixed(0.99)), hill, atol=0.01, rtol=0)
    bar = ((x.abs() < 25) & (y.abs() < 2)).float()[None, None]
    assert float((augment.rotate(bar, fixed(0.99)) - bar).abs().mean()) > 0.03
    torch.testing.assert_close(augment.rotate(bar, fixed(0.5)), bar, atol=1e-5, rtol=0)


def test_erase() -> None:
    """A rectangle inside, or nothing."""
    x = torch.ones(1, 2, 16, 16)
    erased = augment.erase(x, fixed(0.0, 0.999, 0.999, 0.0, 0.1))
    assert torch.equal(erased == 0, (torch.arange(16) >= 14)[:, None].expand(1, 2, 16, 16) & (torch.arange(16) < 6))
    assert torch.equal(augment.erase(x, fixed(0.5, 0.5, 0.5, 0.5, 0.6)), x)


def test_color() -> None:
    """Brightness and contrast move together over all channels, inside 0 to 1."""
    x = torch.rand(50, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    changed = augment.color(x, drawn(50))
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1 and not torch.equal(changed, x)
    torch.testing.assert_close(augment.color(x, lambda k: torch.full((50,), 0.5)), x)


@pytest.mark.parametrize("change", augment.NAMES)
@pytest.mark.parametrize("cache", [0, 1 << 20])
def test_a_sample_is_augmented_alike_in_any_batch(tmp_path: Path, change: str, cache: int) -> None:
    """Alone or among others, in memory or from files; in another epoch or with another seed it is another one."""
    place = folder(tmp_path)
    data = opened(place, RGB, augment=(change,), cache=cache).train
    together = data.batch([5, 0, 3, 2, 4, 1, 6, 7], 2).inputs[0]
    for place_in_batch, index in ((0, 5), (2, 3), (5, 1)):
        torch.testing.assert_close(data.batch([index], 2).inputs[0][0], together[place_in_batch], rtol=0, atol=0)
    assert not torch.equal(data.batch([5, 0, 3, 2, 4, 1, 6, 7], 3).inputs[0], together)
    other = opened(place, RGB, augment=(change,), cache=cache, seed=1, valid_part=0).train
    same = opened(place, RGB, augment=(change,), valid_part=0).train
    assert not torch.equal(other.batch(range(10), 2).inputs[0], same.batch(range(10), 2).inputs[0])
    plain = opened(place, RGB, cache=cache).train
    assert torch.equal(data.batch([5, 0], None).inputs[0], plain.batch([5, 0], None).inputs[0])


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_changes_no_bit(tmp_path: Path, threads: int) -> None:
    """A worker has one thread, the process itself several, and a rank another part of the batch."""
    path = npz(tmp_path / "a.npz", x=pixels(1, 40, 61, 67, 3), y=[0, 1] * 20)
    data = opened(path, RGB.replace("8x8", "61x67").replace("POOL", "GAP"), augment=augment.NAMES, valid_part=0).train
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        whole = data.batch(range(40), 1).inputs[0]
        torch.set_num_threads(threads)
        pieces = [data.batch(range(start, start + 5), 1).inputs[0] for start in range(0, 40, 5)]
        single = data.batch([7], 1).inputs[0]
    finally:
        torch.set_num_threads(before)
    assert torch.equal(torch.cat(pieces), whole) and torch.equal(single[0], whole[7])


def test_classes_stay_where_they_are(tmp_path: Path) -> None:
    """A network that gives a map of one position has its classes in such a map, which nothing moves."""
    names = ("flip", "crop", "rotate", "erase")
    data = opened(folder(tmp_path), "input 3x8x8\nCONV(2) - GAP - SOFTMAX", augment=names, valid_part=0).train
    assert data.batch(range(10), 1).target.shape == (10, 1, 1)
    assert torch.equal(data.batch(range(10), 1).target, data.batch(range(10), None).target)


def test_the_order_of_names_changes_nothing(tmp_path: Path) -> None:
    """`flip,crop` is `crop,flip`."""
    path = npz(tmp_path / "a.npz", x=pixels(1, 8, 8, 8), y=[0, 1] * 4)
    one = opened(path, GREY, augment=("flip", "crop")).train.batch([0, 1, 2], 5)
    two = opened(path, GREY, augment=("crop", "flip")).train.batch([0, 1, 2], 5)
    assert torch.equal(one.inputs[0], two.inputs[0])


def test_a_mask_is_flipped_with_its_image(tmp_path: Path) -> None:
    """Targets of each position go along, whether classes or floats."""
    x = pixels(1, 16, 8, 8)
    for y, spec in ((x // 128, "input 1x8x8\nCONV(2)"), (x[:, None] / 255, "input 1x8x8\nCONV(1)")):
        data = opened(npz(tmp_path / "a.npz", x=x, y=y), spec, valid_part=0, augment=("flip",))
        batch, plain = data.train.batch(range(16), 1), data.train.batch(range(16), None)
        flipped = [not torch.equal(a, b) for a, b in zip(batch.inputs[0], plain.inputs[0])]
        assert 0 < sum(flipped) < 16
        for i, turned in enumerate(flipped):
            assert torch.equal(batch.target[i], plain.target[i].flip(-1) if turned else plain.target[i])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 1300), st.sampled_from([torch.uint8, torch.float32]))
def test_moments(seed: int, count: int, dtype: torch.dtype) -> None:
    """Mean and deviation by channel are those of all numbers at once, however many pieces they come in."""
    x = torch.randn(count, 3, 2, 2, generator=torch.Generator().manual_seed(seed)) * 40
    x = x + 1000 * (dtype == torch.float32)
    x = (x.clamp(0, 255) if dtype == torch.uint8 else x).to(dtype)
    rows = permutation(count, seed)[: count - count // 3]
    mean, std = (torch.tensor(values) for values in moments(TensorStore(x), rows, 0))
    chosen = x[rows].double() / (255 if dtype == torch.uint8 else 1)
    torch.testing.assert_close(mean.double(), chosen.mean((0, 2, 3)), rtol=1e-6, atol=1e-7)
    wanted = chosen.std((0, 2, 3), correction=0)
    torch.testing.assert_close(std.double(), torch.where(wanted > 1e-8, wanted, 1.0), rtol=1e-5, atol=1e-7)
