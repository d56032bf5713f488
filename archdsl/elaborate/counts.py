"""Counts that stay open: `[(CONV-RELU)*N-POOL]*M` where nothing says what N and M are.

The network is elaborated with one copy of each, or with the least counts that it allows; then each count alone is
raised until no larger one can be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archdsl.annotations import Any, Optional
from archdsl.diagnostics import Diagnostic, Findings
from archdsl.elaborate.mentions import parts_of
from archdsl.elaborate.place import Run
from archdsl.elaborate.repetition import IN_COPY
from archdsl.graph import Network, Open
from archdsl.records import NamedTuple, replace
from archdsl.syntax import tree
from archdsl.syntax.nesting import within

STEPWISE = 16  # counts up to this are tried one by one, then each twice as large
LARGEST = 1 << 40
MOST_STEPS = 12_000  # steps of all tries together

Elaborate = Callable[[Run], Optional[Network]]


class Counts(NamedTuple):
    """The counts, from 1 on, that a network allows: `ranges` of them, both ends included; None is no end.

    `why` the one behind the last range is refused, or how far was tried: behind a `cut` others may be right.
    """

    ranges: tuple[tuple[int, int | None], ...]
    why: str = ""
    cut: bool = False

    def __str__(self) -> str:
        first, last = self.ranges[0], self.ranges[-1]
        if first == (1, None):
            return f"any count, {self.why}" if self.why else "any count"
        if self.cut:
            return f"{', '.join(map(_range, self.ranges))}, {self.why}"
        told = ", ".join(map(_range, self.ranges)) if first[0] > 1 or len(self.ranges) > 1 else f"at most {first[1]}"
        if last[1] is None:
            return f"{told}, {self.why}" if self.why else told
        return f"{told} ({last[1] + 1}: {self.why})"


def _range(ends: tuple[int, int | None]) -> str:
    first, last = ends
    if last is None:
        return f"{first} and more"
    return f"{first} to {last}" if last > first else str(first)


def open_counts(file: tree.File, constants: Mapping[str, Any]) -> list[str]:
    """The names that count copies and that nothing defines."""
    found = dict.fromkeys(name for chain in file.composed for name in _counts(chain))
    if not found:
        return []
    definitions = (s for s in file.heads if isinstance(s, (tree.Constant, tree.Block, tree.Function)))
    defined = {*constants, *(statement.name.id for statement in definitions)}
    return [name for name in found if name not in defined]


def _counts(node: Any) -> Iterator[str]:
    """The bare names that count copies inside a chain of the file, but for those that loops bind."""
    if isinstance(node, tree.Repeated) and isinstance(node.count, tree.Name):
        yield node.count.id
    inside = (name for part in within(node) for name in _counts(part))
    if isinstance(node, tree.Loop):
        bound = {name for target in node.targets for name in _bound(target)}
        inside = (name for name in inside if name not in bound)
    yield from inside


def _bound(target: tree.Target) -> Iterator[str]:
    if isinstance(target.names, str):
        yield target.names
    else:
        for inner in target.names:
            yield from _bound(inner)


def elaborate_counts(run: Run, file: tree.File, names: list[str], elaborate: Elaborate) -> Optional[Network]:
    """The network with the least counts that it allows, and what it allows; None behind an error.

    Raises nothing: where no counts are right, what is wrong with one copy of each is told.
    """
    point = dict.fromkeys(names, 1)
    network, findings = _at(run, point, elaborate)
    if network is None:
        point, network, findings = _least(run, names, findings, elaborate) or (point, network, findings)
    for d in findings.found:
        at = " and ".join(names)
        run.findings.add(replace(d, notes=(*d.notes, f"with {at} of 1")) if d.severity == "error" else d)
    if network is None:
        return None
    allowed = {name: _allowed(run, file, point, name, elaborate) for name in names}
    network.open = Open({}, point, dict(allowed))
    return network


def _least(
    run: Run, names: list[str], ones: Findings, elaborate: Elaborate
) -> tuple[dict[str, int], Network, Findings] | None:
    """The first counts that are right where `ones` of each are not: each alone is raised, or all alike.

    None where there are none, and where two of each are wrong for the same reason as one.
    """
    hopeless = True
    for n in range(2, STEPWISE + 1):
        points = [dict.fromkeys(names, 1) | {name: n} for name in names] + [dict.fromkeys(names, n)] * (len(names) > 1)
        for point in points:
            network, findings = _at(run, point, elaborate)
            if network is not None:
                return point, network, findings
            hopeless = hopeless and _reason(findings) == _reason(ones)
        if hopeless or run.steps > MOST_STEPS:
            return None
    return None


def _allowed(run: Run, file: tree.File, point: dict[str, int], name: str, elaborate: Elaborate) -> Counts:
    """The counts with which the network checks, the others being what they are at the point.

    One by one as long as one behind may be right: until a copy is refused for what it is, which each larger count
    has too, or until `STEPWISE` in sequence were refused. Where the first `STEPWISE` are right, in larger steps.
    """
    ranges: list[tuple[int, int]] = []
    why, before = "", None  # what is wrong with the last one, as far as it is a copy's own fault
    n, misses, alone = 0, 0, not _is_value(file, name)
    while misses < STEPWISE and run.steps < MOST_STEPS and ranges != [(1, STEPWISE)]:
        n += 1
        network, findings = _at(run, {**point, name: n}, elaborate)
        if network is not None:
            misses, before = 0, None
            ranges = [*ranges[:-1], (ranges[-1][0], n)] if ranges and ranges[-1][1] == n - 1 else [*ranges, (n, n)]
            continue
        misses += 1
        why = _reason(findings) if misses == 1 else why
        fault = _in_a_copy(findings, name) if alone else None
        if fault is not None and fault == before:
            return Counts(tuple(ranges), why)
        before = fault
    if ranges == [(1, STEPWISE)]:
        return _most(run, point, name, elaborate)
    n = max(n, point[name])  # where no step was left for a try, at least the point is known
    ranges = ranges or [(point[name], point[name])]
    if ranges[-1][1] == n:
        return Counts(tuple(ranges), f"as far as {n} was tried", cut=True)
    return Counts(tuple(ranges), f"{why}; as far as {n} was tried")


def _most(run: Run, point: dict[str, int], name: str, elaborate: Elaborate) -> Counts:
    """The greatest count that checks: each time twice as large, then halving what lies between."""
    good, bad, why = STEPWISE, 0, ""
    n = 2 * STEPWISE
    while n <= LARGEST and run.steps < MOST_STEPS:
        network, findings = _at(run, {**point, name: n}, elaborate)
        if network is None:
            bad, why = n, _reason(findings)
            break
        good, n = n, 2 * n
    if not bad:
        return Counts(((1, None),), f"as far as {good} was tried" if n <= LARGEST else "")
    while bad - good > 1:
        middle = (good + bad) // 2
        network, findings = _at(run, {**point, name: middle}, elaborate)
        if network is None:
            bad, why = middle, _reason(findings)
        else:
            good = middle
    return Counts(((1, good),), why)


def _is_value(file: tree.File, name: str) -> bool:
    """Whether a count is used for more than to count, so that it changes what is counted."""
    counting = used = 0
    waiting: list[Any] = [file]
    while waiting:
        node = waiting.pop()
        counting += isinstance(node, tree.Repeated) and isinstance(node.count, tree.Name) and node.count.id == name
        used += isinstance(node, tree.Name) and node.id == name
        waiting += parts_of(node)
    return used > counting


def _in_a_copy(findings: Findings, name: str) -> tuple[str, ...] | None:
    """The first error, where it lies in a copy that the name counts: the same with one more is the same in all."""
    first = findings.errors[0]
    here = [r.text.partition(" of ")[0] for r in first.related if r.span.text == name and r.text.startswith(IN_COPY)]
    return (first.message, first.span.place if first.span else "", *here) if here else None


def _at(run: Run, point: Mapping[str, int], elaborate: Elaborate) -> tuple[Optional[Network], Findings]:
    trial = run.another(given={**run.outside, **point})
    network = elaborate(trial)
    run.steps += trial.spent
    return (None if trial.findings.errors else network), trial.findings


def _reason(findings: Findings) -> str:
    first: Diagnostic = findings.errors[0]
    where = f" at {first.span.place}" if first.span else ""
    return f"{first.message}{where}"
