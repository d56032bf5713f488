"""Random specs held against torch and onnxruntime, at scale: counts, and the seed of each that does not hold.

    python benchmarks/random_specs.py --count 10000
    python benchmarks/random_specs.py --count 100000 --only shapes --wrong 0.25

The first compares everything: verdicts, shapes, names, numbers, gradients, and of each fifth ONNX, forms and copies.
The second compares the verdict and every shape with torch, eager and on meta, and prints how often each layer and
each argument came up. Needs what the tests need: pip install -e '.[test]'.
"""

from __future__ import annotations

import argparse
import gc
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
from tests.support.verdicts import Tally, hold_verdict


def main() -> int:
    """The exit status: 1 where a spec does not hold."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--count", type=int, default=1000, help="the number of specs")
    options.add_argument("--start", type=int, default=0, help="the first seed")
    options.add_argument("--wrong", type=float, default=0.08, help="how often a layer that does not fit is kept")
    options.add_argument("--only", choices=["shapes"], help="verdicts and shapes alone, which is fast")
    options.add_argument("--meta", type=int, default=1, help="with --only shapes, each so many-th on meta too")
    options.add_argument("--onnx", type=int, default=5, help="each so many-th is run by onnxruntime")
    options.add_argument("--most", type=int, default=50, help="faults after which it stops")
    given = options.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    gc.freeze()  # what torch has made on import is a quarter of the time otherwise
    gc.set_threshold(100_000)
    counts: Counter[str] = Counter()
    tally = Tally()
    began, worked = time.perf_counter(), time.process_time()
    for seed in range(given.start, given.start + given.count):
        often = seed % given.onnx == 0
        try:
            spec = generate(seed, given.wrong)
            if given.only:
                meta = seed % given.meta == 0
                counts[hold_verdict(spec, seed, tally, meta=meta)] += 1
                counts["on meta"] += meta
            else:
                counts[hold(spec, seed, onnx=often, forms=often, copies=often)] += 1
                counts["run by onnxruntime"] += often
        except Exception as error:
            counts["FAULTS"] += 1
            shown = str(error) if isinstance(error, AssertionError) else traceback.format_exc(limit=-4)
            print(f"---- seed {seed}\n{shown}", flush=True)
            if counts["FAULTS"] >= given.most:
                break
        if (seed + 1 - given.start) % 10_000 == 0:
            print(f"{seed + 1 - given.start} specs, {_told(counts)}", flush=True)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    if given.only:
        print("\n".join(tally.table()))
    print(f"{seed + 1 - given.start} specs in {seconds:.0f} s, {cpu:.0f} s of CPU: {_told(counts)}")
    return bool(counts["FAULTS"])


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
