"""`archdsl look`: what each layer of a trained network makes of an image, as a page of pictures."""

from __future__ import annotations

import os

import click

from archdsl.cli import WRONG_CALL, WRONG_SPEC, Failure
from archdsl.cli.checker import read
from archdsl.cli.options import spec_options
from archdsl.cli.output import reason, report, say
from archdsl.cli.predict import ranked
from archdsl.cli.trained import NOT_A_SPEC, classifier, prepared, training_packages
from archdsl.diagnostics import ArchError
from archdsl.excerpt import visible
from archdsl.files import Outputs, check_output
from archdsl.pipeline import build

TOP = 5


@click.command("look")
@click.argument("file", type=click.Path())
@click.argument("image", type=click.Path())
@click.option("--weights", default="run", type=click.Path(), help="The run, or weights in it. Default: run.")
@click.option("-o", "--output", type=click.Path(), help="An .html or a .png. Default: look.html.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Only layers of such paths: 'layer1.*'.")
@click.option("--resize", is_flag=True, help="Resize the image to the spec's input.")
@click.option("--force", is_flag=True, help="Replace a file that archdsl did not write.")
@spec_options
def command(
    file: str,
    image: str,
    weights: str,
    output: str | None,
    only: tuple[str, ...],
    resize: bool,
    force: bool,
    constants: dict[str, str],
    inputs: dict[str, str],
    fit: str | None,
) -> int:
    """Show what each layer of a trained network makes of an image: its activation maps.

    The page has a row for each layer, by its path in the spec: channels as small grey images, vectors as cells,
    sequences as heat maps; black is the least number of a layer, white the greatest. It has the filters of the first
    CONV and what the network says in the end. One file: HTML with all pictures in it, or a PNG.

    FILE must be the spec that was trained in the run; its -D, --input and --fit are taken where none are given.
    """
    output = "look.html" if output is None else output
    kind = os.path.splitext(output)[1].lower()
    if kind not in (".html", ".png"):
        raise click.UsageError(f"a look is an .html or a .png, and {output} is neither")
    try:
        with training_packages():
            return show(file, image, weights, output, only, resize, force, (constants, inputs, fit))
    except ArchError as error:
        report(error.diagnostics)
        return WRONG_CALL if any(d.code in NOT_A_SPEC for d in error.diagnostics) else WRONG_SPEC


def show(
    file: str,
    image: str,
    weights: str,
    output: str,
    only: tuple[str, ...],
    resize: bool,
    force: bool,
    completed: tuple[dict[str, str], dict[str, str], str | None],
) -> int:
    """Write the page; raises ArchError, and Failure."""
    from archdsl.training.looking import page
    from archdsl.training.looking.look import rows
    from archdsl.training.trained import open_trained

    mark, make = (page.PNG_MARK, page.png) if output.lower().endswith(".png") else (page.MARK, page.html)
    try:
        check_output(output, own=lambda head: mark in head, spec=None, force=force)
    except OSError as error:
        raise Failure(str(error) if error.errno is None else f"cannot write {output}: {reason(error)}") from None
    trained = open_trained(weights)
    constants, inputs, fit = trained.complete(*completed)
    try:
        network, findings = build(read(file), constants=constants, inputs=inputs, fit=fit)
    except OSError as error:
        raise Failure(f"cannot read {file}: {reason(error)}") from None
    if network is None:
        report(findings.found)
        return WRONG_SPEC
    trained.check_same(network, file)
    judge = classifier(trained)
    given = prepared(trained, [image], resize=resize)
    best = ranked(judge.probabilities(given)[0], judge.classes, TOP) if judge.of_whole else []
    found = rows(trained.run.network, trained.module(), given, only)
    title = f"{os.path.basename(image)} in {os.path.basename(file)}"
    try:
        with Outputs() as files:
            files.open(output).write(make(page.Page(visible(title), found, tuple(best))))
    except OSError as error:
        raise Failure(f"cannot write {output}: {reason(error)}") from None
    say(f"wrote {visible(output)}", err=True)
    return 0
