"""Inputs whose sizes stay open: `input 3xHxW`.

The network is elaborated at a point where it checks, the ordinary rules say which other sizes are valid, and
at some of these it is elaborated once more: what comes out must be the same network, with every assertion held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Optional

from archdsl.diagnostics import Diagnostic, Findings
from archdsl.elaborate.bias import shape_of
from archdsl.elaborate.open_symbols import LIKELY, written
from archdsl.elaborate.place import Run
from archdsl.elaborate.values import Fault, fault
from archdsl.graph import Network, Open
from archdsl.symbolic.expression import Size
from archdsl.symbolic.propagate import Refused
from archdsl.symbolic.sizes import Sizes
from archdsl.symbolic.solve import NeedsSize, Solution, Solver, Together, TooMuch
from archdsl.syntax import tree
from archdsl.syntax.source import Span

NEXT = 64  # so many sizes from the first likely one on are tried then
MOST_TRIES = 100
MOST_STEPS = 8_000  # steps of all tries together
ALIKE = 3  # sizes, far apart, at which an error comes alike that is no fault of the size
WITNESSES = 4  # valid sizes of each symbol at which the network is elaborated again
FEWEST = 3  # points at which it is, however large it is
MOST_LETTERS = 3  # of so many symbols all combinations of the least and the greatest of these sizes are tried

Elaborate = Callable[[Run], Optional[Network]]
Key = tuple[str, str, Optional[Span]]
_OF_SIZE = frozenset("E201 E202 E203 E204 E208 E209 E220 E221 E222 E223 E224 E225 E227 E301".split())


def elaborate_open(run: Run, file: tree.File, symbols: list[str], elaborate: Elaborate) -> Optional[Network]:
    """The network with open sizes, or None where the findings have got an error."""
    first: Optional[Run] = None
    steps = 0
    always: Optional[set[Key]] = None  # the errors that came at each size
    for tried, point in enumerate(_points(symbols), 1):
        trial = _trial(run, point)
        network = elaborate(trial)
        steps += trial.spent
        first = first or trial
        if network is not None and not trial.findings.errors:
            for diagnostic in trial.findings.found:
                run.findings.add(diagnostic)
            return _settle(run, trial, network, file, point, elaborate)
        found = {_key(d) for d in trial.findings.errors}
        always = found if always is None else always & found
        if steps > MOST_STEPS or any(code not in _OF_SIZE for code, *_ in found) or (tried >= ALIKE and always):
            break
    assert first is not None and always is not None  # there is at least one point
    _explain(run, first, symbols, always if tried >= ALIKE else set())
    return None


def _key(error: Diagnostic) -> Key:
    """What makes an error the same at another size: its arithmetic, else its message, holds the sizes that matter."""
    return error.code, error.label or error.message, error.span


def _points(symbols: list[str]) -> Iterator[dict[str, int]]:
    sizes = [*LIKELY, *range(LIKELY[0] + 1, LIKELY[0] + NEXT)]
    for n in sizes[:MOST_TRIES]:
        yield dict.fromkeys(symbols, n)


def _trial(run: Run, point: Mapping[str, int]) -> Run:
    return Run(Findings(), run.outside, run.inputs, run.root, run.fit, main=run.main, symbols=point)


def _explain(run: Run, trial: Run, symbols: list[str], always: set[Key]) -> None:
    """The findings of a point, which say what is wrong with it; `always` come at any size."""
    at = " = ".join([*symbols, str(trial.symbols[symbols[0]])])

    def of_size(d: Diagnostic) -> bool:
        return d.code in _OF_SIZE and _key(d) not in always

    others = any(not of_size(d) for d in trial.findings.errors)
    for d in trial.findings.found:
        if others and of_size(d):  # it may be a matter of the size that was tried
            continue
        notes = (*d.notes, f"with {at}; no size that was tried fits") if of_size(d) else d.notes
        run.findings.add(replace(d, notes=notes))


def _settle(
    run: Run, trial: Run, network: Network, file: tree.File, point: dict[str, int], elaborate: Elaborate
) -> Optional[Network]:
    shapes = _shapes(network, file, run.inputs, point)
    solver = Solver(network, shapes, point)
    try:
        solution = solver.narrowed(solver.solve())
        solver.enter(solution)
        _check_reads(trial)
        _check_witnesses(run, network, solution, elaborate)
        sizes = _bounded(trial, network, solver, solution)
    except NeedsSize as error:
        letters = " and ".join(point)
        what = "it is" if len(point) == 1 else "they are"
        run.report(
            fault(
                "E131",
                f"the weights of {error.step.layer.spec} hang on {letters}, and {what} open",
                error.step.span,
                help=f"give a value: -D {next(iter(point))}=224; or GAP before it",
            )
        )
    except TooMuch:
        text = f"the network is too large to be tried for all sizes of {' and '.join(point)}"
        run.report(fault("E131", text, file.span, help=f"give a value: -D {next(iter(point))}=224"))
    except Refused as error:
        text = f"which sizes {error.step.layer.spec} can take is not to be told: {error}"
        run.report(fault("E131", text, error.step.span, help=f"give a value: -D {next(iter(point))}=224"))
    except Together as error:
        span = error.value.span or file.span
        text = (
            f"axis {error.axis} of what {span.text[:40]} gives hangs on {' and '.join(point)} together, which are open"
        )
        run.report(fault("E131", text, span, help=f"give one of them a value: -D {next(iter(point))}=224"))
    except Fault as error:
        run.report(error)
    if run.findings.errors:
        return None
    if all(point[symbol] in valid for symbol, valid in sizes.items()):
        network.open = Open(shapes, point, dict(sizes))
        return network
    inside = {symbol: valid.nearest(point[symbol])[0] for symbol, valid in sizes.items()}
    again = _trial(run, inside)
    made = elaborate(again)
    return _settle(run, again, made, file, inside, elaborate) if made is not None else None


def _bounded(trial: Run, network: Network, solver: Solver, solution: Solution) -> dict[str, Sizes]:
    """The sizes that the assertions leave."""
    if not trial.claims:
        return solution.sizes
    from archdsl.elaborate.bounds import Bounds  # only where something is asserted of open sizes

    return Bounds(trial, network, solver, solution.sizes).narrow()


def _shapes(
    network: Network, file: tree.File, inputs: Mapping[str, Any], point: Mapping[str, int]
) -> dict[str, tuple[int | str, ...]]:
    """The inputs' shapes with the open sizes as letters."""
    letters_of = dict(written(file, inputs))
    result: dict[str, tuple[int | str, ...]] = {}
    for given in network.inputs:
        shape = given.value.type.shape
        letters = letters_of.get(given.name, shape)
        result[given.name] = tuple(c if isinstance(c, str) and c in point else n for c, n in zip(letters, shape))
    return result


def _check_reads(trial: Run) -> None:
    """Raise E131 where an expression has read a size that is open."""
    for span, value, axes in trial.work.reads:
        for size in value.type.shape[axes]:
            if isinstance(size, Size):
                text = f"{span.text} is {size} here, and {size.symbol} is open"
                raise fault("E131", text, span, help=f"give it a value: -D {size.symbol}=224")


def _check_witnesses(run: Run, network: Network, solution: Solution, elaborate: Elaborate) -> None:
    """Elaborate at other valid sizes: raises what is found there, and E131 where another network comes out."""
    shape = _made_of(network)
    steps = 0
    for number, point in enumerate(_witnesses(solution)):
        if steps > MOST_STEPS and number >= FEWEST:
            break
        trial = _trial(run, point)
        other = elaborate(trial)
        steps += trial.spent
        at = ", ".join(f"{symbol} = {n}" for symbol, n in point.items())
        for d in trial.findings.errors:
            raise Fault(replace(d, notes=(*d.notes, f"with {at}")))
        if other is None or _made_of(other) != shape:
            span = run.scopes[run.main].file.span if run.main in run.scopes else None  # type: ignore[union-attr]  # the main file is there
            raise Fault(
                Diagnostic("E131", f"with {at} the network is another one, so its sizes cannot stay open", span)
            )


def _made_of(network: Network) -> object:
    return shape_of(network.module.region, (given.value for given in network.inputs), types=False)


def _witnesses(solution: Solution) -> Iterable[dict[str, int]]:
    """Valid sizes together: the least and the greatest of some first, then those between."""
    members = [sizes.members(WITNESSES) for sizes in solution.sizes.values()]
    ends: Iterable[tuple[int, ...]] = product(*((m[0], m[-1]) for m in members))
    if len(members) > MOST_LETTERS:
        least, greatest = tuple(m[0] for m in members), tuple(m[-1] for m in members)
        mixed = [(*a[:i], b[i], *a[i + 1 :]) for a, b in ((least, greatest), (greatest, least)) for i in range(len(a))]
        ends = (least, greatest, *mixed)
    longest = max(map(len, members))
    between = [tuple(m[min(i, len(m) - 1)] for m in members) for i in range(longest)]
    for sizes in dict.fromkeys((*ends, *between)):
        yield dict(zip(solution.sizes, sizes))
