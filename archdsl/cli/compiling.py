"""What `archdsl compile` does; compile.py reads its options.

Without click, as checking.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from archdsl.annotations import TYPE_CHECKING, Any
from archdsl.backends import BACKENDS
from archdsl.cli import WRONG_CALL, WRONG_SPEC, Failure
from archdsl.cli.checker import read
from archdsl.cli.output import reason, report, say
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


class Misuse(Exception):
    """Options that do not go together."""


def compile_spec(
    file: str,
    targets: Sequence[str],
    outputs: Sequence[str],
    constants: dict[str, str],
    inputs: dict[str, str],
    fit: str | None,
    force: bool,
    options: dict[str, Any],
) -> int:
    """Compile the spec in a file, or from standard input where it is `-`, and answer the exit status.

    `options` are those of the backends, and "verify"; what is None or False is not given. Raises Misuse before
    anything is read, and Failure.
    """
    plan = pair(file, targets, outputs)
    given_options = {name: value for name, value in options.items() if value is not None and value is not False}
    for name in given_options:
        takes = ["onnx"] if name == "verify" else [n for n, backend in BACKENDS.items() if name in backend.options]
        if not any(target in takes for target, _ in plan):
            raise Misuse(f"--{name.replace('_', '-')} is for --to onnx")
    verify = given_options.pop("verify", False)
    if verify and ("onnx", "-") in plan:
        raise Misuse("--verify reads the file again, and standard output is none")
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


def pair(file: str, targets: Sequence[str], outputs: Sequence[str]) -> list[tuple[str, str]]:
    """What to make and where to, `-` being standard output; raises Misuse where the two do not match."""
    suffixes = {backend.suffix: name for name, backend in BACKENDS.items()}
    meant = [suffixes.get(os.path.splitext(path)[1]) for path in outputs]
    for path in () if targets else outputs:
        suffix = os.path.splitext(path)[1]
        if suffix and suffix not in suffixes:
            known = ", ".join(f"{end} is {name}" for end, name in suffixes.items())
            raise Misuse(f"{path} does not say what to make: {known}; or give --to")
    if not targets:
        targets = tuple(name or "torch" for name in meant) or ("torch",)
    if len(set(targets)) < len(targets):
        raise Misuse("the same --to is given twice")
    if outputs and len(outputs) != len(targets):
        raise Misuse(f"-o is given {len(outputs)} times for {len(targets)} outputs; give one for each --to")
    for path, name, target in zip(outputs, meant, targets):
        if name not in (None, target):
            raise Misuse(f"{path} is to hold {target}, but its name says {name}")
    if not outputs:
        stem = os.path.splitext(file)[0]
        outputs = tuple("-" if file == "-" else stem + BACKENDS[target].suffix for target in targets)
    places = [path if path == "-" else os.path.realpath(path) for path in outputs]
    if len(set(places)) < len(places):
        raise Misuse("two outputs at one place: give -o once for each --to")
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
