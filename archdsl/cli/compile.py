"""`archdsl compile`: a checked spec, written out by one backend or more; compiling.py does it."""

from __future__ import annotations

import click

from archdsl.annotations import Any
from archdsl.backends import BACKENDS
from archdsl.cli.compiling import Misuse, compile_spec
from archdsl.cli.options import spec_options


@click.command("compile")
@click.argument("file", type=click.Path())
@click.option("--to", "targets", multiple=True, type=click.Choice(list(BACKENDS)), help="What to make. Default: torch.")
@click.option("-o", "--output", "outputs", multiple=True, type=click.Path(), help="Where to, once for each --to.")
@spec_options
@click.option("--weights", type=click.Path(), help="Weights for ONNX: a run's folder, safetensors, or torch's .pt.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Where the ONNX file's weights start. Default: 0.")
@click.option("--opset", type=click.IntRange(17, 26), help="The ONNX file's operator set. Default: 20.")
@click.option("--batch", type=click.IntRange(1, 2**31 - 1), help="Fix the ONNX file's batch.")
@click.option("--half", type=click.Choice(["float16", "bfloat16"]), help="Store the ONNX file's weights so.")
@click.option("--fold-bn", is_flag=True, help="Fold BN into the CONV, UPCONV or FC before it, for ONNX.")
@click.option("--logits", is_flag=True, help="Leave the last SOFTMAX out of the ONNX file.")
@click.option("--functions", is_flag=True, help="Write blocks as functions of the ONNX file.")
@click.option("--external-data", is_flag=True, help="Put the ONNX file's weights in a second file beside it.")
@click.option("--verify", is_flag=True, help="Check the ONNX file by onnx, and run it beside torch.")
@click.option("--force", is_flag=True, help="Replace files that archdsl did not write.")
def command(
    file: str,
    targets: tuple[str, ...],
    outputs: tuple[str, ...],
    constants: dict[str, str],
    inputs: dict[str, str],
    fit: str | None,
    force: bool,
    **options: Any,
) -> int:
    """Compile a spec to PyTorch source or an ONNX file.

    net.arch becomes net.py, or net.onnx, beside it; the suffix of -o says which is meant where --to does not.
    FILE may be - for standard input, whose result goes to standard output without -o. Files appear whole or
    not at all, and none is replaced without --force but what archdsl wrote itself. -o - is standard output.

    --weights run/ takes the best weights of what archdsl train wrote (run/last.safetensors the last), and its -D,
    --input and --fit where none are given; the spec must be the one that was trained. The file's metadata then
    has the names of the classes and the normalisation.
    """
    try:
        return compile_spec(file, targets, outputs, constants, inputs, fit, force, options)
    except Misuse as error:
        raise click.UsageError(str(error)) from None
