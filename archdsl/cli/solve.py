"""`archdsl solve`: which input sizes are legal, how large a count may be, which sizes are nearest to some others."""

from __future__ import annotations

import click

from archdsl.cli import WRONG_CALL, WRONG_SPEC
from archdsl.cli.checker import Checker
from archdsl.cli.options import spec_options
from archdsl.cli.output import report, say
from archdsl.graph import Open
from archdsl.symbolic.sizes import Sizes
from archdsl.tensor import show_shape


@click.command("solve")
@click.argument("file", type=click.Path())
@spec_options
@click.option("--near", metavar="SIZES", help="Also the legal sizes nearest to these, such as 500x375.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(
    file: str, constants: dict[str, str], inputs: dict[str, str], fit: str | None, near: str | None, as_json: bool
) -> int:
    """Say for which input sizes and counts a spec is valid, and what comes out.

    Sizes stay open where the input has letters: `input 3xHxW`, or --input 3xHxW. Counts stay open where nothing
    defines them. Assertions hold for all that is said.
    """
    checked = Checker(constants, inputs, fit).check(file)
    report(checked.diagnostics)
    network = checked.network
    if network is None:
        return WRONG_CALL if checked.unread else WRONG_SPEC
    if network.open is None:
        raise click.UsageError("nothing is open here: give --input 3xHxW, or leave a count undefined")
    answer = {symbol: str(valid) for symbol, valid in network.open.valid.items()}
    nearest = _nearest(network.open, near) if near else {}
    outputs = {output.name: show_shape(output.value.type.shape) for output in network.outputs}
    if as_json:
        from json import dumps

        say(dumps({"valid": answer, "outputs": outputs, "nearest": nearest}, indent=2))
        return 0
    for symbol, text in answer.items():
        say(f"{symbol}: {text}")
    for name, shape in outputs.items():
        say(f"{name}: {shape}")
    for symbol, sizes in nearest.items():
        say(f"{symbol} nearest: {' or '.join(map(str, sizes)) or 'none'}")
    return 0


def _nearest(open: Open, near: str) -> dict[str, list[int]]:
    """The members nearest to the sizes, by symbol in their order."""
    texts = near.split("x")
    symbols = {symbol: sizes for symbol, sizes in open.valid.items() if isinstance(sizes, Sizes)}
    if len(texts) != len(symbols) or not all(text.isdecimal() and 0 < int(text) < 2**31 for text in texts):
        raise click.BadParameter(
            f"{near} is not one size for each of {', '.join(symbols) or 'no symbols'}", param_hint="--near"
        )
    return {symbol: sizes.nearest(int(text)) for (symbol, sizes), text in zip(symbols.items(), texts)}
