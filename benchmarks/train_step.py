"""A step of training of the emitted ResNet-50 against torchvision's: eager, on this CPU, alternating runs.

    python benchmarks/train_step.py

Needs torch and torchvision: pip install -e '.[test]'. The ratio is 1 within noise.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
import torchvision

import archdsl

SPEC = Path(__file__).parent.parent / "specs" / "resnet50.arch"


def main() -> None:
    """Print both medians, and the median of the ratios of neighbouring runs."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=15)
    options.add_argument("--batch", type=int, default=4)
    options.add_argument("--size", type=int, default=128)
    given = options.parse_args()
    theirs = torchvision.models.resnet50(weights=None)
    ours = archdsl.load(SPEC)
    ours.load_state_dict(theirs.state_dict())
    nets = {"archdsl": ours.train(), "torchvision": theirs.train()}
    optimizers = {name: torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9) for name, net in nets.items()}
    x, y = torch.randn(given.batch, 3, given.size, given.size), torch.randint(0, 1000, (given.batch,))
    times: dict[str, list[float]] = {name: [] for name in nets}
    for run in range(given.runs + 2):
        for name in list(nets)[:: 1 if run % 2 else -1]:
            began = time.process_time()
            optimizers[name].zero_grad()
            torch.nn.functional.cross_entropy(nets[name](x), y).backward()
            optimizers[name].step()
            if run > 1:
                times[name].append(time.process_time() - began)
    for name, found in times.items():
        print(f"{statistics.median(found) * 1000:8.0f} ms of CPU for a step, median of {given.runs}: {name}")
    ratios = [ours / theirs for ours, theirs in zip(*times.values())]
    print(f"ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
