"""Each layer with windows against torch over grids of arguments; benchmarks/grids.py counts them."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from tests.support import grids
from tests.support.grids import LAYERS, Case, grid, hold, sample

EACH = [*itertools.product(LAYERS, (1, 2, 3))]


@pytest.mark.parametrize(("layer", "rank"), EACH)
def test_some_of_each_grid(layer: str, rank: int) -> None:
    """Some hundred cases of each grid: accepted where torch accepts, eager and on meta, and the same sizes."""
    counts: Counter[str] = Counter()
    for case in sample(layer, rank, 300, 1):
        hold(case, meta=layer != "LPPOOL", counts=counts)  # which is slow there
    assert counts["accepted"] > 50
    assert counts["refused"] > 25 or layer.startswith("ADAPTIVE")


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "rank"), EACH)
def test_each_grid(layer: str, rank: int) -> None:
    """Every case of each grid."""
    counts: Counter[str] = Counter()
    for case in grid(layer, rank):
        hold(case, meta=True, counts=counts)


@pytest.mark.parametrize("layer", LAYERS)
def test_each_layer_has_a_large_grid(layer: str) -> None:
    """At least 10,000 cases each."""
    assert sum(1 for rank in (1, 2, 3) for _ in grid(layer, rank)) >= 10_000


@pytest.mark.parametrize("sizes", [(4,), (2,)])
def test_a_wrong_checker_is_found(sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both a size that is another one and a verdict."""
    case = Case("CONV", sizes, {"kernel": 3, "stride": 1, "padding": 0, "dilation": 1, "fit": "floor"})
    hold(case, meta=True, counts=Counter())
    monkeypatch.setattr(grids, "checker", lambda case: (5,))
    with pytest.raises(AssertionError, match="torch"):
        hold(case, meta=True, counts=Counter())
