"""Tensors that nothing uses: work for nothing, and the weights before them would get no gradient."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.analyses.frames import Frames, Loop, Op, Step, frames, live, reads
from archdsl.analyses.uses import Walk
from archdsl.diagnostics import MOST, Diagnostic, Findings
from archdsl.graph import Network, Value
from archdsl.tensor import show_shape


def warn_unused(network: Network, findings: Findings) -> None:
    """Add a W401 for each tensor that no output needs and no other step reads, with the weights that hang on it."""
    found = frames(network)
    unused = list(_unused(found, network))
    if not unused:
        return
    owners = _owners(network, [op for dead in unused for op in _ops(dead)])
    told = 0
    for dead in unused:
        read = {value for step in dead for value in reads(step)}
        for step in dead:
            if step.output not in read:
                told += 1
                findings.add(_warning(step, _weights(step, dead, owners) if told <= MOST else []))


def _warning(step: Step, weights: list[str]) -> Diagnostic:
    names = ", ".join(weights[:6]) + (f" and {len(weights) - 6} more" if len(weights) > 6 else "")
    return Diagnostic(
        "W401",
        f"nothing uses this tensor of {show_shape(step.output.type.shape)}",
        step.apply.span if isinstance(step, Op) else (step.body.steps or [step])[-1].output.span,
        notes=(f"the state_dict holds weights that would get no gradient: {names}",) if names else (),
        help=("name it in `output`, join it, or take it out",),
    )


def _unused(found: Frames, network: Network) -> Iterator[list[Step]]:
    """The steps of each frame that is needed which its own results do not need."""
    waiting = [(found.outermost, [found.resolve(output.value) for output in network.outputs])]
    while waiting:
        frame, results = waiting.pop()
        kept = live(frame, results)[0]
        if len(kept) < len(frame.steps):
            ids = set(map(id, kept))
            yield [step for step in frame.steps if id(step) not in ids]
        for step in kept:
            if isinstance(step, Loop) and step.body.result is not None:
                waiting.append((step.body, [step.body.result]))


def _ops(steps: list[Step]) -> Iterator[Op]:
    """The layers among steps, those in repetitions included."""
    for step in steps:
        if isinstance(step, Op):
            yield step
        else:
            yield from _ops(step.body.steps)


def _owners(network: Network, dead: list[Op]) -> dict[int, str]:
    """By id of a layer that nothing needs, the path of its weights, if no other layer has the same."""
    ids = {id(op.apply) for op in dead}
    owners: dict[int, str] = {}
    used: set[str] = set()
    for use in Walk(network, unroll=False):
        if id(use.apply) not in ids:
            used.add(use.owner)
        elif not use.shared:
            owners[id(use.apply)] = use.owner
    return {key: path for key, path in owners.items() if path not in used}


def _weights(last: Step, dead: list[Step], owners: dict[int, str]) -> list[str]:
    """The paths of the layers with weights before a tensor, among the steps that nothing needs."""
    wanted: set[Value] = {last.output}
    result: list[str] = []
    for step in reversed(dead):
        if step.output in wanted:
            wanted.update(reads(step))
            held = [op for op in _ops([step]) if op.apply.layer.weights(*op.apply.types)]
            result[:0] = [owners[id(op.apply)] for op in held if id(op.apply) in owners]
    return result
