"""What the default rules filled in, in words."""

from __future__ import annotations

from dataclasses import fields

from archdsl.graph import Apply
from archdsl.layers.arguments import show


def implied(apply: Apply) -> tuple[str, ...]:
    """The arguments that a rule gave, as a spec would write them: `padding=half`."""
    words = {field.name: field.metadata["kind"].words for field in fields(apply.layer)} if apply.implied else {}
    return tuple(
        f"{name}={value if isinstance(value, str) and value in words.get(name, ()) else show(value)}"
        for name, value in apply.implied
    )
