"""`archdsl show`: the table of a network's layers, and what is known of the whole."""

from __future__ import annotations

import click

from archdsl.annotations import Any
from archdsl.cli import WRONG_CALL, WRONG_SPEC, Failure
from archdsl.cli.checker import Checker
from archdsl.cli.options import spec_options
from archdsl.cli.output import reason, report, say, style
from archdsl.cli.tables import by_block, fold, measures, number, table
from archdsl.diagnostics import ArchError
from archdsl.excerpt import visible
from archdsl.graph import Network
from archdsl.report import Report, describe


@click.command("show")
@click.argument("file", type=click.Path())
@spec_options
@click.option("--depth", type=click.IntRange(1), metavar="N", help="Fold what lies deeper than N levels of the path.")
@click.option("--by", type=click.Choice(["layer", "block"]), help="A row for each. Default: layer.")
@click.option("--json", "as_json", is_flag=True, help="Print what check --json prints, and the analyses.")
def command(
    file: str,
    constants: dict[str, str],
    inputs: dict[str, str],
    fit: str | None,
    depth: int | None,
    by: str | None,
    as_json: bool,
) -> int:
    """Show a network's layers: shapes, parameters, MACs, receptive field; then its memory and work as a whole.

    Arguments behind a + are those that the default rules filled in. Equal copies stand in one row with their
    number; its parameters and MACs are those of all of them. Shapes and MACs are for one item of the batch.
    A row of --by block holds all uses of that block, blocks inside it included. docs/analyses.md has the formulas.

    Of a FILE that ends in .onnx and was compiled by archdsl, the spec is printed; what completed it, such as
    -D N=2, goes to standard error, and --json prints all that is known.
    """
    if depth is not None and (by == "block" or as_json):
        raise click.UsageError("--depth folds the table of layers, and goes with neither --by block nor --json")
    if by == "block" and as_json:
        raise click.UsageError("--json has all layers: give --by block or --json")
    if file.endswith(".onnx"):
        if constants or inputs or fit or depth is not None or by == "block":
            raise click.UsageError("a compiled file is shown as it is: it takes no -D, --input, --fit, --depth or --by")
        return show_made(file, as_json)
    checked = Checker(constants, inputs, fit).check(file)
    if checked.unread or not as_json:
        report(checked.diagnostics)
    if as_json:
        say(_json(file, checked.network, Report(file, tuple(checked.diagnostics), None)))
    elif checked.network is not None:
        painted = style()
        model = describe(checked.network)
        rows = model.layers if depth is None else fold(model.layers, depth)
        lines = by_block(checked.network, painted) if by == "block" else table(model, rows, painted)
        for line in [*lines, "", *measures(checked.network)]:
            say(line)
    return WRONG_CALL if checked.unread else WRONG_SPEC if checked.wrong else 0


def show_made(file: str, as_json: bool) -> int:
    """Print the spec that an ONNX file was made from."""
    from archdsl.metadata import read_made

    try:
        made = read_made(file)
    except OSError as error:
        raise Failure(f"cannot read {file}: {reason(error)}") from None
    except ArchError as error:
        report(error.diagnostics)
        return WRONG_CALL
    if as_json:
        from json import dumps

        say(dumps(made._asdict(), indent=2, ensure_ascii=False))
        return 0
    if made.arguments:
        say(f"compiled with {visible(made.arguments)}", err=True)
    if made.files:
        say(f"it uses {visible(', '.join(made.files))}, whose texts --json prints", err=True)
    if made.classes:
        say(f"its classes are {visible(', '.join(made.classes))}", err=True)
    if made.normalisation:
        mean, std = made.normalisation["mean"], made.normalisation["std"]
        say(f"its inputs are (x - mean)/std, pixels from 0 to 1, with mean {mean} and std {std}", err=True)
    for line in made.spec.removesuffix("\n").split("\n"):
        say("".join(c if c.isprintable() or c == "\t" else "?" for c in line))
    return 0


def _json(file: str, network: Network | None, found: Report) -> str:
    from json import dumps

    from archdsl.analyses import all as analyses

    entry: dict[str, Any] = found.to_dict()
    if network is not None:
        memory, held = analyses.memory(network), analyses.totals(network)
        entry["model"] = describe(network).to_dict()
        entry["analyses"] = {
            "parameters": held.parameters,
            "buffers": held.buffers,
            "macs": analyses.macs(network),
            "flops": analyses.flops(network),
            "elementwise": analyses.elementwise(network),
            "depth": analyses.depth(network),
            "memory": {"peak": memory.peak, "kept": memory.kept},
            "traffic": analyses.traffic(network),
            "intensity": round(analyses.intensity(network), 3),
            "receptive_field": _field(network),
            "misaligned": [
                {"layer": join.layer.spec, "place": join.span.place, "apart": [number(n) for n in apart]}
                for join, apart in analyses.misaligned(network)
            ],
        }
    return dumps({"files": [entry]}, indent=2, ensure_ascii=False)


def _field(network: Network) -> dict[str, Any] | None:
    """What the last map sees: by axis the positions, their stride and where the first start; null for everything.

    Where each sees all of them `whole` is true, and `behind` how many behind its own, null for all.
    """
    from archdsl.analyses import all as analyses

    field = analyses.receptive_field(network)
    if field is None or field.everything:
        return None
    stride, start = ([number(n) for n in part] for part in (field.stride, field.start))
    whole = {"whole": True, "behind": field.behind} if field.whole else {}
    return {"size": list(field.size), "stride": stride, "start": start, **whole}
