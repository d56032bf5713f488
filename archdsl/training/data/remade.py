"""A network made again with another input or another number of classes: help that was tried before it is given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.syntax.source import Source
from archdsl.tensor import Shape, show_shape
from archdsl.training.data.wanted import wanted


def help_for_classes(network: Network, count: int) -> tuple[str, ...]:
    """What makes the network give `count` scores for a sample; nothing where no way was found."""
    scorer = wanted(network).scorer
    if scorer is not None and scorer.given[:1].isdigit():
        span = scorer.span
        text, changes = re.subn(r"^(\s*\(\s*)[^,()\s]+", rf"\g<1>{count}", span.source.text[span.end :], count=1)
        if changes and span.source is _source(network):
            edited = Source(span.source.text[: span.end] + text, span.source.name, span.source.path)
            made = _build(network, edited, {}, {})
            if made is not None and wanted(made).scores == count:
                return (f"{scorer.layer.spec}({count}) there fits",)
    made = _build(network, _source(network), {"classes": str(count)}, {})
    if made is not None and wanted(made).scores == count:
        return (f"classes={count} fits: -D classes={count}, or classes = {count} in the spec",)
    return ()


def help_for_input(network: Network, name: str, shape: Shape) -> tuple[str, ...]:
    """The option that gives the network an input of this shape, if it is valid with it."""
    if not all(size > 0 for size in shape):
        return ()
    rank = next(i.value.type.rank for i in network.inputs if i.name == name)
    if len(shape) == 2 and rank == 3:  # grey images where a map is taken: one channel, and not rows as channels
        shape = (1, *shape)
    given = show_shape(shape)
    made = _build(network, _source(network), {}, {name: given})
    if made is None:
        return ()
    return (f"the network takes them with --input {given if len(network.inputs) == 1 else f'{name}={given}'}",)


def _source(network: Network) -> Source:
    for step in network.module.region.steps:
        return step.span.source
    return Source(network.text)


def _build(network: Network, source: Source, constants: Mapping[str, str], inputs: Mapping[str, str]) -> Network | None:
    """The network as it was completed, but for these; None where it is not valid so."""
    words = shlex.split(network.arguments)
    options = list(zip(words[::2], words[1::2]))
    before = dict(text.split("=", 1) for option, text in options if option == "-D")
    shapes = {text.rpartition("=")[0]: text.rpartition("=")[2] for option, text in options if option == "--input"}
    fit = next((text for option, text in options if option == "--fit"), None)
    if inputs and len(network.inputs) == 1:
        shapes = {}
    made, _ = build(source, constants={**before, **constants}, inputs={**shapes, **inputs}, fit=fit, repairs=False)
    return made
