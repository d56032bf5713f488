"""What the commands print, and the end of a call that cannot be carried out."""

from __future__ import annotations

import click

from archdsl.cli.output import reason, report, say, style, unreadable
from archdsl.excerpt import visible

__all__ = ["Failure", "reason", "report", "say", "style", "unreadable"]


class Failure(click.ClickException):
    """A call that cannot be carried out: one line on standard error, exit status 2."""

    def show(self, file: object = None) -> None:
        """Print the message."""
        say(f"{style(err=True).paint('error', 'error')}: {visible(self.message)}", err=True)
