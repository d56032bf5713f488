"""`archdsl zoo`: the specs that come with archdsl, and the text of one."""

from __future__ import annotations

import click

from archdsl import zoo
from archdsl.annotations import Any
from archdsl.cli import Failure
from archdsl.cli.output import say, style


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """The networks whose names begin so."""
    return [name for name in zoo.names() if name.startswith(incomplete)]


def path_of(name: str) -> str:
    """The path of a network's spec; raises Failure where there is none."""
    found = zoo.find(name)
    if found is None:
        from archdsl.elaborate.suggest import near

        meant = near(name, {known.rpartition("/")[2] for known in zoo.names()})
        hint = f"; did you mean {meant}?" if meant else ""
        raise Failure(f"the zoo has no {name}{hint} (archdsl zoo lists what there is)")
    return found


@click.group("zoo", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """List the specs that come with archdsl, or show one.

    \b
    archdsl zoo                  parameters, MACs and lines of each
    archdsl zoo show resnet50    the text of one
    archdsl new resnet50 my.arch copies one to start from
    """
    return 0 if ctx.invoked_subcommand else listing()


def listing() -> int:
    """Print a line for each network."""
    from archdsl.zoo_table import rows

    wide = max(map(len, zoo.names()))
    say(style().paint(f"{'name':<{wide}}  {'parameters':>13}  {'MACs':>15}  {'lines':>5}", "strong"))
    for row in rows():
        say(f"{row.name:<{wide}}  {row.parameters:>13,}  {row.macs:>15,}  {zoo.lines(path_of(row.name)):>5}")
    return 0


@command.command("show")
@click.argument("name", shell_complete=complete)
def show(name: str) -> int:
    """Print the text of a spec."""
    path = path_of(name)
    with open(path, encoding="utf-8") as file:
        say(file.read().rstrip("\n"))
    return 0
