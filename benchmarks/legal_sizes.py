"""Legal sizes: over random networks with an open size, the set that is told against sizes run one by one.

    python benchmarks/legal_sizes.py --count 1000 --sizes 600

Prints how many networks were looked at, how many sets were wrong, and the time that a solution took.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.open_sizes import one_by_one, random_spec, solve


def main() -> int:
    """Look at random networks; the exit status is 1 where a set is wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1000)
    options.add_argument("--sizes", type=int, default=600)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    looked = wrong = inexact = 0
    spent = 0.0
    for seed in range(given.seed, given.seed + given.count):
        start = time.process_time()
        network = solve(random_spec(seed))
        spent += time.process_time() - start
        if network is None or network.open is None:
            continue
        looked += 1
        sizes = network.open.valid["H"]
        told = [n for n in range(1, given.sizes + 1) if n in sizes]  # type: ignore[operator]  # a Sizes
        tried = one_by_one(network, range(1, given.sizes + 1))
        if not getattr(sizes, "exact", True):
            inexact += 1
            wrong += not set(told) <= set(tried)
        elif told != tried:
            wrong += 1
            print(f"seed {seed}: told and tried differ at {sorted(set(told) ^ set(tried))[:5]}")
    print(
        f"{given.count} texts, {looked} networks x {given.sizes} sizes: {wrong} wrong sets, {inexact} told as subsets"
    )
    print(f"{1000 * spent / given.count:.1f} ms of CPU for a text, elaborated and solved")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
