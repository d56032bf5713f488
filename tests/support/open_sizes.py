"""Random specs with one open size, and the sizes that are valid by trying them one by one."""

from __future__ import annotations

import random

import archdsl
from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.symbolic.propagate import Propagation, Refused
from archdsl.syntax.source import Source


def random_spec(seed: int) -> str:
    """A spec over `input 2xH`: windows of all kinds, paddings, upsampling, branches that join, cuts."""
    draw = random.Random(seed)
    lines = ["input 2xH"]
    labels: list[str] = []
    for number in range(draw.randint(1, 6)):
        kind = draw.randrange(8)
        if kind == 0 and labels:
            lines.append(
                f"{draw.choice(['ADD', 'CONCAT'])}{{ {_chain(draw)} | @{draw.choice(labels)} - {_chain(draw)} }}"
            )
        elif kind == 1:
            lines.append(f"ADD{{ ID | {_chain(draw)} }}")
        elif kind == 2:
            lines.append(f"CONCAT(axis={draw.randrange(2)}){{ {_chain(draw)} | {_chain(draw)} }}")
        else:
            lines.append(_chain(draw))
        if draw.random() < 0.4:
            labels.append(f"l{number}")
            lines[-1] = f"l{number}: [{lines[-1]}]"
    return "\n".join(lines)


def _chain(draw: random.Random) -> str:
    return " - ".join(_layer(draw) for _ in range(draw.randint(1, 3)))


def _layer(draw: random.Random) -> str:
    kind = draw.randrange(10)
    stride, kernel = draw.choice([1, 1, 2, 2, 3]), draw.choice([1, 2, 3, 3, 5])
    if kind <= 3:
        padding = draw.choice(["valid", "0", "1", "same", "causal", "full"])
        fit = draw.choice(["cover", "floor", "exact"])
        return f"CONV(2, {kernel}, {stride}, padding={padding}, dilation={draw.choice([1, 1, 2])}, fit={fit})"
    if kind <= 5:
        return f"POOL({max(kernel, 2)}, {stride}, fit={draw.choice(['cover', 'floor', 'ceil', 'exact'])})"
    if kind == 6:
        return f"UPSAMPLE({draw.choice([2, 3])})"
    if kind == 7:
        return f"UPCONV(2, {kernel}, {stride})"
    if kind == 8:
        return f"CHUNK(0, {draw.choice([2, 3])}, axis=1)"
    return draw.choice(["RELU", f"PAD({draw.randint(1, 3)})", f"SLICE(0, {draw.randint(2, 9)}, axis=1)"])


def solve(text: str) -> Network | None:
    """The network with its open size solved, None where it is refused."""
    network, _ = build(Source(text), constants={}, inputs={}, fit=None)
    return network if network is not None and network.open is not None else None


def one_by_one(network: Network, sizes: range) -> list[int]:
    """The sizes among these that the ordinary rules take, each run by itself."""
    found = []
    propagation = Propagation(network, 10**9)
    for n in sizes:
        try:
            propagation.types({"input": (2, n)})
        except Refused:
            continue
        found.append(n)
    return found


def elaborated(text: str, n: int) -> tuple[int, ...] | None:
    """The output's shape where the size is n, by elaborating the text anew; None where it is refused."""
    network, _ = build(Source(text), constants={"H": n}, inputs={}, fit=None)
    return None if network is None else tuple(map(int, network.outputs[0].value.type.shape))


def in_torch(text: str, n: int) -> tuple[int, ...]:
    """The shape that the emitted module gives for a size that is valid."""
    import torch  # here alone, so that the rest does without it

    with torch.no_grad():
        result: torch.Tensor = archdsl.load(text=text, H=n)(torch.zeros(1, 2, n))
    return tuple(result.shape[1:])
