"""What each block of a spec adds up to in a network."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.graph import Apply, Call, Network, Region, Repeat, Share
from archdsl.records import NamedTuple, dataclass
from archdsl.tensor import product


@dataclass
class Part:
    """The part of a network that lies in one block, other blocks inside it included; "" is what lies in none."""

    name: str
    uses: int = 0
    layers: int = 0
    parameters: int = 0
    macs: int = 0


class Item(NamedTuple):
    """A layer or region that is come by: how many of it there are, the blocks around it, and its own if it is one."""

    what: Apply | Region
    times: int
    blocks: frozenset[str]
    shared: bool
    title: str = ""


def by_block(network: Network) -> list[Part]:
    """Each block with how often it stands in the network, its layers, parameters and MACs, in order of appearance.

    Copies count with their number; what is shared has its MACs each time and its parameters once. The time does not
    depend on how many copies there are.
    """
    found: dict[str, Part] = {}

    def part(name: str) -> Part:
        return found.setdefault(name, Part(name))

    stack = [_visit(network.module.region, 1, frozenset(), False)]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            continue
        if item.title:
            part(item.title).uses += item.times
        if isinstance(item.what, Region):
            stack.append(_visit(item.what, item.times, item.blocks, item.shared))
            continue
        layer, types = item.what.layer, item.what.types
        held = () if item.shared else layer.weights(*types).values()
        for name in item.blocks or ("",):
            one = part(name)
            one.layers += item.times
            one.parameters += item.times * sum(product(weight.shape) for weight in held)
            one.macs += item.times * layer.macs(*types)
    return list(found.values())


def _visit(region: Region, times: int, blocks: frozenset[str], shared: bool) -> Iterator[Item]:
    """A region's layers, and the regions inside with the blocks around them."""
    for step in region.steps:
        again = shared or isinstance(step, Share)
        inner = step.again if isinstance(step, Share) else step
        if isinstance(inner, Apply):
            yield Item(inner, times, blocks, again)
        elif isinstance(inner, Call):
            title = inner.module.title
            around = blocks | {title} if title else blocks
            yield Item(inner.module.region, times, around, again, title)
        elif isinstance(inner, Repeat):
            for run in inner.runs:
                yield Item(run.region, times * run.count, blocks, again)
