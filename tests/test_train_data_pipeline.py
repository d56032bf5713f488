"""The batches of an epoch: their order, the ranks' shares, workers, and going on in the middle."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.diagnostics import ArchError
from archdsl.training.data import Batch, Normalisation
from archdsl.training.data.pipeline import Loader
from tests.support.train_data import RGB, folder, opened


class Numbers:
    """A Split whose samples are their own numbers."""

    in_memory = True

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def batch(self, indices: object, epoch: int | None) -> Batch:
        rows = torch.as_tensor(indices)
        return Batch((torch.full((len(rows),), -1 if epoch is None else epoch),), rows)

    def name(self, index: int) -> str:
        return str(index)


def taken(
    count: int, batch: int, epoch: int = 0, start: int = 0, world: int = 1, *, train: bool, seed: int = 0
) -> list[list[list[int]]]:
    """The indices of each batch, by rank."""
    loaders = [Loader(Numbers(count), batch, train=train, seed=seed, rank=r, world=world) for r in range(world)]
    return [[b.target.tolist() for b in loader.epoch(epoch, start)] for loader in loaders]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 50), st.integers(1, 12), st.integers(1, 4), st.integers(0, 3))
def test_an_epoch_of_training(count: int, batch: int, world: int, epoch: int) -> None:
    """Ranks have equally many full batches and no sample twice; fewer are dropped than one step takes."""
    ranks = taken(count, batch, epoch, world=world, train=True, seed=5)
    assert len({len(rank) for rank in ranks}) == 1
    samples = [i for rank in ranks for one in rank for i in one]
    assert len(samples) == len(set(samples)) <= count
    loader = Loader(Numbers(count), batch, world=world, train=True)
    assert count - len(samples) == loader.dropped and len(loader) == len(ranks[0])
    if count >= batch * world:
        assert loader.dropped < batch * world and {len(one) for rank in ranks for one in rank} == {batch}
    else:
        assert loader.dropped < world and len(loader) == min(1, count // world)


@settings(max_examples=50, deadline=None)
@given(st.integers(8, 50), st.integers(1, 4), st.integers(0, 3), st.integers(0, 20))
def test_going_on_in_the_middle(count: int, batch: int, epoch: int, start: int) -> None:
    """From batch number `start` on the batches are those that they would have been."""
    whole = taken(count, batch, epoch, train=True)[0]
    assert taken(count, batch, epoch, start, train=True)[0] == whole[start:]


def test_the_global_batch_does_not_hang_on_the_number_of_ranks() -> None:
    """Two ranks with batches of 4 take what one with 8 does, step by step."""
    one = taken(50, 8, train=True)[0]
    two = taken(50, 4, world=2, train=True)
    assert [a + b for a, b in zip(*two)] == one


def test_each_epoch_has_an_order_of_its_own() -> None:
    """And each seed."""
    orders = {str(taken(30, 30, epoch, train=True, seed=seed)) for epoch in range(3) for seed in range(3)}
    assert len(orders) == 9


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 50), st.integers(1, 12), st.integers(1, 4))
def test_judging_sees_every_sample_once(count: int, batch: int, world: int) -> None:
    """None is dropped, none doubled for the sake of equal ranks, and none augmented."""
    ranks = taken(count, batch, world=world, train=False)
    assert sorted(i for rank in ranks for one in rank for i in one) == list(range(count))
    assert max(map(len, ranks)) - min(map(len, ranks)) <= 1
    loader = Loader(Numbers(count), batch, train=False)
    assert loader.dropped == 0 and all(b.inputs[0].eq(-1).all() for b in loader.epoch(4))


def test_workers_change_nothing(tmp_path: Path) -> None:
    """With two processes the batches are the same bit by bit, over epochs and from the middle on."""
    data = opened(folder(tmp_path, count=8), RGB, augment=("flip", "crop", "rotate", "color", "erase"), cache=0)
    plain = Loader(data.train, 3, train=True, seed=3)
    worked = Loader(data.train, 3, train=True, seed=3, workers=2)
    for epoch, start in ((0, 0), (1, 2), (2, 0)):
        here, there = list(plain.epoch(epoch, start)), list(worked.epoch(epoch, start))
        assert len(here) == len(there) == 4 - start
        for a, b in zip(here, there):
            assert torch.equal(a.inputs[0], b.inputs[0]) and torch.equal(a.target, b.target)


@pytest.mark.parametrize("workers", [0, 1])
def test_nothing_is_drawn_from_the_global_generator(workers: int) -> None:
    """Else a resumed run, which starts its loader once more, would go another way."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    list(Loader(Numbers(20), 4, train=True, workers=workers).epoch(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_an_epoch_that_is_left_early(tmp_path: Path) -> None:
    """What the workers had made ahead of it does not turn up in the next one."""
    loader = Loader(Numbers(40), 2, train=True, workers=2)
    for batch in loader.epoch(0):
        assert len(batch.target) == 2
        break
    assert [b.target.tolist() for b in loader.epoch(1)] == taken(40, 2, 1, train=True)[0]


def test_parts_can_be_sent_to_other_processes(tmp_path: Path) -> None:
    """Where workers do not start as copies of this process, a part goes to them as bytes."""
    data = opened(folder(tmp_path, count=2), RGB, augment=("flip",), cache=0)
    sent = pickle.loads(pickle.dumps(data.train))
    assert torch.equal(sent.batch([0, 1], 1).inputs[0], data.train.batch([0, 1], 1).inputs[0])
    assert sent.name(1) == data.train.name(1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="memory is pinned for a GPU")
@pytest.mark.parametrize("workers", [0, 1])
def test_pinned(workers: int) -> None:
    """Batches that a GPU can copy by itself."""
    [batch, *_] = Loader(Numbers(20), 4, train=True, workers=workers, pin=True).epoch(0)
    assert batch.target.is_pinned() and batch.inputs[0].is_pinned()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_image_is_named_from_a_worker_too(tmp_path: Path, workers: int) -> None:
    """An image that breaks while training is the same error in a process of its own."""
    folder(tmp_path)
    path = tmp_path / "dog" / "3.png"
    path.write_bytes(path.read_bytes()[:150])
    given_ = Normalisation(((0.5,) * 3,), ((1.0,) * 3,))
    data = opened(tmp_path, RGB, cache=0, valid_part=0, normalisation=given_)
    with pytest.raises(ArchError) as caught:
        list(Loader(data.train, 2, train=True, workers=workers).epoch(0))
    assert [(d.code, d.file) for d in caught.value.diagnostics] == [("E713", "dog/3.png")]
