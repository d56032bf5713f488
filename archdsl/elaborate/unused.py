"""Tensors that nothing uses: the weights before them would get no gradient."""

from __future__ import annotations

from archdsl.analyses.frames import Frame, Loop, Op, frames, live, reads
from archdsl.diagnostics import Diagnostic, Findings
from archdsl.graph import Network, Value
from archdsl.naming import leaves
from archdsl.tensor import show_shape


def warn_unused(network: Network, findings: Findings) -> None:
    """Add a W401 for each tensor that no output needs and no other step reads, with the weights that hang on it."""
    found = frames(network)
    results = [found.resolve(output.value) for output in network.outputs]
    kept = live(found.outermost, results)[0]
    if len(kept) == len(found.outermost.steps):
        return
    needed = set(map(id, kept))
    paths = {id(step): path for path, step, _ in leaves(network, unroll=False)}
    dead = [step for step in found.outermost.steps if id(step) not in needed]
    read = {value for step in dead for value in reads(step)}
    for step in dead:
        if step.output in read:
            continue
        weights = _weights(step, dead, paths)
        if isinstance(step, Op) and not weights:
            continue  # a tensor that costs nothing and teaches nothing, such as an unused constant
        span = step.apply.span if isinstance(step, Op) else (step.body.steps or [step])[-1].output.span
        names = ", ".join(weights[:6]) + (f" and {len(weights) - 6} more" if len(weights) > 6 else "")
        findings.add(
            Diagnostic(
                "W401",
                f"nothing uses this tensor of {show_shape(step.output.type.shape)}",
                span,
                notes=(f"these weights would get no gradient: {names}",) if names else (),
                help=("name it in `output`, join it, or take it out",),
            )
        )


def _weights(last: Op | Loop, dead: list[Op | Loop], paths: dict[int, str]) -> list[str]:
    """The paths of the layers with weights before a tensor, among the steps that nothing needs."""
    wanted: set[Value] = {last.output}
    result: list[str] = []
    for step in reversed(dead):
        if step.output not in wanted:
            continue
        wanted.update(reads(step))
        result[:0] = _inside(step, paths)
    return result


def _inside(step: Op | Loop, paths: dict[int, str]) -> list[str]:
    if isinstance(step, Loop):
        frame: Frame = step.body
        return [path for inner in frame.steps for path in _inside(inner, paths)]
    if not step.apply.layer.weights(*(value.type for value in step.inputs)):
        return []
    return [paths.get(id(step.apply), step.apply.kind)]
