"""`archdsl show`: the table of a network's layers."""

from __future__ import annotations

import click

from archdsl.cli import WRONG_CALL, WRONG_SPEC
from archdsl.cli.check import check_one
from archdsl.cli.options import spec_options
from archdsl.cli.terminal import Failure, reason, report, say, style
from archdsl.diagnostics import ArchError, Style, visible
from archdsl.report import LayerRow, Model, Report, describe
from archdsl.tensor import show_shape

WIDEST = 60
"""What a column's text is cut to; --json has all of it."""


@click.command("show")
@click.argument("file", type=click.Path())
@spec_options
@click.option("--json", "as_json", is_flag=True, help="Print what check --json prints.")
def command(file: str, constants: dict[str, str], inputs: dict[str, str], fit: str | None, as_json: bool) -> int:
    """Show a network's layers: shapes, parameters, MACs, receptive field.

    Arguments behind a + are those that the default rules filled in. Equal copies stand in one row with their
    number; its parameters and MACs are those of all of them. Shapes and MACs are for one item of the batch.

    Of a FILE that ends in .onnx and was compiled by archdsl, the spec is printed; what completed it, such as
    -D N=2, goes to standard error, and --json prints all that is known.
    """
    if file.endswith(".onnx"):
        if constants or inputs or fit:
            raise click.UsageError("a compiled file is shown as it is: it takes no -D, --input or --fit")
        return show_made(file, as_json)
    network, diagnostics, unread = check_one(file, constants, inputs, fit)
    wrong = any(d.severity == "error" for d in diagnostics)
    model = None if network is None else describe(network)
    if unread or not as_json:
        report(diagnostics)
    if as_json:
        from json import dumps

        say(dumps({"files": [Report(file, tuple(diagnostics), model).to_dict()]}, indent=2, ensure_ascii=False))
    elif model is not None:
        for line in table(model, style()):
            say(line)
    return WRONG_CALL if unread else WRONG_SPEC if wrong else 0


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
    for line in made.spec.removesuffix("\n").split("\n"):
        say("".join(c if c.isprintable() or c == "\t" else "?" for c in line))
    return 0


def table(model: Model, painted: Style) -> list[str]:
    """The network as lines of text."""
    title = f"{model.name}: " + ", ".join(f"{t.name} {show_shape(t.shape)}" for t in model.inputs)
    title += " -> " + ", ".join(f"{t.name} {show_shape(t.shape)}" for t in model.outputs)
    head = ["path", "layer", "output", "parameters", "MACs", "sees"]
    rows = [_cells(row) for row in model.layers]
    count = sum(row.repeats for row in model.layers)
    totals = ["", f"{count:,} layer{'s' * (count != 1)}", "", f"{model.parameters:,}", f"{model.macs:,}", ""]
    wide = [max(len(line[i]) for line in (head, totals, *rows)) for i in range(len(head))]
    rule = "-" * (sum(wide) + 2 * len(wide) - 2)
    lines = [painted.paint(visible(title), "strong"), ""]
    lines += [painted.paint(_line(head, wide), "strong"), painted.paint(rule, "gutter")]
    lines += [_line(row, wide) for row in rows]
    return [*lines, painted.paint(rule, "gutter"), painted.paint(_line(totals, wide), "strong")]


def _cells(row: LayerRow) -> list[str]:
    layer = f"{row.layer}({row.given})" if row.given else row.layer
    if row.implied:
        layer += " + " + ", ".join(row.implied)
    return [
        _cut(row.path + (f" x{row.repeats:,}" if row.repeats > 1 else "")),
        _cut(layer),
        show_shape(row.output),
        f"{row.parameters * row.repeats:,}" if row.parameters else "-",
        f"{row.macs * row.repeats:,}" if row.macs else "-",
        _cut(show_shape(row.receptive_field)) if row.receptive_field else "-",
    ]


def _cut(text: str) -> str:
    text = visible(text)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _line(cells: list[str], wide: list[int]) -> str:
    placed = [text.rjust(w) if i in (3, 4) else text.ljust(w) for i, (text, w) in enumerate(zip(cells, wide))]
    return "  ".join(placed).rstrip()
