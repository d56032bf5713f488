"""`archdsl explain`: what a code means, with a wrong and a right example."""

from __future__ import annotations

import click

from archdsl import explain
from archdsl.annotations import Any
from archdsl.cli import Failure
from archdsl.cli.output import say, style


def _codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    return [code for code in explain.codes() if code.startswith(incomplete.upper())]


@click.command("explain")
@click.argument("code", required=False, shell_complete=_codes)
def command(code: str | None) -> int:
    """Explain an error or a warning by its code, such as E201; without one, list them all."""
    painted = style()
    if code is None:
        for known in explain.codes():
            role = "warning" if known.startswith("W") else "error"
            say(f"{painted.paint(known, role)}  {explain.read(known).title}")
        return 0
    try:
        lines = explain.text(code.upper()).strip().split("\n")
    except KeyError:
        from archdsl.elaborate.suggest import near

        meant = near(code.upper(), explain.codes())
        hint = f"; did you mean {meant}?" if meant else ""
        raise Failure(f"there is no code {code}{hint} (archdsl explain lists them)") from None
    for line in lines:
        title = line.startswith("#")
        say(painted.paint(line.lstrip("# "), "strong") if title else line)
    return 0
