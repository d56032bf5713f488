"""How large a network may be to be written out layer by layer."""

from __future__ import annotations

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Call, Network, Region, Repeat, Share

MOST_LAYERS = 100_000


def check_size(network: Network) -> None:
    """Raise ArchError E604 where all copies together are more layers than a backend writes out."""
    count = layers(network.module.region)
    if count > MOST_LAYERS:
        message = f"the network has {count:_} layers, which is too many to write out (at most {MOST_LAYERS:_})"
        raise ArchError([Diagnostic("E604", message, help=("`check` and `show` take any number",))])


def layers(region: Region) -> int:
    """The number of layers of a region, each copy counted; a block without any is one, since it is gone through."""
    total = 0
    for step in region.steps:
        inner = step.again if isinstance(step, Share) else step
        if isinstance(inner, Repeat):
            total += sum(run.count * layers(run.region) for run in inner.runs)
        else:
            total += max(1, layers(inner.module.region)) if isinstance(inner, Call) else 1
    return total
