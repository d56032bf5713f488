"""Steps of training and inference of the zoo's emitted modules against torchvision's: eager, on this CPU.

    python -m benchmarks.zoo_speed [NAME...] [--runs 5] [--graphs]

For each family's middle model the median of the ratios of neighbouring runs in alternating order, in CPU time; the
ratio is 1 within noise, which the last column tells: half the distance of the ratios' quartiles. `--graphs` counts
the graph breaks of `torch.compile` on both sides instead. Needs torchvision; images are halved in size where the
model takes any size.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import torch
from torch import Tensor, nn

import archdsl
from tests.support.zoo import MIDDLE, network, original, spec, tensors

FIXED = ("alexnet", "vgg", "shufflenet", "vit", "swin", "maxvit", "inception", "s3d")  # bound to the input's size


def models(name: str) -> tuple[nn.Module, nn.Module, Tensor]:
    """Ours and the original with the same weights, and two inputs."""
    theirs = original(name)
    ours = archdsl.load(spec(name))
    ours.load_state_dict(theirs.state_dict())
    shape = network(name).inputs[0].value.type.shape
    if not name.startswith(FIXED):
        shape = (*shape[:-2], shape[-2] // 2, shape[-1] // 2)
    return ours, theirs, torch.randn(2, *shape)


def inference(model: nn.Module, x: Tensor) -> None:
    """One pass in evaluation mode."""
    with torch.inference_mode():
        model(x)


def step(model: nn.Module, x: Tensor) -> None:
    """Gradients of all weights that the outputs hang on, and a step of gradient descent."""
    loss = torch.stack([output.square().mean() for output in tensors(model(x))]).sum()
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.sub_(parameter.grad, alpha=1e-6)


def ratios(ours: nn.Module, theirs: nn.Module, x: Tensor, work: Any, runs: int) -> list[float]:
    """CPU time of ours over theirs, run by run, the first of each left out."""
    found = []
    for run in range(runs + 1):
        times = {}
        for key, model in [("ours", ours), ("theirs", theirs)][:: 1 if run % 2 else -1]:
            began = time.process_time()
            work(model, x)
            times[key] = time.process_time() - began
        found.append(times["ours"] / times["theirs"])
    return found[1:]


def noise(found: list[float]) -> float:
    """Half the distance of the quartiles."""
    low, _, high = statistics.quantiles(found, n=4)
    return (high - low) / 2


def breaks(model: nn.Module, x: Tensor) -> int:
    """The graph breaks of torch.compile in evaluation mode."""
    torch._dynamo.reset()
    count: int = torch._dynamo.explain(model.eval())(x).graph_break_count
    return count


def main() -> None:
    """Print a row for each model."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("names", nargs="*")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--graphs", action="store_true")
    given = options.parse_args()
    heads = ("archdsl", "torchvision") if given.graphs else ("training", "noise", "inference", "noise")
    print(f"| model | {' | '.join(heads)} |\n| --- |{' ---: |' * len(heads)}")
    for name in given.names or MIDDLE:
        ours, theirs, x = models(name)
        if given.graphs:
            print(f"| {name} | {breaks(ours, x)} | {breaks(theirs, x)} |", flush=True)
            continue
        trained = ratios(ours.train(), theirs.train(), x, step, given.runs)
        inferred = ratios(ours.eval(), theirs.eval(), x, inference, given.runs)
        numbers = [f"{f(found):.3f}" for found in (trained, inferred) for f in (statistics.median, noise)]
        print(f"| {name} | {' | '.join(numbers)} |", flush=True)


if __name__ == "__main__":
    main()
