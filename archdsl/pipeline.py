"""From a source to its network: the one way that the command line and the Python face both go."""

from __future__ import annotations

import os
from collections.abc import Mapping

from archdsl.diagnostics import Findings
from archdsl.elaborate import elaborate
from archdsl.graph import Network
from archdsl.syntax.source import Source


def build(
    source: Source,
    *,
    constants: Mapping[str, object],
    inputs: Mapping[str, str],
    fit: str | None,
    library: bool = False,
) -> tuple[Network | None, Findings]:
    """The network of a spec, None where it is wrong, and all that was found.

    `inputs` are shapes as text by name, "" where there is none. With `library` a file that holds blocks and functions
    alone is checked for what can be known of it, and gives None though nothing is wrong.
    """
    findings = Findings()
    network = elaborate(
        source,
        constants=constants,
        inputs=inputs,
        findings=findings,
        root=os.path.dirname(source.path) if source.path else None,
        fit=fit,
        library=library,
    )
    return (None if findings.errors else network), findings
