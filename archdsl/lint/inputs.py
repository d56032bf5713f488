"""Inputs that nothing reads, and those that look like channels last."""

from __future__ import annotations

from archdsl.analyses.frames import Frames, Op, reads
from archdsl.diagnostics import Diagnostic, Edit, Findings, Fix
from archdsl.elaborate.nearby import written_shape
from archdsl.graph import Input, Network, Value
from archdsl.lint.names import References
from archdsl.syntax import tree
from archdsl.tensor import show_shape

PICTURE = 8
"""The least height and width of what is taken for a picture."""


def warn_of_inputs(network: Network, file: tree.File, found: Frames, findings: Findings) -> None:
    """Add W410 for inputs that nothing reads, W414 for pictures with their channels last."""
    unread = {given.value for given in network.inputs} - {found.resolve(output.value) for output in network.outputs}
    steps = (step for frame in found.all for step in frame.steps)
    while unread and (step := next(steps, None)) is not None:
        unread.difference_update(reads(step))
    maps = _maps(found) if any(map(_channels_last, network.inputs)) else ()
    read = References(file) if unread else ()
    for given in network.inputs:
        if given.span is None:
            continue
        if given.value in unread and given.name not in read:
            message = f"nothing reads the input{'' if given.name == 'input' else ' ' + given.name}"
            help = (f"@{given.name} is its tensor; take the input out where it is not needed",)
            findings.add(Diagnostic("W410", message, given.span, help=help))
        if given.value in maps and _channels_last(given):
            shape = given.value.type.shape
            turned = show_shape((shape[2], *shape[:2]))
            help = (f"maps are channels first: write {turned}",)
            at = written_shape(given.span, shape)
            fixes = (Fix(help[0], (Edit(at, turned),)),) if at is not None else ()
            message = f"an input of {show_shape(shape)} has {shape[0]} channels of {show_shape(shape[1:])}"
            findings.add(Diagnostic("W414", message, at or given.span, help=help, fixes=fixes))


def _channels_last(given: Input) -> bool:
    """Whether an input would be a picture with its channels behind its height and width."""
    shape = given.value.type.shape
    return len(shape) == 3 and shape[2] in (1, 3, 4) and min(shape[:2]) >= PICTURE


def _maps(found: Frames) -> set[Value]:
    """The values that a layer takes for maps."""
    ops = (step for frame in found.all for step in frame.steps if isinstance(step, Op))
    return {value for op in ops if op.apply.layer.taken() == "map" for value in op.inputs}
