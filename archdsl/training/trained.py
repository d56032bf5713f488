"""A trained run as everything after training takes it: its weights, and whether a spec is the one that was trained.

A run is named by its folder, which stands for the weights that did best, or by one of the weights in it:
`run/last.safetensors`. Reading it needs no torch, but for the module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.analyses.parameters import state_shapes
from archdsl.backends.pytorch import emit
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network
from archdsl.records import replace
from archdsl.training.run import ABOUT, Run, open_run

if TYPE_CHECKING:
    from torch import nn

SUFFIX = ".safetensors"
MOST_LINES = 5
"""Lines of a spec that differ from the run's and are named."""


def names_run(path: str) -> bool:
    """Whether a path names a run, by its folder or by weights in it, and no weights that lie alone."""
    if os.path.isdir(path):
        return True
    return path.endswith(SUFFIX) and os.path.isfile(os.path.join(os.path.dirname(path), ABOUT))


class Trained(NamedTuple):
    """A run, and the path of those of its weights that are meant."""

    run: Run
    weights: str

    def complete(
        self, constants: Mapping[str, Any], inputs: Mapping[str, str], fit: str | None
    ) -> tuple[dict[str, Any], dict[str, str], str | None]:
        """What completes the spec: -D, --input and --fit as they are given, over the run's own."""
        spec = self.run.spec
        return {**spec.constants, **constants}, {**spec.inputs, **inputs}, fit or spec.fit

    def check_same(self, network: Network, file: str) -> None:
        """Raise ArchError E761, which names what differs, where the network is not the one that was trained.

        Comments, ways of writing and the file's name are no difference: it goes by the module that a spec compiles to.
        """
        ours = self.run.network
        if emit(replace(network, name=ours.name)) == emit(ours):
            return
        notes = []
        if network.arguments != ours.arguments:
            notes.append(f"{network.arguments or 'no -D or --input'} here, {ours.arguments or 'none'} in the run")
        here, there = dict(network.used), dict(ours.used)
        for name in sorted({*here, *there}):
            if here.get(name) != there.get(name):
                notes.append(f"{name}, which it uses, is another one")
        pairs = enumerate(zip_longest(network.text.split("\n"), ours.text.split("\n"), fillvalue=""), 1)
        lines = [f"line {n} is `{a.strip()}` here, `{b.strip()}` in the run" for n, (a, b) in pairs if a != b]
        notes += lines[:MOST_LINES]
        message = f"this is not the network that was trained in {self.run.folder}"
        help = (f"{os.path.join(self.run.folder, self.run.spec.file)} is the spec of the run",)
        raise ArchError([Diagnostic("E761", message, notes=tuple(notes), help=help, file=file)])

    def module(self) -> nn.Module:
        """The trained module on the CPU, ready to predict; raises ArchError E601, E602 for weights that are not its."""
        from safetensors.torch import load_file

        from archdsl.backends.onnx.loading import loaded
        from archdsl.live import instance

        network = self.run.network
        loaded(self.weights, state_shapes(network))  # says what differs better than torch would
        module: nn.Module = instance(emit(network), network.name)
        module.load_state_dict(load_file(self.weights), strict=True)
        return module.eval()

    def onnx(self) -> dict[str, Any]:
        """The options by which the ONNX backend writes what was trained."""
        data = self.run.data
        return {
            "weights": self.weights,
            "classes": tuple(data.get("classes") or ()),
            "normalisation": data.get("normalisation"),
        }


def open_trained(path: str) -> Trained:
    """The run that a path names; raises ArchError E733 or E734 where there is none, or it is damaged."""
    if path.endswith(SUFFIX) and not os.path.isdir(path):
        folder, name = os.path.split(path)
        run = open_run(folder or ".")
        return Trained(run, run.weights(name.removesuffix(SUFFIX)))
    run = open_run(path)
    return Trained(run, run.weights())
