"""`archdsl layers`: the layers of the language, from their docstrings."""

from __future__ import annotations

import click

from archdsl.annotations import Any
from archdsl.cli import Failure
from archdsl.cli.output import say, style
from archdsl.layers.registry import LAYERS, layer_class


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    return [name for name in LAYERS if name.startswith(incomplete.upper())]


@click.command("layers")
@click.argument("name", required=False, shell_complete=_names)
def command(name: str | None) -> int:
    """List the layers of the language, or explain one."""
    from archdsl import documentation

    painted = style()
    if name is None:
        wide = max(len(", ".join(names)) for group in documentation.groups() for names, _ in group.layers)
        for group in documentation.groups():
            say(painted.paint(group.title, "strong"))
            for names, layer in group.layers:
                say(f"  {', '.join(names):<{wide}}  {documentation.plain(documentation.summary(layer))}")
            say("")
        return 0
    known = name if name in LAYERS else name.upper()
    if known not in LAYERS:
        near = documentation.near(name)
        hint = f"; did you mean {near}?" if near else ""
        raise Failure(f"there is no layer {name}{hint} (archdsl layers lists them)")
    say("\n".join(documentation.page(known, layer_class(known))))
    return 0
