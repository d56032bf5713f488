"""`archdsl completion`: the script that a shell loads to complete commands, options, files and layers."""

from __future__ import annotations

import click

from archdsl.cli.output import say


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the script that completes archdsl's commands in a shell.

    \b
    bash:  eval "$(archdsl completion bash)"       in ~/.bashrc
    zsh:   eval "$(archdsl completion zsh)"        in ~/.zshrc
    fish:  archdsl completion fish | source        in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # click has all three
    say(found(ctx.find_root().command, {}, "archdsl", "_ARCHDSL_COMPLETE").source())
    return 0
