"""Line charts as SVG: panels one under the other, a legend above them; readable on a light page and on a dark one."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import NamedTuple
from xml.sax.saxutils import escape

MARK = "<!-- Made by archdsl -->"
"""How archdsl knows a picture of its own."""

WIDTH, HEIGHT = 760, 260  # of a panel's field, in pixels
LEFT, RIGHT, TOP, BELOW, ROW = 64, 20, 34, 44, 20
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #444 }
.title { font-weight: 600 }
.grid { stroke: #888; stroke-opacity: .25 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.faint { stroke-width: 1; stroke-opacity: .55 }
@media (prefers-color-scheme: dark) { text { fill: #bbb } }
"""


class Line(NamedTuple):
    """A curve through points from left to right; `faint` is thin and pale, `dots` marks each point."""

    points: tuple[tuple[float, float], ...]
    colour: str
    faint: bool = False
    dots: bool = False


class Panel(NamedTuple):
    """A field with axes of its own; with `percent`, values are parts of 1."""

    title: str
    lines: tuple[Line, ...]
    percent: bool = False


def draw(panels: Sequence[Panel], across: str, legend: Sequence[tuple[str, str]]) -> str:
    """The SVG of panels over one horizontal axis called `across`; the legend has colours and their texts."""
    top = ROW * (len(legend) + 1) + 8
    height = top + len(panels) * (TOP + HEIGHT + BELOW)
    width = LEFT + WIDTH + RIGHT
    names = ", ".join(name for _, name in legend)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>{_text(names)}</title>",
        f"<style>{STYLE}</style>",
        *_legend(legend),
    ]
    for i, panel in enumerate(panels):
        parts += _panel(panel, across, top + i * (TOP + HEIGHT + BELOW) + TOP)
    return "\n".join([MARK, *parts, "</svg>"]) + "\n"


def _legend(legend: Sequence[tuple[str, str]]) -> list[str]:
    parts = [f'<text x="{LEFT}" y="{ROW}">thin: training, thick with dots: validation</text>']
    for i, (colour, name) in enumerate(legend, 1):
        y = ROW * (i + 1)
        parts.append(f'<path class="line" stroke="{colour}" d="M{LEFT} {y - 4}h24"/>')
        parts.append(f'<text x="{LEFT + 32}" y="{y}">{_text(name)}</text>')
    return parts


def _panel(panel: Panel, across: str, top: int) -> list[str]:
    xs = [x for line in panel.lines for x, _ in line.points]
    ys = [y for line in panel.lines for _, y in line.points]
    columns = _ticks(min([0.0, *xs]), max(xs), 10, whole=True)
    rows = _ticks(min(ys), max(ys), 6)
    right, bottom = LEFT + WIDTH, top + HEIGHT
    low, high = rows[0], rows[-1]
    end = max(max(xs), columns[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + WIDTH * (x - columns[0]) / (end - columns[0]), bottom - HEIGHT * (y - low) / (high - low)

    parts = [f'<text class="title" x="{LEFT}" y="{top - 12}">{_text(panel.title)}</text>']
    for value in rows:
        _, y = place(columns[0], value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        shown = f"{100 * value:.10g}%" if panel.percent else f"{value:.10g}"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>')
    for value in columns:
        x, _ = place(value, low)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{value:.10g}</text>')
    parts.append(f'<text x="{right}" y="{bottom + 36}" text-anchor="end">{_text(across)}</text>')
    for line in panel.lines:
        places = [place(x, y) for x, y in line.points]
        if len(places) > 1:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
            kind = "line faint" if line.faint else "line"
            parts.append(f'<path class="{kind}" stroke="{line.colour}" d="M{path}"/>')
        if line.dots or len(places) == 1:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{line.colour}"/>' for x, y in places]
    return parts


def _ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Round numbers from just below `low` to just above `high`, but with `whole` whole ones that `high` holds."""
    if high <= low:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    rough = (high - low) / most
    size = 10.0 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    if whole:
        step = max(1.0, step)
    last = floor(high / step + 1e-9) if whole else ceil(high / step - 1e-9)
    first = floor(low / step + 1e-9)
    return [i * step for i in range(first, max(last, first + (0 if whole else 1)) + 1)]


def _text(text: str) -> str:
    return escape("".join(c if c.isprintable() else "?" for c in text))
