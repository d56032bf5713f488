"""What is worked out once for a network, whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from archdsl.annotations import TYPE_CHECKING
from archdsl.graph import Network

if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def once(analysis: Callable[[Network], T]) -> Callable[[Network], T]:
    """An analysis whose answer the network keeps, until its types change: see `Network.known`."""
    name = f"{analysis.__module__}.{analysis.__qualname__}"

    @wraps(analysis)
    def answer(network: Network) -> T:
        if name not in network.known:
            network.known[name] = analysis(network)
        kept: T = network.known[name]
        return kept

    return answer
