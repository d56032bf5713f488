"""Inputs whose sizes stay open: `input 3xHxW`.

The network is elaborated at a point where it checks, the ordinary rules say which other sizes are valid, and
at some of these it is elaborated once more: what comes out must be the same network, with every assertion held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product

from archdsl.annotations import Any, Optional
from archdsl.diagnostics import Diagnostic
from archdsl.elaborate.bias import shape_of
from archdsl.elaborate.open_points import ALIKE, points
from archdsl.elaborate.open_symbols import written
from archdsl.elaborate.place import Run
from archdsl.elaborate.values import Fault, fault
from archdsl.graph import Network, Open
from archdsl.records import NamedTuple, replace
from archdsl.symbolic.expression import Size
from archdsl.symbolic.propagate import Refused
from archdsl.symbolic.sizes import Equal, Sizes
from archdsl.symbolic.solve import MOST_TRIED, NeedsSize, Solution, Solver, Tied, Together, TooMuch, with_ties
from archdsl.syntax import tree
from archdsl.syntax.source import Span

TOO_LARGE = "too large to be tried"
MOST_STEPS = 8_000  # steps of all tries together
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
    for tried, point in enumerate(points(file, run.inputs, symbols), 1):
        trial = _trial(run, point)
        network = elaborate(trial)
        steps += trial.spent
        first = first or trial
        if network is not None and not trial.findings.errors:
            for diagnostic in trial.findings.found:
                run.findings.add(diagnostic)
            return _settle(run, file, _Try(trial, network, point, {}, True), elaborate)
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


def _trial(run: Run, point: Mapping[str, int]) -> Run:
    return run.another(symbols=point)


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


class _Try(NamedTuple):
    """A point at which the network was elaborated, by `trial`; `ties` are the symbols that are equal to others.

    `exact` is False where these might differ as well; `most` is what may be spent on the legal sizes.
    """

    trial: Run
    network: Network
    point: dict[str, int]
    ties: dict[str, str]
    exact: bool
    most: int = MOST_TRIED


def _settle(run: Run, file: tree.File, made: _Try, elaborate: Elaborate) -> Optional[Network]:
    """The network with its sizes open, or None where the findings have got an error."""
    trial, network, point, ties, exact, most = made
    free = {symbol: n for symbol, n in point.items() if symbol not in ties}
    shapes = _shapes(network, file, run.inputs, point, ties)
    solver = Solver(network, shapes, free, most)
    letters = " and ".join(free)
    value = f"give a value: -D {next(iter(free))}=224"
    try:
        solution = solver.narrowed(solver.check_together(solver.solve()))
        solver.enter(solution)
        _check_reads(trial)
        _check_witnesses(run, network, solution, ties, elaborate)
        sizes = _bounded(made, solver, solution)
    except Tied as error:
        equal = {**ties, **error.ties}
        other = made._replace(point=with_ties(point, equal), ties=equal, exact=exact and error.exact)
        return _again(run, file, other, elaborate)
    except NeedsSize as error:
        needed = error.symbols or tuple(free)
        what = "it is" if len(needed) == 1 else "they are"
        text = f"the weights of {error.step.layer.spec} hang on {' and '.join(needed)}, and {what} open"
        values = " ".join(f"-D {symbol}=224" for symbol in needed)
        run.report(fault("E131", text, error.step.span, help=f"give a value: {values}; or GAP before it"))
    except TooMuch:
        run.report(fault("E131", f"the network is {TOO_LARGE} for all sizes of {letters}", file.span, help=value))
    except Refused as error:
        text = f"which sizes {error.step.layer.spec} can take is not to be told: {error}"
        run.report(fault("E131", text, error.step.span, help=value))
    except Together as error:
        span = error.value.span or file.span
        which = " and ".join(error.symbols)
        text = f"axis {error.axis} of what {span.text[:40]} gives hangs on {which} together, which are open"
        values = " ".join(f"-D {symbol}=224" for symbol in error.symbols[1:])
        run.report(fault("E131", text, span, help=f"give all but one of them a value: {values}"))
    except Fault as error:
        run.report(error)
    if run.findings.errors:
        return None
    if any(point[symbol] not in valid for symbol, valid in sizes.items()):
        inside = {symbol: valid.nearest(point[symbol])[0] for symbol, valid in sizes.items()}
        return _again(run, file, made._replace(point=with_ties(inside, ties)), elaborate)
    if not exact:
        sizes = {symbol: valid._replace(exact=False) for symbol, valid in sizes.items()}
    network.open = Open(shapes, free, {**sizes, **{a: Equal(b) for a, b in ties.items()}})
    return network


def _again(run: Run, file: tree.File, made: _Try, elaborate: Elaborate) -> Optional[Network]:
    """The same at another point, or with more symbols that are equal, for half of what the try before could spend."""
    trial = _trial(run, made.point)  # the network before has open sizes in it already
    network = elaborate(trial)
    if network is None or trial.findings.errors:
        _explain(run, trial, list(made.point), set())
        return None
    return _settle(run, file, made._replace(trial=trial, network=network, most=made.most // 2), elaborate)


def _bounded(made: _Try, solver: Solver, solution: Solution) -> dict[str, Sizes]:
    """The sizes that the assertions leave."""
    if not made.trial.claims:
        return solution.sizes
    from archdsl.elaborate.bounds import Bounds  # only where something is asserted of open sizes

    return Bounds(made.trial, made.network, solver, solution.sizes, made.ties).narrow()


def _shapes(
    network: Network, file: tree.File, inputs: Mapping[str, Any], point: Mapping[str, int], ties: Mapping[str, str]
) -> dict[str, tuple[int | str, ...]]:
    """The inputs' shapes with the open sizes as letters, that of another one where they are equal."""
    letters_of = dict(written(file, inputs))
    result: dict[str, tuple[int | str, ...]] = {}
    for given in network.inputs:
        shape = given.value.type.shape
        letters = letters_of.get(given.name, shape)
        result[given.name] = tuple(
            ties.get(c, c) if isinstance(c, str) and c in point else n for c, n in zip(letters, shape)
        )
    return result


def _check_reads(trial: Run) -> None:
    """Raise E131 where an expression has read a size that is open."""
    for span, value, axes in trial.work.reads:
        for size in value.type.shape[axes]:
            if isinstance(size, Size):
                text = f"{span.text} is {size} here, and {size.symbol} is open"
                raise fault("E131", text, span, help=f"give it a value: -D {size.symbol}=224")


def _check_witnesses(
    run: Run, network: Network, solution: Solution, ties: Mapping[str, str], elaborate: Elaborate
) -> None:
    """Elaborate at other valid sizes: raises what is found there, and E131 where another network comes out."""
    shape = _made_of(network)
    steps = 0
    for number, point in enumerate(_witnesses(solution)):
        if steps > MOST_STEPS and number >= FEWEST:
            break
        trial = _trial(run, with_ties(point, ties))
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
