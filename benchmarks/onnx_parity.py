"""Random layers and networks at several opsets: the ONNX files' numbers in onnxruntime against torch's.

    python benchmarks/onnx_parity.py --count 5000 --networks 1050
    python benchmarks/onnx_parity.py --count 5000 --networks 1050 --open   # sizes of the inputs as named dimensions

Needs what the tests need: pip install -e '.[test]'.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from archdsl.diagnostics import ArchError
from tests.support.parity import OPSETS, OPTIONS, Untestable, hold_open, hold_opsets, network, single
from tests.support.structure import Spec


def fixed(spec: Spec, seed: int, opsets: tuple[int, ...]) -> int:
    """Hold a spec at the sizes that it has, with the options turn by turn."""
    return hold_opsets(spec, seed, opsets, OPTIONS[seed % len(OPTIONS)])


def run(
    name: str,
    made: Callable[[int], Spec],
    hold: Callable[[Spec, int, tuple[int, ...]], int],
    seeds: range,
    opsets: tuple[int, ...],
    most: int,
) -> int:
    """Hold the specs of these seeds; the number of faults."""
    began = time.perf_counter()
    faults = runs = held = refused = untestable = 0
    for seed in seeds:
        try:
            count = hold(made(seed), seed, opsets)
            held += bool(count)
            runs += count
        except ArchError as error:
            if {d.code for d in error.diagnostics} != {"E607"}:
                raise
            refused += 1
        except Untestable:
            untestable += 1
        except Exception as error:
            faults += 1
            shown = str(error) if isinstance(error, AssertionError) else traceback.format_exc(limit=-4)
            print(f"---- {name} {seed}\n{shown}", flush=True)
            if faults >= most:
                break
    seconds = time.perf_counter() - began
    print(
        f"{name}: {held} held, {runs} files and sizes, two batches, {faults} faults, "
        f"{refused} need a size, {untestable} untestable, {seconds:.0f} s",
        flush=True,
    )
    return faults


def main() -> int:
    """The exit status: 1 where a file does not hold."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--count", type=int, default=500, help="the number of single layers")
    options.add_argument("--networks", type=int, default=100, help="the number of networks")
    options.add_argument("--start", type=int, default=0, help="the first seed")
    options.add_argument("--open", action="store_true", help="leave the inputs' sizes open, and run at several")
    options.add_argument("--opsets", type=int, nargs="+", default=OPSETS, help="17 to 26")
    options.add_argument("--most", type=int, default=20, help="faults after which it stops")
    given = options.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    faults = 0
    for name, made, count in (("layers", single, given.count), ("networks", network, given.networks)):
        hold = hold_open if given.open else fixed
        faults += run(name, made, hold, range(given.start, given.start + count), tuple(given.opsets), given.most)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
