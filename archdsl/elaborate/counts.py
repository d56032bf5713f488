"""Counts that stay open: `[(CONV-RELU)*N-POOL]*M` where nothing says what N and M are.

The network is elaborated with one copy of each; then each count alone is raised until the network is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archdsl.annotations import Any, Optional
from archdsl.diagnostics import Diagnostic, Findings
from archdsl.elaborate.place import Run
from archdsl.graph import Network, Open
from archdsl.records import NamedTuple, replace
from archdsl.syntax import tree

STEPWISE = 16  # counts up to this are tried one by one, then each twice as large
LARGEST = 1 << 40
MOST_STEPS = 12_000  # steps of all tries together

Elaborate = Callable[[Run], Optional[Network]]


class Counts(NamedTuple):
    """The counts that a network allows: up to `most`, or any; `why` the next one is refused."""

    most: int | None
    why: str = ""

    def __str__(self) -> str:
        if self.most is None:
            return f"any count, {self.why}" if self.why else "any count"
        return f"at most {self.most} ({self.most + 1}: {self.why})"


def open_counts(file: tree.File, constants: Mapping[str, Any]) -> list[str]:
    """The names that count copies and that nothing defines."""
    defined: set[str] = set(constants)
    for statement in file.statements:
        if isinstance(statement, (tree.Constant, tree.Block, tree.Function)):
            defined.add(statement.name.id)
    found: dict[str, None] = {}
    for statement in file.statements:
        if isinstance(statement, tree.Chain):
            found.update({name: None for name in _counts(statement) if name not in defined})
    return list(found)


def _counts(node: Any) -> Iterator[str]:
    """The bare names that count copies inside a chain of the file, but for those that loops bind."""
    if isinstance(node, tree.Repeated):
        if isinstance(node.count, tree.Name):
            yield node.count.id
        yield from _counts(node.step)
    elif isinstance(node, tree.Loop):
        bound = {name for target in node.targets for name in _bound(target)}
        yield from (name for name in _counts(node.body) if name not in bound)
    elif isinstance(node, (tree.Labelled, tree.Optional_)):
        yield from _counts(node.step)
    elif isinstance(node, tree.Group):
        yield from _counts(node.body)
    else:
        parts: tuple[Any, ...] = ()
        if isinstance(node, tree.Chain):
            parts = node.steps
        elif isinstance(node, tree.Body):
            parts = node.lines
        elif isinstance(node, tree.Join):
            parts = node.arms
        elif isinstance(node, tree.Condition):
            parts = tuple(branch.body for branch in node.branches)
        for part in parts:
            yield from _counts(part)


def _bound(target: tree.Target) -> Iterator[str]:
    if isinstance(target.names, str):
        yield target.names
    else:
        for inner in target.names:
            yield from _bound(inner)


def elaborate_counts(run: Run, names: list[str], elaborate: Elaborate) -> Optional[Network]:
    """The network with one copy for each open count, and what it allows; None where the findings have got an error."""
    point = dict.fromkeys(names, 1)
    network, findings = _at(run, point, elaborate)
    for d in findings.found:
        at = " and ".join(names)
        run.findings.add(replace(d, notes=(*d.notes, f"with {at} of 1")) if d.severity == "error" else d)
    if network is None:
        return None
    allowed = {name: _most(run, point, name, elaborate) for name in names}
    network.open = Open({}, point, dict(allowed))
    return network


def _most(run: Run, point: dict[str, int], name: str, elaborate: Elaborate) -> Counts:
    """The greatest count up to which the network checks, the others being what they are at the point."""
    good, bad, why = 1, 0, ""
    n = 2
    while n <= LARGEST and run.steps < MOST_STEPS:
        network, findings = _at(run, {**point, name: n}, elaborate)
        if network is None:
            bad, why = n, _reason(findings)
            break
        good = n
        n = n + 1 if n < STEPWISE else 2 * n
    if not bad:
        return Counts(None, f"as far as {good} was tried" if n <= LARGEST else "")
    while bad - good > 1:  # only past STEPWISE
        middle = (good + bad) // 2
        network, findings = _at(run, {**point, name: middle}, elaborate)
        if network is None:
            bad, why = middle, _reason(findings)
        else:
            good = middle
    return Counts(good, why)


def _at(run: Run, point: Mapping[str, int], elaborate: Elaborate) -> tuple[Optional[Network], Findings]:
    trial = Run(Findings(), {**run.outside, **point}, run.inputs, run.root, run.fit, main=run.main)
    network = elaborate(trial)
    run.steps += trial.spent
    return (None if trial.findings.errors else network), trial.findings


def _reason(findings: Findings) -> str:
    first: Diagnostic = findings.errors[0]
    where = f" at {first.span.place}" if first.span else ""
    return f"{first.message}{where}"
