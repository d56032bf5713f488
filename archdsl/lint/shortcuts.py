"""Shortcuts that cannot pass on what arrives: on the way they are smaller than at both of their ends."""

from __future__ import annotations

from archdsl.analyses.frames import Frames, Op, Step, reads
from archdsl.diagnostics import Diagnostic, Findings, Related
from archdsl.graph import Value
from archdsl.tensor import TensorType, show_shape

FURTHEST = 100
"""How many steps back an arm is followed."""
MOST_ARMS = 8
"""Of an ADD with more no arm is a shortcut."""
Makers = dict[Value, Step]


def warn_of_shortcuts(found: Frames, findings: Findings) -> None:
    """Add W416 for each ADD with an arm that has less weights than another, and a tensor in it that is too small.

    The shortcut is the arm with the fewest layers that multiply by weights, a chain from where the arms part. An
    identity never shrinks, and the long arm of a bottleneck may.
    """
    for frame in found.all:
        joins = [step for step in frame.steps if isinstance(step, Op) and step.apply.layer.spec == "ADD"]
        makers = {step.output: step for step in frame.steps} if joins else {}
        for join in joins:
            if 1 < len(join.inputs) <= MOST_ARMS:
                _look(join, makers, findings)


def _look(join: Op, makers: Makers, findings: Findings) -> None:
    chains = [_chain(value, makers) for value in join.inputs]
    if max(map(len, chains)) < 2:
        return
    sources = [_sources(value, None, makers) for value in join.inputs]
    for number, chain in enumerate(chains):
        if len(chain) < 2:
            continue  # nothing lies between its ends
        others = [value for n, value in enumerate(join.inputs) if n != number]
        shared = [found for n, found in enumerate(sources) if n != number]
        fork = next((n for n, op in enumerate(chain) if any(op.inputs[0] in found for found in shared)), None)
        if fork is None:
            continue
        arm = chain[: fork + 1]  # from the join back to where the arms part
        start, end = arm[-1].inputs[0], arm[0].output
        types = start.type, end.type
        narrow = next((op for op in arm[1:] if _narrower(op.output.type, *types)), None)
        if narrow is None:
            continue
        least = min(sum(_weighs(makers[v]) for v in _sources(o, start, makers) if v in makers) for o in others)
        if least and sum(map(_weighs, arm)) < least:
            before, between, after = (show_shape(type.shape) for type in (types[0], narrow.output.type, types[1]))
            findings.add(
                Diagnostic(
                    "W416",
                    f"the shortcut of this ADD shrinks: {before} goes through {between} to {after}",
                    join.apply.span,
                    notes=(
                        "what does not fit through there comes past by no other way, and neither does its gradient",
                    ),
                    help=("leave the arm empty, or take one CONV(…, 1) where the shape changes",),
                    related=(Related(narrow.apply.span, f"{between} comes out here"),),
                )
            )


def _narrower(type: TensorType, start: TensorType, end: TensorType) -> bool:
    """Whether it is smaller along an axis than at both ends; where they have other axes, than both as wholes."""
    if not type.rank == start.rank == end.rank:
        return type.size < min(start.size, end.size)
    return any(n < min(a, b) for n, a, b in zip(type.shape, start.shape, end.shape))


def _chain(value: Value, makers: Makers) -> list[Op]:
    """The layers behind a value, each with one input, the last one first."""
    result: list[Op] = []
    step = makers.get(value)
    while isinstance(step, Op) and len(step.inputs) == 1 and len(result) < FURTHEST:
        result.append(step)
        step = makers.get(step.inputs[0])
    return result


def _sources(value: Value, start: Value | None, makers: Makers) -> set[Value]:
    """The value and those that it is made of, no further back than `start`."""
    seen, waiting = {value}, [value]
    while waiting and len(seen) < FURTHEST:
        step = makers.get(waiting.pop())
        for source in reads(step) if step is not None else ():
            if source not in seen and source is not start:
                seen.add(source)
                waiting.append(source)
    return seen


def _weighs(step: Step) -> bool:
    """Whether it multiplies by weights; a repetition is taken to."""
    if not isinstance(step, Op):
        return True
    layer, types = step.apply.layer, step.apply.types
    return bool(layer.weights(*types)) and layer.macs(*types) > 0
