"""`archdsl check`: is it right, and what did the default rules fill in?"""

from __future__ import annotations

from collections.abc import Callable

import click

from archdsl.cli.checker import Checker
from archdsl.cli.checking import check
from archdsl.cli.options import spec_options
from archdsl.cli.output import say
from archdsl.formats import FORMATS


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@spec_options
@click.option("--format", "form", type=click.Choice(["text", *FORMATS]), help="What to print. Default: text.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but what is wrong.")
@click.option("--fix", is_flag=True, help="Apply the fixes that are safe, and show what was changed.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--watch", "watching", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.option(
    "--target", type=click.Choice(["fp16", "bf16", "tf32", "int8", "fp8"]), help="Warn of widths that tensor cores pad."
)
def command(
    files: tuple[str, ...],
    constants: dict[str, str],
    inputs: dict[str, str],
    fit: str | None,
    target: str | None,
    form: str | None,
    as_json: bool,
    quiet: bool,
    fix: bool,
    diff: bool,
    watching: bool,
) -> int:
    """Check specs: shapes, sizes that do not fit, names, asserts.

    FILES are specs, folders with all *.arch files below them, or patterns; `-` is standard input. Prints one line
    for each spec that is right, and for a single one what the default rules filled in, at its place in the text.
    A file of blocks alone is checked for syntax and names. Exit status: 0 all are right, 1 one is wrong, 2 one
    cannot be read.
    """
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json is --format json, and --format {form} is given")
    form = "json" if as_json else form or "text"
    if fix and diff:
        raise click.UsageError("--fix changes files and --diff does not: give one of them")
    if "-" in files and (fix or diff or watching):
        raise click.UsageError("--fix, --diff and --watch need files, and - is standard input")
    if watching and (fix or diff or form != "text"):
        raise click.UsageError("--watch prints text, and goes with none of --fix, --diff and --format")

    def once() -> int:
        return check(files, checker, form, quiet=quiet, fix=fix, diff=diff)

    checker = Checker(constants, inputs, fit, library=True, target=target)
    if watching:
        _watch(files, checker, once)  # ends with an interrupt alone
    return once()


def _watch(files: tuple[str, ...], checker: Checker, once: Callable[[], int]) -> None:
    from datetime import datetime

    from archdsl.cli.gather import folders
    from archdsl.cli.watch import watch

    def again() -> set[str]:
        checker.read = {folder for file in files for folder in folders(file)} | set(files)
        once()
        say(f"checked at {datetime.now():%H:%M:%S}; Ctrl-C ends", err=True)
        return checker.read

    watch(again)
