"""`archdsl plot`: the curves of one run or several as an SVG picture."""

from __future__ import annotations

import os

import click

from archdsl.cli import WRONG_CALL, Failure
from archdsl.cli.output import reason, report, say
from archdsl.diagnostics import ArchError
from archdsl.excerpt import visible
from archdsl.files import Outputs, check_output
from archdsl.training.chart import MARK
from archdsl.training.curves import has_curves, picture
from archdsl.training.metrics import read_metrics
from archdsl.training.run import METRICS


@click.command("plot")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", default="curves.svg", show_default=True, type=click.Path(), help="Where to.")
@click.option("--force", is_flag=True, help="Replace a file that archdsl did not write.")
def command(runs: tuple[str, ...], output: str, force: bool) -> int:
    """Draw the loss and the accuracy of runs, by epoch, into one SVG picture.

    A RUN is a folder that archdsl train wrote, or a metrics.jsonl. It may still be going on. Of a training curve with
    many points means are drawn.
    """
    found = []
    for run in runs:
        path = os.path.join(run, METRICS) if os.path.isdir(run) else run
        try:
            lines = read_metrics(path)
        except OSError as error:
            raise Failure(f"cannot read {path}: {reason(error)}") from None
        except ArchError as error:
            report(error.diagnostics)
            return WRONG_CALL
        if not has_curves(lines):
            raise Failure(f"{path} has no step in it yet")
        found.append((os.path.normpath(run), lines))
    write(picture(found), output, force)
    return 0


def write(text: str, output: str, force: bool) -> None:
    """Write the picture whole or not at all; `-` is standard output. Raises Failure."""
    if output == "-":
        say(text.removesuffix("\n"))
        return
    try:
        check_output(output, own=lambda head: head.startswith(MARK.encode()), spec=None, force=force)
        with Outputs() as files:
            files.open(output).write(text.encode())
    except OSError as error:
        raise Failure(str(error) if error.errno is None else f"cannot write {output}: {reason(error)}") from None
    say(f"wrote {visible(output)}", err=True)
