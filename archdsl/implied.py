"""What the default rules filled in, in words."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.graph import Apply
from archdsl.layers.arguments import show
from archdsl.records import fields


def implied(apply: Apply) -> tuple[str, ...]:
    """The arguments that a rule gave by what stands around, as a spec would write them: `filters=64`."""
    return _written(apply, apply.implied)


def defaults(apply: Apply) -> tuple[str, ...]:
    """The arguments at their defaults that decide the shape, as a spec would write them: `kernel=3`, `padding=half`."""
    return _written(apply, apply.defaults)


def _written(apply: Apply, values: Sequence[tuple[str, object]]) -> tuple[str, ...]:
    words = {field.name: field.metadata["kind"].words for field in fields(apply.layer)} if values else {}
    return tuple(
        f"{name}={value if isinstance(value, str) and value in words.get(name, ()) else show(value)}"
        for name, value in values
    )
