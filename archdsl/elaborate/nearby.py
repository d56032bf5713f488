"""Other sizes of the input that would fit, found by trying them on the whole network."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.diagnostics import Edit, Fix
from archdsl.elaborate.place import Run
from archdsl.graph import Network
from archdsl.records import replace
from archdsl.syntax.source import Span
from archdsl.tensor import Shape, show_shape

FURTHEST = 32  # how far another size may be off
MOST_TRIES = 40
MOST_STEPS = 5_000  # steps of all tries together


def find_inputs(run: Run, elaborate: Callable[[Run], Network | None]) -> None:
    """Add the nearest input sizes with which the whole network checks to the first E201, where nothing else is wrong.

    `elaborate` is the whole run once more, with other inputs.
    """
    errors = run.findings.errors
    if any(d.code != "E201" for d in errors) or len(run.network_inputs) != 1 or run.spent > MOST_STEPS:
        return
    (value,) = run.network_inputs.values()
    if value is None or not 2 <= value.type.rank <= 4 or len(set(value.type.shape[1:])) > 1:
        return
    shape = value.type.shape
    found: list[Shape] = []
    steps = tries = 0
    for sign in (-1, 1):
        for off in range(1, FURTHEST + 1):
            tries += 1
            size = shape[1] + sign * off
            if size < 1 or tries > MOST_TRIES // 2 * (1 if sign < 0 else 2) or steps > MOST_STEPS:
                tries = MOST_TRIES // 2
                break
            other = (shape[0], *(size,) * (len(shape) - 1))
            trial = run.another(inputs={"": other})
            elaborate(trial)
            steps += trial.spent
            if not trial.findings.errors:
                found.append(other)
                tries = MOST_TRIES // 2
                break
    if not found:
        return
    text = f"an input of {' or '.join(map(show_shape, found))} fits"
    index = run.findings.found.index(errors[0])
    others = tuple(help for help in errors[0].help if not help.startswith("a map of "))
    given = written_shape(value.span, shape)
    fixes = tuple(
        Fix(f"an input of {show_shape(other)} fits", (Edit(given, show_shape(other)),)) for other in found if given
    )
    kept = errors[0].fixes
    run.findings.found[index] = replace(errors[0], help=(*others, text), fixes=(*kept, *fixes))


def written_shape(span: Span | None, shape: Shape) -> Span | None:
    """Where an input's statement holds this shape, once."""
    text = show_shape(shape)
    if span is None or span.text.count(text) != 1:
        return None
    start = span.start + span.text.index(text)
    return Span(span.source, start, start + len(text))
