"""A step of `archdsl train` against one of a loop written by hand: LeNet-5, batches of 64, alternating runs.

    python benchmarks/train_loop.py

The loop by hand has the same module, the same optimizer and the same images, already scaled, in a tensor; it counts
neither right answers nor looks at the loss. archdsl's is the whole of it: data, learning rate, losses, counting, and
the question after each step whether to stop. CPU time of one thread. Needs torch: pip install -e '.[train]'.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import archdsl
from archdsl.files import read_spec
from archdsl.training.data import DataOptions, open_data
from archdsl.training.distributed import World
from archdsl.training.loop import Loop, Progress
from archdsl.training.losses import heads
from archdsl.training.model import Model
from archdsl.training.reporter import Several
from archdsl.training.run import Spec
from archdsl.training.settings import Settings

SPEC = Path(__file__).parent.parent / "specs" / "lenet5.arch"


def ours(path: str, folder: str, settings: Settings) -> Callable[[int], None]:
    """What trains for so many steps by archdsl."""
    world = World("cpu")
    spec = Spec(read_spec(path), {}, {})
    network, _ = spec.build()
    data = open_data(os.path.join(folder, "images.npz"), network, DataOptions(valid_part=0))
    model = Model(network, path, heads(network, settings, data.train.batch([0], None).target), settings, world)
    progress, until = Progress(), [0]
    loop = Loop(model, data, settings, world, Several(), lambda *_: None, lambda: 1 if progress.step >= until[0] else 0)

    def steps(count: int) -> None:
        until[0] = progress.step + count
        loop.run(progress)

    return steps


def by_hand(path: str, x: torch.Tensor, y: torch.Tensor) -> Callable[[int], None]:
    """What trains for so many steps by the loop that everybody writes."""
    net = archdsl.load(path).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, fused=True)
    order, at = torch.randperm(len(x)), 0

    def steps(count: int) -> None:
        nonlocal order, at
        for _ in range(count):
            if at + 64 > len(x):
                order, at = torch.randperm(len(x)), 0
            chosen = order[at : at + 64]
            at += 64
            optimizer.zero_grad()
            F.cross_entropy(net.logits(x[chosen]), y[chosen]).backward()
            optimizer.step()

    return steps


def main() -> None:
    """Print both medians, and the median of the ratios of neighbouring runs."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=30)
    options.add_argument("--steps", type=int, default=20, help="steps of a run")
    options.add_argument("--spec", default=str(SPEC), help="of images of 1x28x28 and ten classes; default: LeNet-5")
    given = options.parse_args()
    torch.set_num_threads(1)
    images = np.random.default_rng(0).integers(0, 256, (4096, 28, 28), np.uint8)
    labels = np.arange(4096) % 10
    settings = Settings(epochs=1000, batch=64, schedule="constant")
    with tempfile.TemporaryDirectory() as folder:
        np.savez(os.path.join(folder, "images.npz"), x=images, y=labels)
        x = (torch.from_numpy(images)[:, None] / 255 - 0.5) / 0.29
        kinds = {
            "archdsl": ours(given.spec, folder, settings),
            "by hand": by_hand(given.spec, x, torch.from_numpy(labels)),
        }
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for run in range(given.runs + 2):
            for name in list(kinds)[:: 1 if run % 2 else -1]:
                began = time.process_time()
                kinds[name](given.steps)
                if run > 1:
                    times[name].append((time.process_time() - began) / given.steps)
    for name, found in times.items():
        print(f"{statistics.median(found) * 1000:8.3f} ms of CPU for a step, median of {given.runs} runs: {name}")
    ratios = [a / b for a, b in zip(*times.values())]
    least = [min(found) for found in times.values()]
    print(f"ratio {statistics.median(ratios):.3f}, that of the fastest runs {least[0] / least[1]:.3f}")
    print(f"{1e6 * (least[0] - least[1]):.0f} microseconds more for a step, in the fastest runs")


if __name__ == "__main__":
    main()
