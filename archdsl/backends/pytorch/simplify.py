"""Code as a person would write it: the little that the layers, each by itself, cannot know."""

from __future__ import annotations

from archdsl.annotations import Any
from archdsl.backends.pytorch.code import change
from archdsl.layers.code import Batch, Call, Item, Method, call

_LIMITS = {"torch.maximum": "min", "torch.minimum": "max"}


def simpler(code: Any) -> Any:
    """The code as a person would write it: a limit that is a number, no axis that comes and goes at once."""

    def rule(part: Any) -> Any:
        inner: Any = part.value if isinstance(part, Item) else None
        if inner is not None and part.index == 0 and _stands_alone(inner):
            return simpler(inner.value)
        if isinstance(part, Batch) and _stands_alone(part.value):
            return 1
        if isinstance(part, Call) and part.name in _LIMITS:
            numbers = [arg for arg in part.args if isinstance(arg, (int, float))]
            others = [simpler(arg) for arg in part.args if not isinstance(arg, (int, float))]
            if len(numbers) == 1:  # torch's two are of tensors alone
                return call("torch.clamp", *others, **{_LIMITS[str(part.name)]: numbers[0]})
        return part

    return change(code, rule)


def _stands_alone(code: Any) -> bool:
    """Whether it is a tensor that got the axis of a batch, of size 1, just here."""
    return isinstance(code, Method) and code.name == "unsqueeze" and code.args == (0,)
