"""What the input pipeline costs a step of training: LeNet-5, batches of 64, against tensors that are merely indexed.

    python benchmarks/train_input.py [--threads 1] [--steps 60]

Data is made here: 4,000 grey images of 28x28 as .npz, and 400 JPEGs of 256x256 in class folders, resized. For each
way to get a batch it prints the median time that making it takes, and the share of a step (the step on a batch at hand
and the making of it, measured alternately in one process). With workers what counts is how long the training waits.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import archdsl
from archdsl.pipeline import build
from archdsl.syntax.source import Source
from archdsl.training.data import Batch, Data, DataOptions, open_data
from archdsl.training.data.pipeline import Loader

LENET = "input 1x28x28\nCONV(32, 5) - RELU - POOL\nCONV(64, 5) - RELU - POOL\nFC(128) - RELU\nFC(10) - SOFTMAX"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        for name, make in ways(Path(folder)).items():
            waits, steps = measured(make(), options.steps)
            wait, step = statistics.median(waits), statistics.median(steps)
            print(f"{name:28} {wait * 1e6:8.0f} us a batch, {100 * wait / step:6.2f}% of a step of {step * 1e3:.1f} ms")


def ways(folder: Path) -> dict[str, Callable[[], Iterator[Batch]]]:
    """Endless batches, by name."""
    random = np.random.default_rng(0)
    np.savez(folder / "a.npz", x=random.integers(0, 256, (5000, 28, 28), dtype=np.uint8), y=np.arange(5000) % 10)
    for number in range(400):
        place = folder / "images" / str(number % 10)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (256, 256), dtype=np.uint8)).save(place / f"{number}.jpg")
    arrays, images = str(folder / "a.npz"), str(folder / "images")
    whole = next(endless(opened(arrays), batch=4000))
    return {
        "indexing at hand": lambda: indexing(whole),
        "in memory": lambda: endless(opened(arrays)),
        "in memory, crop and flip": lambda: endless(opened(arrays, augment=("crop", "flip"))),
        "in memory, all changes": lambda: endless(opened(arrays, augment=("crop", "flip", "rotate", "erase", "color"))),
        "JPEGs, no worker": lambda: endless(opened(images, resize=True, cache=0)),
        "JPEGs, one worker": lambda: endless(opened(images, resize=True, cache=0), workers=1),
        "JPEGs kept in memory": lambda: endless(opened(images, resize=True)),
    }


def opened(where: str, **options: object) -> Data:
    """The data for LeNet-5."""
    network, _ = build(Source(LENET), constants={}, inputs={}, fit=None)
    assert network is not None
    return open_data(where, network, DataOptions(**options))  # type: ignore[arg-type]


def endless(data: Data, batch: int = 64, workers: int = 0) -> Iterator[Batch]:
    """Batches, epoch by epoch."""
    loader = Loader(data.train, batch, train=True, workers=workers)
    epoch = 0
    while True:
        yield from loader.epoch(epoch)
        epoch += 1


def indexing(whole: Batch) -> Iterator[Batch]:
    """What a loop by hand does."""
    while True:
        for some in torch.randperm(len(whole.target)).split(64)[:-1]:
            yield Batch((whole.inputs[0][some],), whole.target[some])


def measured(batches: Iterator[Batch], count: int) -> tuple[list[float], list[float]]:
    """How long each batch was waited for, and how long each step took."""
    net = archdsl.load(text=LENET)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    waits, steps = [], []
    for _ in range(count + 10):
        start = time.perf_counter()
        batch = next(batches)
        made = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(net.logits(batch.inputs[0]), batch.target).backward()
        optimizer.step()
        waits.append(made - start)
        steps.append(time.perf_counter() - made)
    return waits[10:], steps[10:]


if __name__ == "__main__":
    main()
