"""How good a network is: the counts against plain Python, and what its scores mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from archdsl.cli.evaluate import confused, headline, shown, table
from archdsl.diagnostics import ArchError
from archdsl.live import instance
from archdsl.training.data import Batch
from archdsl.training.judging import Evaluation, Judge, Tally, evaluate, spread
from archdsl.training.losses import Head
from archdsl.training.settings import Settings
from tests.support.train_data import network

CLASSES = torch.zeros(1, dtype=torch.int64)
CROSS = Head("output", "cross-entropy", 1, 1.0)


class Part:
    """A part of data in two tensors."""

    in_memory = True

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, indices: Sequence[int] | Tensor, epoch: int | None) -> Batch:
        rows = torch.as_tensor(list(indices))
        return Batch((self.x[rows],), self.y[rows])

    def name(self, index: int) -> str:
        return str(index)


def judge(text: str, target: Tensor = CLASSES, named: Sequence[str] = ()) -> Judge:
    """What judges by a network with random weights."""
    from archdsl.backends.pytorch import emit

    torch.manual_seed(0)
    net = network(text)
    return Judge(net, instance(emit(net), net.name), Settings(), target, named)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40), st.integers(1, 9))
def test_confusion(pairs: list[tuple[int, int]], size: int) -> None:
    """Counts, precision and recall are those of plain Python, in whatever batches."""
    tally = Tally(CROSS, "abcd")
    for start in range(0, len(pairs), size):
        some = pairs[start : start + size]
        scores = torch.nn.functional.one_hot(torch.tensor([said for _, said in some]), 4).float()
        tally.add(scores, torch.tensor([true for true, _ in some]))
    assert tally.confusion == [[pairs.count((true, said)) for said in range(4)] for true in range(4)]
    for label, one in enumerate(tally.classes()):
        right = pairs.count((label, label))
        said, true = sum(s == label for _, s in pairs), sum(t == label for t, _ in pairs)
        assert one == ("abcd"[label], true, right / said if said else None, right / true if true else None)


def test_several_classes_at_once() -> None:
    """Under a SIGMOID each class is a question of its own: no confusion, but precision and recall."""
    tally = Tally(Head("output", "bce", 1, 1.0, "x"), "abc")
    tally.add(torch.tensor([[1.0, -1, 2], [1, 1, -1]]), torch.tensor([[1.0, 0, 0], [0, 1, 0]]))
    assert tally.confusion is None
    assert tally.classes() == (("a", 1, 0.5, 1.0), ("b", 1, 1.0, 1.0), ("c", 0, 0.0, None))


def test_one_score_for_two_classes() -> None:
    """A single score under a SIGMOID tells two classes."""
    tally = Tally(Head("output", "bce", 1, 1.0, "x"), ("no", "yes"))
    tally.add(torch.tensor([[2.0], [-2], [3]]), torch.tensor([[1.0], [1], [0]]))
    assert tally.confusion == [[0, 1], [1, 1]]
    assert spread(Head("o", "bce", 1, 1.0), torch.tensor([[0.0]])).tolist() == [[0.5, 0.5]]


def test_classes_of_positions() -> None:
    """A class for each position is counted position by position."""
    tally = Tally(CROSS, "ab")
    scores = torch.tensor([[[[3.0, 0]], [[0, 3]]]])  # 1 x 2 classes x 1 x 2
    tally.add(scores, torch.tensor([[[0, 0]]]))
    assert tally.confusion == [[1, 1], [0, 0]]


def test_evaluate() -> None:
    """Loss and accuracy over all samples are those of one batch, whatever the batches."""
    one = judge("input 4\nFC(8)-RELU-FC(3)-SOFTMAX")
    x, y = torch.randn(23, 4), torch.randint(0, 3, (23,))
    scores = one.scores([x])
    found = evaluate(one, Part(x, y), 5)
    assert found.samples == 23
    assert found.loss == pytest.approx(float(torch.nn.functional.cross_entropy(scores, y)))
    assert found.accuracy == pytest.approx(float((scores.argmax(1) == y).double().mean()))
    assert found.confusion is not None and sum(map(sum, found.confusion)) == 23
    assert [c.name for c in found.classes] == ["0", "1", "2"]


def test_what_has_no_classes() -> None:
    """A network of tensors has a loss alone, and tells no class."""
    one = judge("input 4\nFC(2)-FC(4)", torch.zeros(1, 4))
    x = torch.randn(7, 4)
    found = evaluate(one, Part(x, x), 3)
    assert found.accuracy is None and found.classes == () and found.confusion is None and found.loss > 0
    assert table(found) == [] and headline(found).startswith("7 samples, loss")
    with pytest.raises(ArchError, match=r"E762.*no classes"):
        one.probabilities([x])


def test_positions_are_no_answer() -> None:
    """Where each position has a class there is none for an image as a whole."""
    with pytest.raises(ArchError, match=r"E762.*classes for each position"):
        judge("input 1x4x4\nCONV(3)-SOFTMAX").probabilities([torch.zeros(1, 1, 4, 4)])


@pytest.mark.parametrize("end", ["FC(3)-SOFTMAX", "FC(3)", "FC(3)-LOGSOFTMAX"])
def test_probabilities(end: str) -> None:
    """They sum to 1 however the network ends, and are those that a SOFTMAX gives."""
    one = judge(f"input 4\nFC(8)-RELU-{end}")
    x = torch.randn(5, 4)
    parts = one.probabilities([x])
    assert parts.shape == (5, 3) and torch.allclose(parts.sum(1), torch.ones(5))
    assert torch.allclose(parts, one.scores([x]).softmax(1))


def test_table() -> None:
    """Classes by line with what was said of them; of many classes the pairs confused most; odd names can be seen."""
    tally: Any = Tally(CROSS, ("cat", " "))
    tally.add(torch.tensor([[1.0, 0], [0, 1], [1, 0]]), torch.tensor([0, 0, 1]))
    found = Evaluation(3, 0.5, 1 / 3, tally.classes(), tally.confusion)
    assert table(found) == [
        "",
        "class  samples  precision  recall",
        "cat          2      50.0%   50.0%",
        "' '          1       0.0%    0.0%",
        "",
        "       what was said",
        "is     cat ' '",
        "cat      1   1",
        "' '      1   .",
    ]
    assert headline(found) == "3 samples, loss 0.5000, accuracy 33.33%"
    assert confused([[5, 2, 0], [7, 1, 1], [0, 0, 0]], ["a", "b", "c"]) == [
        "b taken for a: 7", "a taken for b: 2", "b taken for c: 1",
    ]  # fmt: skip
    assert shown("\n") == r"'\n'" and shown("cat") == "cat"
