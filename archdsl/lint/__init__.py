"""What is right and yet hardly meant: warnings on a checked network, each told once for its place in the text.

layers.py        W405 to W408, W413: layers in an order that makes no sense
names.py         W409, W411, W412: what is named and never used
inputs.py        W410, W414: inputs
shortcuts.py     W416
tensor_cores.py  W415, only where `--target` asks for it
silence.py       `# archdsl: ignore W405`
"""

from __future__ import annotations

from archdsl.analyses.frames import frames
from archdsl.diagnostics import Findings
from archdsl.graph import Network
from archdsl.lint.inputs import warn_of_inputs
from archdsl.lint.layers import warn_of_layers
from archdsl.lint.names import warn_of_names
from archdsl.lint.shortcuts import warn_of_shortcuts
from archdsl.syntax import tree


def lint(network: Network, file: tree.File, findings: Findings) -> None:
    """Add all warnings on a network and the file that it comes from."""
    found = frames(network)
    warn_of_layers(network, found, findings)
    warn_of_inputs(network, file, found, findings)
    warn_of_shortcuts(found, findings)
    warn_of_names(file, findings)
