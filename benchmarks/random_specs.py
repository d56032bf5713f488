"""Random specs held against torch and onnxruntime, at scale: counts, and the seed of each that does not hold.

    python benchmarks/random_specs.py --count 10000

Needs what the tests need: pip install -e '.[test]'.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.compare import hold
from tests.support.generate import generate


def main() -> int:
    """The exit status: 1 where a spec does not hold."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--count", type=int, default=1000, help="the number of specs")
    options.add_argument("--start", type=int, default=0, help="the first seed")
    options.add_argument("--wrong", type=float, default=0.08, help="how often a layer that does not fit is kept")
    options.add_argument("--onnx", type=int, default=5, help="each so many-th is run by onnxruntime")
    options.add_argument("--most", type=int, default=50, help="faults after which it stops")
    given = options.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    began = time.perf_counter()
    for seed in range(given.start, given.start + given.count):
        often = seed % given.onnx == 0
        try:
            spec = generate(seed, given.wrong)
            counts[hold(spec, seed, onnx=often, forms=often, copies=often)] += 1
            counts["run by onnxruntime"] += often
        except Exception as error:
            counts["FAULTS"] += 1
            shown = str(error) if isinstance(error, AssertionError) else traceback.format_exc(limit=-4)
            print(f"---- seed {seed}\n{shown}", flush=True)
            if counts["FAULTS"] >= given.most:
                break
    seconds = time.perf_counter() - began
    found = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    print(f"{seed + 1 - given.start} specs in {seconds:.0f} s: {found}")
    return bool(counts["FAULTS"])


if __name__ == "__main__":
    sys.exit(main())
