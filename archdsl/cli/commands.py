"""The commands by name. Each has a file of its own, which is imported when the command is run."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from archdsl import __version__
from archdsl.cli import WRONG_CALL, Failure, tolerate

COMMANDS = {
    "check": "Check specs: shapes, sizes that do not fit, names, asserts.",
    "compile": "Compile a spec to PyTorch source or an ONNX file.",
    "train": "Train a spec on data, and go on with a run.",
    "show": "Show a network's layers: shapes, parameters, MACs, receptive field.",
    "zoo": "List the specs that come with archdsl, or show one.",
    "new": "Copy one of these specs to start from.",
    "evaluate": "Judge a trained network: loss, accuracy, precision and recall by class.",
    "predict": "Say what is on images, by a trained network.",
    "look": "Show what each layer of a trained network makes of an image.",
    "plot": "Draw the curves of training runs as an SVG picture.",
    "solve": "Say which input sizes and counts a spec allows.",
    "layers": "List the layers of the language, or explain one.",
    "explain": "Explain an error or a warning by its code, such as E201.",
    "completion": "Print the script that completes archdsl's commands in a shell.",
}
"""A command's name and what --help says of it; it is `command` in the module of the same name."""


class Commands(click.Group):
    """A group that knows its commands' summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(f"archdsl.cli.{cmd_name}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from archdsl.elaborate.suggest import near

            meant = near(args[0], COMMANDS)
            ctx.fail(f"there is no command {args[0]}" + (f"; did you mean {meant}?" if meant else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="archdsl", message="%(prog)s %(version)s")
def archdsl() -> None:
    """Neural-network architectures as text, checked and compiled to PyTorch and ONNX.

    \b
    archdsl check net.arch              is it right?
    archdsl show net.arch               what is in it?
    archdsl compile net.arch            writes net.py, which needs torch alone
    archdsl compile net.arch --to onnx  writes net.onnx

    Exit status: 0 fine, 1 the spec is wrong, 2 the call is wrong or a file cannot be read or written.
    """


def run(arguments: list[str] | None = None) -> int:
    """Run the command line with these arguments, or the process's, and answer the exit status."""
    tolerate()
    asked = os.environ.get("_ARCHDSL_COMPLETE")
    if asked is not None:
        from click.shell_completion import shell_complete

        return shell_complete(archdsl, {}, "archdsl", "_ARCHDSL_COMPLETE", asked)
    # Not archdsl.main(): it has an end of its own for Ctrl-C and a closed pipe, with status 1, a wrong spec's.
    try:
        with archdsl.make_context("archdsl", sys.argv[1:] if arguments is None else list(arguments)) as context:
            status: object = archdsl.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        if sys.stdout is not None:
            sys.stdout.flush()
        error.show()
        return WRONG_CALL
    except Failure as failure:
        from archdsl.cli.output import refuse

        return refuse(failure)
    return status if isinstance(status, int) else 0
