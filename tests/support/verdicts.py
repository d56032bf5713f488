"""A random spec's verdict and every shape held against torch, eager and on meta: no numbers, and so fast."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch

from archdsl.diagnostics import render
from archdsl.elaborate.arguments import kinds
from archdsl.graph import Apply
from archdsl.graph import Share as SharedStep
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.naming import leaves
from tests.support.compare import built
from tests.support.generate import inputs, parts
from tests.support.reference import Network, Rejected
from tests.support.structure import Spec


class Tally:
    """How often each layer and each argument of it was accepted and refused."""

    def __init__(self) -> None:
        self.layers: Counter[tuple[str, str]] = Counter()  # "accepted" or "refused" beside the layer
        self.arguments: Counter[tuple[str, str]] = Counter()
        self.lax: Counter[str] = Counter()  # refused by torch itself, and taken by it on meta

    def add(self, spec: Spec, ran: list[str], refused: str) -> None:
        """Count a spec: the layers that ran, and the one that was refused, if any."""
        self.layers.update((kind, "accepted") for kind in ran)
        if refused:
            self.layers[refused, "refused"] += 1
        for chain in (spec.body, *(block.body for block in spec.blocks.values())):
            for part in parts(chain):
                for argument in getattr(part, "arguments", {}) if hasattr(part, "kind") else ():
                    self.arguments[part.kind, "pattern" if part.kind == "REARRANGE" else argument] += 1

    def table(self) -> list[str]:
        """A line for each layer: how often it ran, how often it was refused, and its arguments with how often given."""
        lines = []
        for name in LAYERS:
            given = ", ".join(f"{key} {self.arguments[name, key]}" for key in kinds(layer_class(name)))
            ran, refused = self.layers[name, "accepted"], self.layers[name, "refused"]
            lines.append(f"{name:<15} {ran:>8} ran {refused:>7} refused  {given}".rstrip())
        lines += [
            f"{name}: torch takes on meta what it refuses itself, {count} times" for name, count in (+self.lax).items()
        ]
        return lines


def hold_verdict(spec: Spec, seed: int, tally: Tally, *, meta: bool) -> str:
    """Hold verdict and shapes against torch, and with `meta` on that device too; "accepted" or "rejected" by both.

    On meta torch skips some of its own checks: what it takes there alone is counted in `lax`, by the layer. Raises
    AssertionError with the text.
    """
    graph, findings, source = built(spec, None, seed)
    shown = f"fit={spec.fit} {spec.choices}\n{source}"
    said = "\n".join(render(d) for d in findings.errors) or "yes"
    reference, refused = run(spec, "cpu")
    both = f"torch says {refused or 'yes'!r}, archdsl {said!r}"
    assert (graph is None) == bool(refused), f"{both}:\n{shown}"
    tally.add(spec, [kind for kind, _ in reference.shapes], reference.trying if refused else "")
    references = [reference]
    if meta:
        other, other_refused = run(spec, "meta")
        assert refused or not other_refused, f"torch refuses on meta alone: {other_refused}:\n{shown}"
        tally.lax[reference.trying] += bool(refused) and not other_refused
        references.append(other)
    if graph is None:
        return "rejected"
    own = [_shape(step) for _, step, _ in leaves(graph) if _kind(step) != "CONST"]
    for found in references:
        wanted = [(plain(kind), shape) for kind, shape in found.shapes if kind != "CONST"]
        assert own == wanted, f"shapes {own}, torch's on {found.device} {wanted}:\n{shown}"
    return "accepted"


def run(spec: Spec, device: str) -> tuple[Network, str]:
    """The reference after a run on the device, and why it refused."""
    reference = Network(spec, device)
    with torch.no_grad():
        try:
            reference.run({name: value.to(device) for name, value in inputs(spec, 1).items()})
        except Rejected as error:
            return reference, str(error) or "refused"
    return reference, ""


def plain(kind: str) -> str:
    """The layer's own name where it has two."""
    return {"MAXPOOL": "POOL"}.get(kind, kind)


def _applied(step: Any) -> Apply:
    applied: Apply = step.again if isinstance(step, SharedStep) else step
    return applied


def _kind(step: Any) -> str:
    return _applied(step).layer.spec


def _shape(step: Any) -> tuple[str, tuple[int, ...]]:
    return _kind(step), _applied(step).output.type.shape
