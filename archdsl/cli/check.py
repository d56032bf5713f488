"""`archdsl check`: is it right, and what did the default rules fill in?"""

from __future__ import annotations

import click

from archdsl.analyses.macs import macs
from archdsl.analyses.parameters import parameters
from archdsl.analyses.uses import Walk
from archdsl.cli import WRONG_CALL, WRONG_SPEC
from archdsl.cli.options import read, spec_options
from archdsl.cli.terminal import report, say, style, unreadable
from archdsl.diagnostics import ArchError, Diagnostic, visible
from archdsl.graph import Network, Open
from archdsl.implied import implied
from archdsl.pipeline import build


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@spec_options
@click.option("--json", "as_json", is_flag=True, help="Print a report for machines, on standard output.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but what is wrong.")
def command(
    files: tuple[str, ...],
    constants: dict[str, str],
    inputs: dict[str, str],
    fit: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check specs: shapes, sizes that do not fit, names, asserts.

    Prints one line for each spec that is right, and for a single one what the default rules filled in, at its
    place in the text. `-` is standard input. Exit status: 0 all are right, 1 one is wrong, 2 one cannot be read.
    """
    status = 0
    entries = []
    for file in files:
        network, diagnostics, unread = check_one(file, constants, inputs, fit)
        wrong = any(d.severity == "error" for d in diagnostics)
        status = max(status, WRONG_CALL if unread else WRONG_SPEC if wrong else 0)
        if as_json:
            from archdsl.report import Report, describe

            model = describe(network) if network else None
            entries.append(Report(file, tuple(diagnostics), model).to_dict())
        if unread or not as_json:
            report(diagnostics)
        if not (wrong or quiet or as_json):
            assert network is not None  # where there is no error
            say(f"{style().paint(visible(file), 'strong')}: {summary(network)}")
            if len(files) == 1:
                for line in filled_in(network):
                    say(f"  {line}")
    if as_json:
        from json import dumps

        say(dumps({"files": entries}, indent=2, ensure_ascii=False))
    return status


def check_one(
    file: str, constants: dict[str, str], inputs: dict[str, str], fit: str | None
) -> tuple[Network | None, list[Diagnostic], bool]:
    """The network of a file, what was found, and whether it could not even be read."""
    try:
        network, findings = build(read(file), constants=constants, inputs=inputs, fit=fit, leave_open=True)
    except OSError as error:
        return None, [unreadable(file, error)], True
    except ArchError as error:
        return None, list(error.diagnostics), False
    return network, findings.found, False


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
    """What the default rules gave to the layers, a line for each place in the text and what it got there."""
    rows: dict[tuple[str, str, str], int] = {}
    for use in Walk(network, unroll=False):
        if use.apply.implied and not use.shared:
            key = (use.apply.span.place, use.apply.layer.spec, ", ".join(implied(use.apply)))
            rows[key] = rows.get(key, 0) + use.times
    wide = [max((len(key[i]) for key in rows), default=0) for i in range(2)]
    return [
        f"{place:<{wide[0]}}  {layer:<{wide[1]}}  {values}" + (f"  ({times} times)" if times > 1 else "")
        for (place, layer, values), times in rows.items()
    ]
