"""Names for values: what a loop binds, and the parameters of blocks and functions."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.annotations import Any, Protocol
from archdsl.elaborate.suggest import unknown
from archdsl.elaborate.values import Names, describe, fault
from archdsl.syntax import tree
from archdsl.syntax.source import Span


class Inside(Protocol):
    """What evaluates the defaults of parameters, and where the parameters' values go."""

    names: Names

    def value(self, node: tree.Value) -> Any:
        """What an expression is worth."""


def bind(target: tree.Target, value: Any, names: Names) -> None:
    """Give the target's names their values; raises E144 where the value has not so many parts."""
    if isinstance(target.names, str):
        names.own[target.names] = value
        return
    parts = value if isinstance(value, (tuple, list)) and not hasattr(value, "_fields") else None
    if parts is None or len(parts) != len(target.names):
        many = len(target.names)
        written = " ".join(target.span.text.split())
        message = f"{describe(value)} does not come apart into {many} value{'s' * (many > 1)}"
        raise fault("E144", message, target.span, help=f"one for each of {written}")
    for inner, part in zip(target.names, parts):
        bind(inner, part, names)


def whole_target(targets: Sequence[tree.Target]) -> tree.Target:
    """What the words of a loop bind, as one."""
    if len(targets) == 1:
        return targets[0]
    return tree.Target(targets[0].span._replace(end=targets[-1].span.end), tuple(targets))


def key_span(key: str, value: Span) -> Span:
    """The place of an argument's name, which stands before its value."""
    start = value.source.text.rfind(key, 0, value.start)
    return Span(value.source, start, start + len(key)) if start >= 0 else value


def bind_parameters(
    title: str,
    parameters: Sequence[tree.Parameter],
    given: Sequence[tuple[str, Any, Span]],
    inner: Inside,
    span: Span,
) -> None:
    """Put arguments and defaults into `inner.names`; raises E146 for too many, unknown or missing ones."""
    known = [p.name for p in parameters]
    values: dict[str, Any] = {}
    for position, (name, value, place) in enumerate(given):
        if not name and position >= len(known):
            takes = f"{title} takes {len(known)} argument{'s' * (len(known) != 1)}"
            raise fault("E146", f"{takes}, not {len(given)}", place, help=_signature(title, parameters))
        key = name or known[position]
        if key not in known:
            missed = unknown("E146", f"{title} has no parameter `{key}`", key, key_span(key, place), known)
            if not missed.diagnostic.help:
                signature = _signature(title, parameters)
                raise fault("E146", missed.diagnostic.message, key_span(key, place), help=signature)
            raise missed
        if key in values:
            raise fault("E146", f"{title} is given `{key}` twice", place)
        values[key] = value
    for parameter in parameters:
        if parameter.name in values:
            inner.names.own[parameter.name] = values[parameter.name]
        elif parameter.default is not None:
            inner.names.own[parameter.name] = inner.value(parameter.default)
        else:
            message = f"{title} needs a value for `{parameter.name}`"
            raise fault("E146", message, span, help=_signature(title, parameters))


def _signature(title: str, parameters: Sequence[tree.Parameter]) -> str:
    """How a block or function is called: `Unit(filters, kernel, stride = 1)`."""
    return f"it is {title}({', '.join(' '.join(parameter.span.text.split()) for parameter in parameters)})"
