"""A network as lines of text: by layer, folded, by block, and its measures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.analyses import all as analyses
from archdsl.cli.checking import valid
from archdsl.excerpt import Style, visible
from archdsl.graph import Network
from archdsl.report import LayerRow, Model
from archdsl.tensor import show_shape

WIDEST = 60
"""What a column's text is cut to; --json has all of it."""
MOST_JOINS = 5


def table(model: Model, rows: Sequence[LayerRow], painted: Style) -> list[str]:
    """The network with a line for each row."""
    title = f"{model.name}: " + ", ".join(f"{t.name} {show_shape(t.shape)}" for t in model.inputs)
    title += " -> " + ", ".join(f"{t.name} {show_shape(t.shape)}" for t in model.outputs)
    count = sum(row.repeats for row in model.layers)
    totals = ["", f"{count:,} layer{'s' * (count != 1)}", "", f"{model.parameters:,}", f"{model.macs:,}", ""]
    head = ["path", "layer", "output", "parameters", "MACs", "sees"]
    return [
        painted.paint(visible(title), "strong"),
        "",
        *_drawn(head, [_cells(row) for row in rows], totals, painted, right=(3, 4)),
    ]


def fold(rows: Sequence[LayerRow], depth: int) -> list[LayerRow]:
    """Rows whose paths are alike in their first `depth` names as one: the last one's output, the sums of the rest."""
    result: list[LayerRow] = []
    groups: list[tuple[str, list[LayerRow]]] = []
    for row in rows:
        names = row.path.split(".")
        head = ".".join(names[:depth])
        if len(names) > depth and groups and groups[-1][0] == head:
            groups[-1][1].append(row)
        else:
            groups.append((head if len(names) > depth else "", [row]))
    for head, inside in groups:
        last = inside[-1]
        if not head:
            result.append(last)
            continue
        count = sum(row.repeats for row in inside)
        result.append(
            last._replace(
                path=head,
                layer=f"{count:,} layer{'s' * (count != 1)}",
                given="",
                implied=(),
                inputs=inside[0].inputs,
                parameters=sum(row.parameters * row.repeats for row in inside),
                macs=sum(row.macs * row.repeats for row in inside),
                repeats=1,
            )
        )
    return result


def by_block(network: Network, painted: Style) -> list[str]:
    """A line for each block, with its part of the parameters and the MACs; what lies in no block comes first."""
    parts = sorted(analyses.by_block(network), key=lambda part: part.name != "")
    held, work = analyses.parameters(network), analyses.macs(network)

    def share(part: int, whole: int) -> str:
        return f"{100 * part / whole:.1f}%" if whole else "-"

    rows = [
        [
            part.name or "(no block)",
            f"{part.uses:,}" if part.uses else "",
            f"{part.layers:,}",
            f"{part.parameters:,}",
            share(part.parameters, held),
            f"{part.macs:,}",
            share(part.macs, work),
        ]
        for part in parts
    ]
    head = ["block", "uses", "layers", "parameters", "", "MACs", ""]
    totals = ["all", "", "", f"{held:,}", "", f"{work:,}", ""]
    return _drawn(head, rows, totals, painted, right=(1, 2, 3, 4, 5, 6))


def measures(network: Network) -> list[str]:
    """What is known of the network as a whole, for one item of the batch, in float32."""
    held, memory = analyses.totals(network), analyses.memory(network)
    rows = [
        ("parameters", f"{held.parameters:,} ({_bytes(4 * held.parameters)})"),
        ("buffers", f"{held.buffers:,}"),
        ("FLOPs", f"{analyses.flops(network):,} (two for each MAC); {analyses.elementwise(network):,} elementwise"),
        ("activations", f"{_bytes(memory.peak)} at most at inference, {_bytes(memory.kept)} kept for training"),
        ("intensity", f"{analyses.intensity(network):.1f} FLOPs for each of {_bytes(analyses.traffic(network))} moved"),
        ("depth", f"{analyses.depth(network):,} layers with weights"),
        *_seen(network),
        *([("sizes", valid(network.open))] if network.open is not None else []),
    ]
    return [f"{name:<11}  {text}" for name, text in rows]


def _seen(network: Network) -> list[tuple[str, str]]:
    """What the last map sees of the input, and the joins whose arms look at different places."""
    field = analyses.receptive_field(network)
    rows = []
    if field is not None and field.whole:
        behind = f"{field.behind} behind " if field.behind else ""
        which = "all that there is" if field.behind is None else f"all up to {behind}a position's own"
        rows.append(("sees", f"{field} of the input, {which}"))
    elif field is not None and not field.everything:
        every, first = ("x".join(map(_number, part)) for part in (field.stride, field.start))
        rows.append(("sees", f"{field} of the input, every {every} positions, the first from {first} on"))
    places: dict[str, tuple[Fraction, ...]] = {}
    for join, apart in analyses.misaligned(network):
        place = f"arms of {join.layer.spec} at {join.span.place}"
        places[place] = max(apart, places.get(place, ()))
    for place, apart in list(places.items())[:MOST_JOINS]:
        far = "x".join(map(_number, apart))
        rows.append(("misaligned", f"{place} see the input around centres up to {far} positions apart"))
    return rows


def number(value: Fraction) -> float:
    """As JSON has it; past 2**53, where doubles skip whole numbers and end at some time, a whole number."""
    return float(value) if abs(value) < 2**53 else int(value)


def _number(value: Fraction) -> str:
    shown = number(value)
    return f"{shown:.10g}" if value.denominator > 1 and isinstance(shown, float) else str(int(shown))


def _bytes(count: int) -> str:
    """A number of bytes in the unit that leaves it above 1."""
    units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    power = min((max(count, 1).bit_length() - 1) // 10, len(units) - 1)
    if count >= 2**1000:  # more than a quotient of floats holds
        return f"{count // 1024**power:,} {units[power]}"
    return f"{count / 1024**power:,.1f} {units[power]}" if power else f"{count} bytes"


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


def _drawn(
    head: list[str], rows: list[list[str]], totals: list[str], painted: Style, right: tuple[int, ...]
) -> list[str]:
    wide = [max(len(line[i]) for line in (head, totals, *rows)) for i in range(len(head))]

    def line(cells: list[str]) -> str:
        placed = (text.rjust(w) if i in right else text.ljust(w) for i, (text, w) in enumerate(zip(cells, wide)))
        return "  ".join(placed).rstrip()

    rule = painted.paint("-" * (sum(wide) + 2 * len(wide) - 2), "gutter")
    strong = (painted.paint(line(cells), "strong") for cells in (head, totals))
    return [next(strong), rule, *map(line, rows), rule, next(strong)]
