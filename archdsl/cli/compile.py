"""`archdsl compile`: a checked spec, written out by one backend or more."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from archdsl.backends import BACKENDS
from archdsl.cli import WRONG_CALL, WRONG_SPEC
from archdsl.cli.checker import read
from archdsl.cli.options import spec_options
from archdsl.cli.terminal import Failure, reason, report, say
from archdsl.diagnostics import ArchError
from archdsl.excerpt import visible
from archdsl.files import Outputs, check_output
from archdsl.graph import Network
from archdsl.pipeline import build

if TYPE_CHECKING:
    from archdsl.training.trained import Trained

WEIGHTS = ("E601", "E602", "E608")
RUN = ("E733", "E734", "E761")
"""What is wrong with the file or the run that --weights names, and not with the spec."""


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
    plan = pair(file, targets, outputs)
    given_options = {name: value for name, value in options.items() if value is not None and value is not False}
    for name in given_options:
        takes = ["onnx"] if name == "verify" else [n for n, backend in BACKENDS.items() if name in backend.options]
        if not any(target in takes for target, _ in plan):
            raise click.UsageError(f"--{name.replace('_', '-')} is for --to onnx")
    verify = given_options.pop("verify", False)
    if verify and ("onnx", "-") in plan:
        raise click.UsageError("--verify reads the file again, and standard output is none")
    for target, path in plan:
        may_write(target, path, file, force)
    try:
        run = trained(given_options.get("weights"))
        if run is not None:
            constants, inputs, fit = run.complete(constants, inputs, fit)
            given_options |= run.onnx()
        network, findings = build(read(file), constants=constants, inputs=inputs, fit=fit)
        report(findings.found)
        if network is None:
            return WRONG_SPEC
        if run is not None:
            run.check_same(network, file)
    except OSError as error:
        raise Failure(f"cannot read {file}: {reason(error)}") from None
    except ArchError as error:
        report(error.diagnostics)
        return WRONG_CALL if any(d.code in RUN for d in error.diagnostics) else WRONG_SPEC
    shown = "<stdin>" if file == "-" else os.path.basename(file)
    try:
        write(network, plan, given_options | {"source_name": shown})
    except ArchError as error:
        report(error.diagnostics)
        return WRONG_CALL if any(d.code in WEIGHTS for d in error.diagnostics) else WRONG_SPEC
    if verify:
        return check_file(network, next(path for target, path in plan if target == "onnx"), given_options)
    return 0


def trained(weights: str | None) -> Trained | None:
    """The run that --weights names, None for a file of weights alone; raises ArchError."""
    if weights is None or not os.path.exists(weights):
        return None
    from archdsl.training.trained import names_run, open_trained

    return open_trained(weights) if names_run(weights) else None


def check_file(network: Network, path: str, options: dict[str, Any]) -> int:
    """What --verify says of the file, and the exit status: 1 where it is not what it should be."""
    from archdsl.backends.onnx.verify import verify

    sound = True
    for finding in verify(network, path, options):
        sound = sound and finding.sound
        say(visible(f"{finding.what}: {finding.says}"), err=True)
    return 0 if sound else WRONG_SPEC


def pair(file: str, targets: tuple[str, ...], outputs: tuple[str, ...]) -> list[tuple[str, str]]:
    """What to make and where to, `-` being standard output; raises UsageError where the two do not match."""
    suffixes = {backend.suffix: name for name, backend in BACKENDS.items()}
    meant = [suffixes.get(os.path.splitext(path)[1]) for path in outputs]
    for path in () if targets else outputs:
        suffix = os.path.splitext(path)[1]
        if suffix and suffix not in suffixes:
            known = ", ".join(f"{end} is {name}" for end, name in suffixes.items())
            raise click.UsageError(f"{path} does not say what to make: {known}; or give --to")
    if not targets:
        targets = tuple(name or "torch" for name in meant) or ("torch",)
    if len(set(targets)) < len(targets):
        raise click.UsageError("the same --to is given twice")
    if outputs and len(outputs) != len(targets):
        raise click.UsageError(f"-o is given {len(outputs)} times for {len(targets)} outputs; give one for each --to")
    for path, name, target in zip(outputs, meant, targets):
        if name not in (None, target):
            raise click.UsageError(f"{path} is to hold {target}, but its name says {name}")
    if not outputs:
        stem = os.path.splitext(file)[0]
        outputs = tuple("-" if file == "-" else stem + BACKENDS[target].suffix for target in targets)
    places = [path if path == "-" else os.path.realpath(path) for path in outputs]
    if len(set(places)) < len(places):
        raise click.UsageError("two outputs at one place: give -o once for each --to")
    return list(zip(targets, outputs))


def may_write(target: str, path: str, spec: str, force: bool) -> None:
    """Raise Failure where the output must not be written, before any work is done."""
    backend = BACKENDS[target]
    if path == "-":
        if not backend.text and sys.stdout is not None and sys.stdout.isatty():
            raise Failure(f"{target} is no text for a terminal; name a file with -o")
        return
    try:
        check_output(path, own=backend.wrote, spec=None if spec == "-" else spec, force=force)
    except OSError as error:
        raise Failure(str(error) if error.errno is None else f"cannot write {path}: {reason(error)}") from None


def write(network: Network, plan: list[tuple[str, str]], options: dict[str, Any]) -> None:
    """Write all outputs or none, and say on standard error what was written."""
    path = ""
    try:
        with Outputs() as files:
            for target, path in plan:
                if path != "-":
                    stream = files.open(path)
                    own = {"beside": files.beside(path)} if "beside" in BACKENDS[target].options else {}
                    BACKENDS[target].write(network, stream, options | own)
                    stream.flush()
        for target, path in plan:
            if path == "-":
                if sys.stdout is None:
                    raise OSError(9, "it is closed")
                BACKENDS[target].write(network, sys.stdout.buffer, options)
                sys.stdout.flush()
            else:
                say(f"wrote {visible(path)}", err=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "to standard output" if path == "-" else path
        raise Failure(f"cannot write {where}: {reason(error)}") from None
