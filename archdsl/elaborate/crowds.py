"""Networks of which no analysis of paths comes to an end in time: many layers behind very many tensors."""

from __future__ import annotations

from archdsl.analyses.frames import frames
from archdsl.diagnostics import Diagnostic
from archdsl.elaborate.values import Limit
from archdsl.graph import Network
from archdsl.syntax.source import Span

MOST_PATHS = 250_000  # from an input, or what a repetition reads from around, to a layer


def limit_paths(network: Network, span: Span) -> None:
    """Raise E157 where too many inputs lie before too many layers: each layer's field may hang on each of them."""
    found = frames(network)
    for frame in found.all:
        whole = frame is found.outermost
        sources = len(network.inputs) if whole else len(frame.free) + 1
        if sources * len(frame.steps) > MOST_PATHS:
            kind = "inputs of the network" if whole else "tensors that a repetition reads"
            text = f"{sources} {kind} before {len(frame.steps)} layers, which is past the limit of {MOST_PATHS:_} paths"
            raise Limit(Diagnostic("E157", text, span))
