"""Legal sizes: over random networks with an open size, the set that is told against sizes run one by one.

    python benchmarks/legal_sizes.py --networks 1000 --sizes 600

Each size is run by the ordinary rules, layer by layer. Of each tenth network the spec is elaborated anew with some of
the sizes, and of each fiftieth the module runs in torch with valid ones: both must give the shapes that were told.
Prints how many networks were looked at, how many sets were wrong, and the time that a solution took.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from archdsl.elaborate import openness
from archdsl.graph import Network
from archdsl.symbolic.expression import Size
from archdsl.symbolic.sizes import Sizes
from tests.support.open_sizes import elaborated, in_torch, one_by_one, random_map, random_spec, solve


def main() -> int:
    """Look at random networks; the exit status is 1 where a set or a shape is wrong."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--networks", type=int, default=1000)
    options.add_argument("--sizes", type=int, default=600)
    options.add_argument("--seed", type=int, default=0, help="the first text's")
    options.add_argument("--maps", action="store_true", help="maps of two open sizes, each with the other at its point")
    given = options.parse_args()
    openness.LIKELY = (256, 257, 243, 250, 60, 511)  # most texts fit no size, and these show it soon enough
    openness.MOST_TRIES = len(openness.LIKELY)
    gc.freeze()
    counts: Counter[str] = Counter()
    spent, began, seed = 0.0, time.process_time(), given.seed
    while counts["networks"] < given.networks:
        seed += 1
        text = random_map(seed) if given.maps else random_spec(seed)
        start = time.process_time()
        network = solve(text)
        if network is None or network.open is None:
            continue
        spent += time.process_time() - start
        counts["networks"] += 1
        for symbol, sizes in network.open.valid.items():
            assert isinstance(sizes, Sizes)
            tried = one_by_one(network, range(1, given.sizes + 1), symbol)
            _hold(sizes, tried, given.sizes, f"seed {seed}, {symbol}:\n{text}", counts)
            if counts["networks"] % 10 == 0:
                _again(text, network, symbol, seed, tried, given.sizes, counts)
            if counts["networks"] % 50 == 0:
                _in_torch(text, network, symbol, seed, tried, counts)
        if counts["networks"] % 1000 == 0:
            print(f"{counts['networks']} networks, {counts['wrong sets']} wrong sets", flush=True)
    found = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"{seed - given.seed} texts x {given.sizes} sizes: {found}; {counts['wrong sets']} wrong sets")
    print(f"{1000 * spent / given.networks:.1f} ms of CPU for a network, elaborated and solved")
    print(f"{time.process_time() - began:.0f} s of CPU in all")
    return bool(counts["wrong sets"] or counts["wrong shapes"])


def _hold(sizes: Sizes, tried: list[int], most: int, shown: str, counts: Counter[str]) -> None:
    """Hold a set against the sizes that were run."""
    told = [n for n in range(1, most + 1) if n in sizes]
    counts["sets"] += 1
    counts["told as subsets"] += not sizes.exact
    counts["with sizes that are refused"] += len(tried) < most
    if not set(told) <= set(tried) or (sizes.exact and told != tried):
        counts["wrong sets"] += 1
        print(f"told and tried differ at {sorted(set(told) ^ set(tried))[:5]}: {shown}", flush=True)


def _shape(network: Network, at: dict[str, int]) -> tuple[int, ...] | None:
    """The output's shape as it is told for some sizes; None where its expression says that it is not exact."""
    shape = network.outputs[0].value.type.shape
    if any(isinstance(size, Size) and not size.exact for size in shape):
        return None
    return tuple(size.at(at[size.symbol]) if isinstance(size, Size) else size for size in shape)


def _again(
    text: str, network: Network, symbol: str, seed: int, tried: list[int], most: int, counts: Counter[str]
) -> None:
    """Elaborate the text anew with a few sizes."""
    assert network.open is not None
    draw = random.Random(seed)
    for n in [draw.randint(1, most), draw.randint(1, 60), *draw.sample(tried, min(2, len(tried)))]:
        counts["sizes elaborated anew"] += 1
        at = {**network.open.point, symbol: n}
        shape = elaborated(text, **at)
        right = (shape is not None) == (n in tried)
        if not right or (shape is not None and _shape(network, at) not in (shape, None)):
            counts["wrong shapes"] += 1
            print(f"seed {seed}: {shape} at {at}, told {_shape(network, at)}:\n{text}", flush=True)


def _in_torch(text: str, network: Network, symbol: str, seed: int, tried: list[int], counts: Counter[str]) -> None:
    """Run the module with a few valid sizes."""
    assert network.open is not None
    for n in random.Random(seed).sample(tried, min(3, len(tried))):
        counts["sizes run by torch"] += 1
        at = {**network.open.point, symbol: n}
        shape = in_torch(text, **at)
        if _shape(network, at) not in (shape, None):
            counts["wrong shapes"] += 1
            print(f"seed {seed}: torch gives {shape} at {at}, told {_shape(network, at)}:\n{text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
