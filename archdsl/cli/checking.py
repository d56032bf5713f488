"""What `archdsl check` does with its files and prints of them; check.py reads its options.

Without click, which takes as long to import as a network to be checked.
"""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.analyses.macs import macs
from archdsl.analyses.parameters import parameters
from archdsl.analyses.uses import uses
from archdsl.cli import WRONG_CALL, WRONG_SPEC
from archdsl.cli.checker import Checker
from archdsl.cli.output import report, say, style
from archdsl.diagnostics import Diagnostic
from archdsl.excerpt import visible
from archdsl.formats import Checked, write
from archdsl.graph import Apply, Network, Open
from archdsl.implied import defaults, implied


def check(
    files: Sequence[str],
    checker: Checker,
    form: str = "text",
    *,
    quiet: bool = False,
    fix: bool = False,
    diff: bool = False,
) -> int:
    """Check the files, print what is found in a form, and answer the exit status."""
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
    here: dict[object, tuple[Apply, int]] = {}  # one of those that say the same, and how many there are
    everywhere: dict[object, tuple[Apply, int]] = {}
    for use in uses(network):
        apply, spec = use.apply, use.apply.layer.spec
        if use.shared:
            continue
        if apply.implied:
            key: object = (apply.span, spec, apply.implied)
            here[key] = apply, use.times + here.get(key, (apply, 0))[1]
        if apply.defaults:
            key = (spec, apply.defaults)
            everywhere[key] = apply, use.times + everywhere.get(key, (apply, 0))[1]
    rows: dict[tuple[str, str, str], int] = {}
    for apply, times in here.values():
        row = (apply.span.place, apply.layer.spec, ", ".join(implied(apply)))
        rows[row] = rows.get(row, 0) + times
    for apply, times in everywhere.values():
        row = ("by default", apply.layer.spec, ", ".join(defaults(apply)))
        rows[row] = rows.get(row, 0) + times
    wide = [max((len(key[i]) for key in rows), default=0) for i in range(2)]
    return [
        f"{place:<{wide[0]}}  {layer:<{wide[1]}}  {values}" + (f"  ({times} times)" if times > 1 else "")
        for (place, layer, values), times in rows.items()
    ]
