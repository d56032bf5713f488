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
    leave_open: bool = False,
) -> tuple[Network | None, Findings]:
    """The network of a spec, None where it is wrong, and all that was found.

    `inputs` are shapes as text by name, "" where there is none. `leave_open` takes counts that nothing defines.
    """
    findings = Findings()
    network = elaborate(
        source,
        constants=constants,
        inputs=inputs,
        findings=findings,
        root=os.path.dirname(source.path) if source.path else None,
        fit=fit,
        leave_open=leave_open,
    )
    return (None if findings.errors else network), findings
