"""Random specs with open sizes, and the sizes that are valid by trying them one by one."""

from __future__ import annotations

import random

import archdsl
from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.symbolic.propagate import Propagation, Refused
from archdsl.syntax.source import Source


def random_spec(seed: int) -> str:
    """A spec over `input 2xH`: windows of all kinds, paddings, upsampling, branches that join, cuts."""
    return _spec(random.Random(seed), "input 2xH", 1)


def random_map(seed: int) -> str:
    """The same over `input 2xHxW`, with windows and strides that differ along the axes."""
    return _spec(random.Random(seed), "input 2xHxW", 2)


def _spec(draw: random.Random, head: str, rank: int) -> str:
    lines = [head]
    labels: list[str] = []
    for number in range(draw.randint(1, 6)):
        kind = draw.randrange(8)
        if kind == 0 and labels:
            join = draw.choice(["ADD", "CONCAT"])
            lines.append(f"{join}{{ {_chain(draw, rank)} | @{draw.choice(labels)} - {_chain(draw, rank)} }}")
        elif kind == 1:
            lines.append(f"ADD{{ ID | {_chain(draw, rank)} }}")
        elif kind == 2:
            lines.append(f"CONCAT(axis={draw.randrange(rank + 1)}){{ {_chain(draw, rank)} | {_chain(draw, rank)} }}")
        else:
            lines.append(_chain(draw, rank))
        if draw.random() < 0.4:
            labels.append(f"l{number}")
            lines[-1] = f"l{number}: [{lines[-1]}]"
    return "\n".join(lines)


def _chain(draw: random.Random, rank: int) -> str:
    return " - ".join(_layer(draw, rank) for _ in range(draw.randint(1, 3)))


def _layer(draw: random.Random, rank: int) -> str:
    kind = draw.randrange(10)
    strides, kernels = (_sizes(draw, values, rank) for values in ([1, 1, 2, 2, 3], [1, 2, 3, 3, 5]))
    if kind <= 3:
        padding = draw.choice(["valid", "0", "1", "same", "causal" if rank == 1 else "same", "full"])
        fit = draw.choice(["cover", "floor", "exact"])
        dilation = draw.choice([1, 1, 2])
        return f"CONV(2, {kernels}, {strides}, padding={padding}, dilation={dilation}, fit={fit})"
    if kind <= 5:
        size = max(int(kernels), 2) if kernels.isdigit() else kernels
        return f"POOL({size}, {strides}, fit={draw.choice(['cover', 'floor', 'ceil', 'exact'])})"
    if kind == 6:
        return f"UPSAMPLE({_sizes(draw, [2, 3], rank)})"
    if kind == 7:
        return f"UPCONV(2, {kernels}, {strides})"
    axis = 1 if rank == 1 else draw.choice([1, 2])
    if kind == 8:
        return f"CHUNK(0, {draw.choice([2, 3])}, axis={axis})"
    return draw.choice(["RELU", f"PAD({draw.randint(1, 3)})", f"SLICE(0, {draw.randint(2, 9)}, axis={axis})"])


def _sizes(draw: random.Random, values: list[int], rank: int) -> str:
    """One number for all axes, or for a map now and then one for each."""
    first = draw.choice(values)
    return f"{first}x{draw.choice(values)}" if rank > 1 and draw.random() < 0.5 else str(first)


def solve(text: str) -> Network | None:
    """The network with its open size solved, None where it is refused."""
    network, _ = build(Source(text), constants={}, inputs={}, fit=None, repairs=False)
    return network if network is not None and network.open is not None else None


def one_by_one(network: Network, sizes: range, symbol: str = "H") -> list[int]:
    """The sizes among these that the ordinary rules take, each run by itself, another symbol at its point."""
    assert network.open is not None
    (letters,) = network.open.shapes.values()
    found = []
    propagation = Propagation(network, 10**9)
    for n in sizes:
        at = {**network.open.point, symbol: n}
        try:
            propagation.types({"input": tuple(at[size] if isinstance(size, str) else size for size in letters)})
        except Refused:
            continue
        found.append(n)
    return found


def elaborated(text: str, **sizes: int) -> tuple[int, ...] | None:
    """The output's shape with these sizes, by elaborating the text anew; None where it is refused."""
    network, _ = build(Source(text), constants=sizes, inputs={}, fit=None, repairs=False)
    return None if network is None else tuple(map(int, network.outputs[0].value.type.shape))


def in_torch(text: str, **sizes: int) -> tuple[int, ...]:
    """The shape that the emitted module gives for sizes that are valid."""
    import torch  # here alone, so that the rest does without it

    with torch.no_grad():
        result: torch.Tensor = archdsl.load(text=text, **sizes)(torch.zeros(1, 2, *sizes.values()))
    return tuple(result.shape[1:])
