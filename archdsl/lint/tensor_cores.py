"""Widths that tensor cores pad: they multiply in tiles, and what does not fill one is computed for nothing."""

from __future__ import annotations

from archdsl.analyses.frames import Op, frames
from archdsl.diagnostics import Diagnostic, Findings
from archdsl.graph import Network, Value

MULTIPLES = {"fp16": 8, "bf16": 8, "tf32": 4, "int8": 16, "fp8": 16}
"""Channels and features come in multiples of 16 bytes: NVIDIA, "Matrix Multiplication Background User's Guide",
https://docs.nvidia.com/deeplearning/performance/dl-performance-matrix-multiplication."""


def warn_of_widths(network: Network, target: str, findings: Findings) -> None:
    """Add W415 for convolutions and matrix products whose width is no multiple of what the target's tiles take.

    The scores, and what is a result in another way, are as wide as they have to be, and depthwise convolutions run
    elsewhere; neither is told of.
    """
    multiple = MULTIPLES[target]
    found = frames(network)
    results: set[Value] = {found.resolve(output.value) for output in network.outputs}
    steps = [step for frame in found.all for step in frame.steps if isinstance(step, Op)]
    for op in reversed(steps):  # what only changes the values of a result passes it on
        if op.output in results and not op.apply.layer.weights(*op.apply.types):
            results |= {value for value in op.inputs if value.type.shape == op.output.type.shape}
    for op in steps:
        layer, types = op.apply.layer, op.apply.types
        width = getattr(layer, "filters", None) or getattr(layer, "width", None)
        depthwise = types and getattr(layer, "groups", 1) == types[0].shape[0] > 1
        if not isinstance(width, int) or width % multiple == 0 or op.output in results or depthwise:
            continue
        if not layer.weights(*types) or not layer.macs(*types):
            continue
        near = [n for n in (width - width % multiple, width - width % multiple + multiple) if n]
        message = f"{target} tensor cores take multiples of {multiple}, and {layer.spec} is {width} wide"
        findings.add(
            Diagnostic("W415", message, op.apply.span, help=(f"a width of {' or '.join(map(str, near))} fills them",))
        )
