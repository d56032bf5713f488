"""Layers with windows over whole grids of sizes, windows, strides, paddings and dilations, each case against torch.

    python benchmarks/grids.py                 # all of them, 1-D to 3-D
    python benchmarks/grids.py CONV --rank 2

Needs what the tests need: pip install -e '.[test]'.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.grids import LAYERS, grid, hold


def main() -> int:
    """The exit status: 1 where a case does not hold."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("layers", nargs="*", metavar="LAYER", help=f"some of {', '.join(LAYERS)}")
    options.add_argument("--rank", type=int, choices=(1, 2, 3), help="maps of so many axes alone")
    options.add_argument("--meta", type=int, default=1, help="each so many-th case on meta too; 0: none")
    given = options.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    gc.freeze()
    faults = 0
    for layer in given.layers or LAYERS:
        for rank in (given.rank,) if given.rank else (1, 2, 3):
            counts: Counter[str] = Counter()
            wrong, began = 0, time.process_time()
            for number, case in enumerate(grid(layer, rank)):
                try:
                    hold(case, bool(given.meta) and number % given.meta == 0, counts)
                except AssertionError as error:
                    wrong += 1
                    if wrong <= 5:
                        print(error)
            told = ", ".join(f"{count} {what}" for what, count in sorted((+counts).items()))
            seconds = time.process_time() - began
            print(f"{layer} {rank}-D: {number + 1} cases, {told}, {wrong} wrong, {seconds:.0f} s of CPU", flush=True)
            faults += wrong
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
