"""What a class need not do: steps of its forward that no result needs, and the modules that only they would call."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.annotations import Any, Union
from archdsl.backends.pytorch.body import Body, Child
from archdsl.backends.pytorch.code import Kid, walk
from archdsl.backends.pytorch.flow import Flow
from archdsl.backends.pytorch.forward import reads
from archdsl.graph import Apply, Call, Region, Repeat, Share, Step
from archdsl.layers.code import Call as Construct
from archdsl.layers.code import call


def trim(body: Body, steps: Mapping[str, Union[Apply, Call]], flow: Flow, indexed: bool) -> Body:
    """The body without lines that nothing given needs, and without children that none of the others calls.

    `steps` are the children's by name. One whose weights are in the state_dict stays, and so does one that is shared
    elsewhere. Where a number is an index, an nn.Identity keeps the place.
    """
    needed, lines = set(body.gives), []
    for line in reversed(body.lines):
        if needed & set(line.makes):
            needed.update(reads(line.code))
            lines.append(line)
    if len(lines) == len(body.lines):
        return body
    kids = {part.path[0] for line in lines for part in walk(line.code) if isinstance(part, Kid)}
    children: list[Child] = []
    for child in body.children:
        step = steps.get(child.name)
        if step is None or child.name in kids or flow.is_shared(step) or _in_state(step):
            children.append(child)
        elif child.name.isdigit() and indexed:
            children.append(Child(child.name, "module", call("nn.Identity")))
    return body._replace(lines=tuple(reversed(lines)), children=tuple(children))


def _in_state(step: Step) -> bool:
    """Whether the state_dict holds anything of the step."""
    if isinstance(step, Apply):
        buffers = step.layer.buffers(*step.types).values()
        return bool(step.layer.weights(*step.types)) or any(buffer.persistent for buffer in buffers)
    if isinstance(step, Repeat):
        return any(_any_in_state(run.region) for run in step.runs)
    return not isinstance(step, Share) and _any_in_state(step.module.region)


def _any_in_state(region: Region) -> bool:
    return any(map(_in_state, region.steps))


def called(code: Any) -> set[str]:
    """The names of all that a code calls: classes and functions."""
    return {part.name for part in walk(code) if isinstance(part, Construct) and isinstance(part.name, str)}
