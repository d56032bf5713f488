"""From a source to its network: the one way that the command line and the Python face both go."""

from __future__ import annotations

import os
from collections.abc import Mapping

from archdsl.diagnostics import Findings
from archdsl.elaborate import elaborate
from archdsl.graph import Network
from archdsl.layers.arguments import show
from archdsl.syntax.source import Source


def build(
    source: Source,
    *,
    constants: Mapping[str, object],
    inputs: Mapping[str, str],
    fit: str | None,
    library: bool = False,
    leave_open: bool = False,
    repairs: bool = True,
) -> tuple[Network | None, Findings]:
    """The network of a spec, None where it is wrong, and all that was found.

    `inputs` are shapes as text by name, "" where there is none. With `library` a file that holds blocks and functions
    alone is checked for what can be known of it, and gives None though nothing is wrong. `leave_open` takes counts
    that nothing defines. Without `repairs` no fix is looked for.
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
        leave_open=leave_open,
        repairs=repairs,
    )
    if findings.errors or network is None:
        return None, findings
    network.arguments = _arguments(constants, inputs, fit)
    return network, findings


def _arguments(constants: Mapping[str, object], inputs: Mapping[str, str], fit: str | None) -> str:
    """What completed the spec, as the command line takes it: equal for equal values."""
    if not constants and not inputs:
        return f"--fit {fit}" if fit else ""
    from shlex import quote  # most specs are complete

    words = [f"-D {quote(f'{name}={_text(value)}')}" for name, value in sorted(constants.items())]
    words += [f"--input {quote(f'{name}={shape}' if name else shape)}" for name, shape in sorted(inputs.items())]
    return " ".join([*words, *([f"--fit {fit}"] if fit else [])])


def _text(value: object) -> str:
    return value if isinstance(value, str) else show(value)
