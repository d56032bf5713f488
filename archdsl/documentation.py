"""The layers' documentation, from their docstrings and fields alone.

`python -m archdsl.documentation > docs/layers.md` writes the page; `archdsl layers` prints the same on a terminal.
"""

from __future__ import annotations

import textwrap
from importlib import import_module
from inspect import cleandoc

from archdsl.annotations import Any
from archdsl.layers.arguments import Kind, show
from archdsl.layers.base import Layer
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.records import MISSING, NamedTuple, fields


class Group(NamedTuple):
    """The layers of one module, each with all of its names."""

    title: str
    layers: list[tuple[list[str], type[Layer]]]


class Argument(NamedTuple):
    """An argument of a layer: its default as a spec would write it, None where it must be given."""

    name: str
    default: str | None
    takes: str


def groups() -> list[Group]:
    """All layers in the order of the table, by the module that they stand in."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, (module, cls) in LAYERS.items():
        found.setdefault(module, {}).setdefault(cls, []).append(name)
    result = []
    for module, classes in found.items():
        title = (import_module(f"archdsl.layers.{module}").__doc__ or module).strip().split("\n")[0].rstrip(".")
        result.append(Group(title, [(names, layer_class(names[0])) for names in classes.values()]))
    return result


def summary(layer: type[Layer]) -> str:
    """The docstring's first sentence."""
    return cleandoc(layer.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def plain(text: str) -> str:
    """The text without the backquotes of Markdown."""
    return text.replace("`", "")


def arguments(layer: type[Layer]) -> list[Argument]:
    """A layer's arguments, those that may be given without a name first."""
    result = []
    for field in fields(layer):
        kind: Kind = field.metadata["kind"]
        default = None if field.default is MISSING else _default(field.default, kind)
        result.append(Argument(field.name, default, kind.expects))
    order = {name: position for position, name in enumerate(layer.positional)}
    return sorted(result, key=lambda a: order.get(a.name, len(order)))  # a stable sort: the rest stay as declared


def _default(value: Any, kind: Kind) -> str:
    if value is None:
        return "by rule"
    return value if isinstance(value, str) and value in kind.words else show(value)


def signature(name: str, layer: type[Layer]) -> str:
    """`CONV(filters, kernel, stride)`: the arguments that need no name."""
    return f"{name}({', '.join(layer.positional)})" if layer.positional else name


def takes(layer: type[Layer]) -> str:
    """Which tensors it takes, in words; "" for the one that arrives."""
    least, most = layer.arity
    if (least, most) == (1, 1):
        return ""
    number = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
    arms = f": {{ {' | '.join(layer.arms)} }}" if len(layer.arms) > 1 else ""
    return f"Takes {number} tensor{'' if least == most == 1 else 's'}{arms}."


def near(name: str) -> str:
    """The layer whose name is nearest, "" where none is near."""
    from archdsl.elaborate import suggest  # the whole elaborator, which nothing else here needs

    return suggest.near(name, LAYERS)


def page(name: str, layer: type[Layer]) -> list[str]:
    """What `archdsl layers NAME` prints."""
    lines = [signature(name, layer), "", *plain(cleandoc(layer.__doc__ or "")).split("\n")]
    if takes(layer):
        lines += ["", takes(layer)]
    rows = [(a.name if a.default is None else f"{a.name}={a.default}", a.takes) for a in arguments(layer)]
    if rows:
        wide = max(len(left) for left, _ in rows)
        lines += ["", "Arguments, with their defaults:"]
        for left, right in rows:
            indent = " " * (wide + 4)
            lines += textwrap.wrap(f"{left:<{wide}}  {right}", 100, initial_indent="  ", subsequent_indent=indent)
    return lines


def markdown() -> str:
    """All of docs/layers.md."""
    lines = [
        "# Layers",
        "",
        "Made from the layers' docstrings by `python -m archdsl.documentation > docs/layers.md`; `archdsl layers`",
        "prints it on a terminal. Shapes never count the batch. A default `by rule` is told in the layer's text.",
    ]
    for group in groups():
        lines += ["", f"## {group.title}"]
        for names, layer in group.layers:
            lines += ["", f"### {', '.join(names)}", "", cleandoc(layer.__doc__ or "")]
            if takes(layer):
                lines += ["", takes(layer)]
            rows = arguments(layer)
            if rows:
                lines += ["", "| argument | default | takes |", "| --- | --- | --- |"]
                lines += [f"| `{a.name}` | {f'`{a.default}`' if a.default else 'required'} | {a.takes} |" for a in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
