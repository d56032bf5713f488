"""`archdsl check`: is it right, and what did the default rules fill in?"""

from __future__ import annotations

from collections.abc import Callable

import click

from archdsl.analyses.macs import macs
from archdsl.analyses.parameters import parameters
from archdsl.analyses.uses import Walk
from archdsl.cli import WRONG_CALL, WRONG_SPEC
from archdsl.cli.checker import Checker
from archdsl.cli.options import spec_options
from archdsl.cli.terminal import report, say, style
from archdsl.diagnostics import Diagnostic
from archdsl.excerpt import visible
from archdsl.formats import FORMATS, Checked, write
from archdsl.graph import Network, Open
from archdsl.implied import defaults, implied


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
        return _check(files, checker, form, quiet, fix, diff)

    checker = Checker(constants, inputs, fit, library=True, target=target)
    if watching:
        _watch(files, checker, once)  # ends with an interrupt alone
    return once()


def _check(files: tuple[str, ...], checker: Checker, form: str, quiet: bool, fix: bool, diff: bool) -> int:
    from archdsl.cli.gather import gather

    status = 0
    every = []
    meant = gather(files)
    for file, problem in meant:
        if problem:
            found = Diagnostic("E001", f"the file cannot be read: {problem}", file=file)
            one = Checked(file, None, [found], True)
        elif fix or diff:
            from archdsl.cli.mend import mend

            one = mend(file, checker, apply=fix, show=form == "text")
        else:
            one = checker.check(file)
        every.append(one)
        status = max(status, WRONG_CALL if one.unread else WRONG_SPEC if one.wrong else 0)
        if form == "text" or one.unread:
            report(one.diagnostics)
        if form == "text" and not (one.wrong or quiet):
            _say_right(one, alone=len(meant) == 1)
    if form != "text":
        text = write(form, every)
        if text:
            say(text)
    return status


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


def _say_right(one: Checked, *, alone: bool) -> None:
    name = style().paint(visible(one.file), "strong")
    if one.network is None:
        say(f"{name}: ok, blocks and functions without a network")
        return
    say(f"{name}: {summary(one.network)}")
    if alone:
        for line in filled_in(one.network):
            say(f"  {line}")


def summary(network: Network) -> str:
    """`ok, 3x32x32 -> 10, 28,938 parameters, 5,013,504 MACs`."""
    arrives = ", ".join(str(i.value.type) for i in network.inputs)
    leaves = ", ".join(str(o.value.type) for o in network.outputs)
    text = f"ok, {arrives} -> {leaves}, {parameters(network):,} parameters, {macs(network):,} MACs"
    return text if network.open is None else f"{text} {valid(network.open)}"


def valid(open: Open) -> str:
    """`at H = W = 256; valid for H, W: multiples of 16`."""
    at = ", ".join(f"{symbol} = {n}" for symbol, n in open.point.items())
    words: dict[str, list[str]] = {}
    for symbol, sizes in open.valid.items():
        words.setdefault(str(sizes), []).append(symbol)
    return f"at {at}; valid for " + "; ".join(f"{', '.join(symbols)}: {text}" for text, symbols in words.items())


def filled_in(network: Network) -> list[str]:
    """What the default rules gave: a line for each place in the text, then one for each set of defaults."""
    rows: dict[tuple[str, str, str], int] = {}
    common: dict[tuple[str, str, str], int] = {}
    for use in Walk(network, unroll=False):
        if use.shared:
            continue
        spec = use.apply.layer.spec
        if use.apply.implied:
            key = (use.apply.span.place, spec, ", ".join(implied(use.apply)))
            rows[key] = rows.get(key, 0) + use.times
        if use.apply.defaults:
            key = ("by default", spec, ", ".join(defaults(use.apply)))
            common[key] = common.get(key, 0) + use.times
    rows |= common
    wide = [max((len(key[i]) for key in rows), default=0) for i in range(2)]
    return [
        f"{place:<{wide[0]}}  {layer:<{wide[1]}}  {values}" + (f"  ({times} times)" if times > 1 else "")
        for (place, layer, values), times in rows.items()
    ]
