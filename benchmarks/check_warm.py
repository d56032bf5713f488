"""A check in a process that runs already, against torch on the meta device: ResNet-50, and 10,000 convolutions.

    python benchmarks/check_warm.py

Needs torch and torchvision: pip install -e '.[test]'. All times are CPU time of one thread, the median of the runs
behind a first one that is not counted; both sides start from nothing but imported modules. The convolutions are all
in sequence, each a line of its own and of a width that no other has, so that nothing can be known from one before;
they must take a time that grows as their number.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
import torchvision
from torch import nn

import archdsl

RESNET = Path(__file__).parent.parent / "specs" / "resnet50.arch"
COUNTS = (1_000, 3_000, 10_000)


def seconds(run: Callable[[], object], runs: int) -> float:
    """The median CPU time."""
    found = []
    for _ in range(runs + 1):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return statistics.median(found[1:])


def resnet_on_meta() -> None:
    """Build torchvision's ResNet-50 and run it once."""
    with torch.device("meta"):
        torchvision.models.resnet50(weights=None)(torch.empty(1, 3, 224, 224))


def width(number: int) -> int:
    """The width of a convolution, from 8 to 10,014: of 10,000 no two have the same, nor read the same."""
    return 8 + number * 37 % 10_007  # a prime


def convolutions(count: int) -> str:
    """So many in sequence, a line for each."""
    return "input 3x32x32\n" + "".join(f"CONV({width(number)})\n" for number in range(count))


def convolutions_on_meta(count: int) -> None:
    """The same network built of modules, and run once."""
    with torch.device("meta"):
        widths = [3, *map(width, range(count))]
        layers = [nn.Conv2d(*pair, 3, padding=1) for pair in pairwise(widths)]
        nn.Sequential(*layers)(torch.empty(1, 3, 32, 32))


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], runs: int) -> None:
    """Print both times and the ratio."""
    mine, meta = seconds(ours, runs), seconds(theirs, runs)
    print(f"{name}: archdsl {mine * 1000:.1f} ms, meta {meta * 1000:.1f} ms, ratio {meta / mine:.1f}", flush=True)


def main() -> None:
    """Print a line for each."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=7)
    runs = options.parse_args().runs
    torch.set_num_threads(1)
    gc.freeze()  # what torch keeps for itself is nobody's garbage: no collection has to look through it

    def right(report: archdsl.Report) -> None:
        assert report.ok

    compare("ResNet-50", lambda: right(archdsl.check(str(RESNET))), resnet_on_meta, runs)
    for count in COUNTS:
        text = convolutions(count)
        compare(
            f"{count:,} convolutions",
            lambda text=text: right(archdsl.check(text=text)),  # type: ignore[misc]
            lambda count=count: convolutions_on_meta(count),  # type: ignore[misc]
            max(3, runs * COUNTS[0] // count),
        )


if __name__ == "__main__":
    main()
