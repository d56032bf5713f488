"""The settings of a run as options of the command line, made from the one table that there is of them."""

from __future__ import annotations

import click

from archdsl.annotations import Any
from archdsl.cli.options import F
from archdsl.training.settings import RULES, Settings

WORDS = "archdsl.words"
"""Where a context keeps a command's words."""


class Whole(click.Command):
    """A command that remembers the words it was given, for the processes that it starts."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)


def words() -> list[str]:
    """The words that the command which is running was given."""
    found: list[str] = click.get_current_context().meta[WORDS]
    return found


def setting_options(function: F) -> F:
    """Add an option for each setting; `function` gets those that were given among its keywords, others as None."""
    for name, rule in reversed(RULES.items()):
        flag = "--" + name.replace("_", "-")
        shown = f"{rule.help} {_default(name)}".strip()
        if rule.kind is bool:
            function = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=shown)(function)
        else:
            kind: Any = click.Choice(rule.choices) if rule.choices else str if rule.kind is list else rule.kind
            many = rule.kind is list
            function = click.option(flag, name, type=kind, multiple=many, default=None, help=shown)(function)
    return function


def _default(name: str) -> str:
    value = getattr(Settings(), name)
    return "" if value is None or isinstance(value, (bool, tuple)) else f"Default: {value}."
