"""Inputs whose sizes stay open: `input 3xHxW`.

The network is elaborated at a point where it checks, the ordinary rules say which other sizes are valid, and
at some of these it is elaborated once more: what comes out must be the same network, with every assertion held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from archdsl.annotations import Any, Optional
from archdsl.diagnostics import Diagnostic, Findings
from archdsl.elaborate.bias import shape_of
from archdsl.elaborate.open_symbols import LIKELY, written
from archdsl.elaborate.place import Run
from archdsl.elaborate.values import Fault, fault
from archdsl.graph import Network, Open
from archdsl.records import replace
from archdsl.symbolic.expression import Size
from archdsl.symbolic.propagate import Refused
from archdsl.symbolic.solve import NeedsSize, Solution, Solver, Together, TooMuch
from archdsl.syntax import tree

NEXT = 64  # so many sizes from the first likely one on are tried then
MOST_TRIES = 100
MOST_STEPS = 12_000  # steps of all tries together
WITNESSES = 4  # valid sizes of each symbol at which the network is elaborated again

Elaborate = Callable[[Run], Optional[Network]]
_OF_SIZE = frozenset("E201 E202 E203 E204 E208 E209 E220 E221 E222 E223 E224 E225 E227 E301".split())


def elaborate_open(run: Run, file: tree.File, symbols: list[str], elaborate: Elaborate) -> Optional[Network]:
    """The network with open sizes, or None where the findings have got an error."""
    first: Optional[Run] = None
    steps = 0
    for point in _points(symbols):
        trial = _trial(run, point)
        network = elaborate(trial)
        steps += trial.spent
        first = first or trial
        if network is not None and not trial.findings.errors:
            for diagnostic in trial.findings.found:
                run.findings.add(diagnostic)
            return _settle(run, trial, network, file, point, elaborate)
        if steps > MOST_STEPS or any(d.code not in _OF_SIZE for d in trial.findings.errors):
            break
    assert first is not None  # there is at least one point
    _explain(run, first, symbols)
    return None


def _points(symbols: list[str]) -> Iterator[dict[str, int]]:
    sizes = [*LIKELY, *range(LIKELY[0] + 1, LIKELY[0] + NEXT)]
    for n in sizes[:MOST_TRIES]:
        yield dict.fromkeys(symbols, n)


def _trial(run: Run, point: Mapping[str, int]) -> Run:
    return Run(Findings(), run.outside, run.inputs, run.root, run.fit, main=run.main, symbols=point)


def _explain(run: Run, trial: Run, symbols: list[str]) -> None:
    """The findings of a point, which say what is wrong with it."""
    at = " = ".join([*symbols, str(trial.symbols[symbols[0]])])
    others = any(d.code not in _OF_SIZE for d in trial.findings.errors)
    for d in trial.findings.found:
        if others and d.code in _OF_SIZE:  # it may be a matter of the size that was tried
            continue
        notes = (*d.notes, f"with {at}; no size that was tried fits") if d.code in _OF_SIZE else d.notes
        run.findings.add(replace(d, notes=notes))


def _settle(
    run: Run, trial: Run, network: Network, file: tree.File, point: dict[str, int], elaborate: Elaborate
) -> Optional[Network]:
    shapes = _shapes(network, file, run.inputs, point)
    solver = Solver(network, shapes, point)
    try:
        solution = solver.solve()
        solver.enter(solution)
        _check_reads(trial)
        _check_witnesses(run, network, solution, elaborate)
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
    network.open = Open(shapes, point, dict(solution.sizes))
    return network


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
    for point in _witnesses(solution):
        trial = _trial(run, point)
        other = elaborate(trial)
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
    members = [sizes.members(WITNESSES) for sizes in solution.sizes.values()]
    longest = max(map(len, members), default=0)
    for i in range(longest):
        yield dict(zip(solution.sizes, (m[min(i, len(m) - 1)] for m in members)))
    if len(members) > 1:
        for ends in product(*((m[0], m[-1]) for m in members)):
            yield dict(zip(solution.sizes, ends))
