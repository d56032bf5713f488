"""Where the flattening before a fully connected layer stands: in front of the Sequential that begins with it."""

from __future__ import annotations

from archdsl.annotations import Any
from archdsl.graph import Apply, Call, Repeat, Step
from archdsl.layers import code as layers_code

# Layers on each number by itself: to flatten before one or behind it is the same.
_COMMUTING = frozenset(
    "DROPOUT RELU RELU6 LRELU ELU SELU GELU SILU MISH SIGMOID TANH HSWISH HSIGMOID SOFTPLUS ID".split()
)


def commutes(step: Step) -> bool:
    """Whether a flattening behind the step may stand before it."""
    return isinstance(step, Apply) and step.layer.spec in _COMMUTING


PLAIN = layers_code.Call(layers_code.Itself(), (layers_code.X(),))
FLATTENED = layers_code.Call(layers_code.Itself(), (layers_code.call("torch.flatten", layers_code.X(), 1),))


def flattens(forward: Any) -> bool:
    """Whether all that a layer does beyond its module is to flatten what arrives first."""
    return bool(forward == FLATTENED)


def lead(call: Call) -> Apply | None:
    """The FC that flattens first in a Sequential, if one does: whoever calls the Sequential has to flatten."""
    region = call.module.region
    steps, current = list(region.steps), region.param
    while steps:
        step = steps.pop(0)
        if isinstance(step, Apply):
            if step.inputs != (current,):
                return None
            torch = step.layer.torch(*step.types)
            if torch.kind == "module" and flattens(torch.forward):
                return step
            if not commutes(step):
                return None
        elif isinstance(step, Call) and not step.module.title:
            steps[:0], current = step.module.region.steps, step.module.region.param
            continue
        elif isinstance(step, Repeat):
            steps[:0], current = step.runs[0].region.steps, step.runs[0].region.param
            continue
        else:
            return None
        current = step.output
    return None
