"""The classes of a module's source: one for each block or group that is no Sequential."""

from __future__ import annotations

import builtins
import re
from collections import Counter

from archdsl.annotations import Any, Union
from archdsl.backends.pytorch.body import Body, Child, Reference
from archdsl.backends.pytorch.builder import Builder
from archdsl.backends.pytorch.code import Absent, Chain, Hole, change, walk
from archdsl.backends.pytorch.flow import registers
from archdsl.backends.pytorch.parameters import (
    RESERVED,
    Parameter,
    agrees,
    annotation,
    as_formula,
    default_of,
    fresh_name,
    has_absent_gap,
    identifier,
    known_names,
    part_name,
    place_of,
)
from archdsl.backends.pytorch.steps import takes_arriving
from archdsl.backends.pytorch.switches import Switch, find_switches, pieces
from archdsl.backends.pytorch.unify import Differ, fit, fit_chain, unify
from archdsl.elaborate.labels import TAKEN
from archdsl.graph import Apply, Call, Module, Network, Region, Repeat, Share, Value
from archdsl.layers.code import Call as Construct
from archdsl.layers.code import Infix, Name
from archdsl.records import NamedTuple

MOST_UNNAMED = 3  # parameters of a Sequential's class that neither its block nor a formula names


class Class(NamedTuple):
    """A class of the emitted source: a Chain for a Sequential of its own, else a Body."""

    name: str
    title: str  # the block's name in the spec, "" for a group
    code: Union[Chain, Body]
    parameters: tuple[Parameter, ...]
    switched: tuple[tuple[str, Any], ...]  # children that are there only on a condition
    forward: tuple[str, ...]  # the names of forward's submodules from around
    stored: tuple[tuple[str, str], ...] = ()  # attributes that forward reads, each with its parameter


class Classes:
    """All classes that a network needs but its own, in the order in which they are defined."""

    def __init__(self, network: Network, builder: Builder) -> None:
        self.builder = builder
        self.made: list[Class] = []
        self.instances: dict[Module, Any] = {}  # what constructs each module
        self._defaults: dict[str, dict[str, Any]] = {}  # of the parameters of each class made
        self._names = Counter({network.name: 1})
        self._taken = {network.name, *RESERVED, *dir(builtins), *builder.helpers}
        groups: dict[object, list[Call]] = {}
        _collect(network.module.region, groups, builder)
        for key in _inner_first(groups, builder):
            self._define(groups[key])

    def resolve(self, code: Any) -> Any:
        """The code with each Reference replaced by what constructs that module."""
        return change(code, lambda c: self.instances[c.module] if isinstance(c, Reference) else c)

    def trimmed(self, code: Any) -> Any:
        """The code without arguments that only repeat a default of a class made here."""

        def rule(part: Any) -> Any:
            known = (
                self._defaults.get(part.name) if isinstance(part, Construct) and isinstance(part.name, str) else None
            )
            if known is None or not any(_repeats(known, pair) for pair in part.kwargs):
                return part
            return part._replace(kwargs=tuple(pair for pair in part.kwargs if not _repeats(known, pair)))

        return change(code, rule)

    def body(self, call: Call) -> Union[Chain, Body]:
        """The code of one instance."""
        module, builder = call.module, self.builder
        chain = builder.chain(module)
        if chain is not None and not (module.title and chain.named):
            return Chain(self.resolve(chain.items), chain.named)
        flow = builder.flow
        inputs: list[Value] = [module.region.param] if takes_arriving(module) else []
        inputs += flow.captures[module]
        results = (module.region.result, *flow.exports[module])
        body: Body = self.resolve(builder.body(module, tuple(inputs), results, set()))
        return body

    def _define(self, calls: list[Call]) -> None:
        """The classes for all instances of one block: as few as can be."""
        bodies = [self.body(call) for call in calls]
        left = list(range(len(calls)))
        order = sorted(left, key=lambda i: -_children(bodies[i]))
        groups: list[tuple[list[Call], list[Any]]] = []
        while left:
            lead = next(i for i in order if i in left)
            members, codes = [lead], [bodies[lead]]
            for i in left:
                if i == lead:
                    continue
                for code in (bodies[i], _fitted(bodies[lead], bodies[i])):
                    if code is None:
                        continue
                    try:
                        unify([*codes, code])
                    except Differ:
                        continue
                    members.append(i)
                    codes.append(code)
                    break
            ordered = sorted(zip(members, codes), key=lambda pair: pair[0])
            groups.append(([calls[i] for i, _ in ordered], [code for _, code in ordered]))
            left = [i for i in left if i not in members]
        if any(_too_apart(*group) for group in groups):
            for call, body in zip(calls, bodies):  # each is a Sequential where it stands
                self.instances[call.module] = body
            return
        for group in groups:
            self._class(*group)

    def _class(self, calls: list[Call], codes: list[Any]) -> None:
        template = unify(codes)
        module = calls[0].module
        columns = list(template.columns)
        known = known_names(calls)
        switches = find_switches(codes, known)
        name = self._name(module.title or _camel(calls[0].label))
        taken = set(RESERVED) | {switch.name for switch in switches}
        code = template.code
        chosen: list[tuple[str, tuple[Any, ...]]] = []
        replaced: dict[int, Any] = {}
        for index, column in enumerate(columns):
            direct = next((n for n, v in known if agrees(column, v) and not has_absent_gap(column, v)), None)
            if direct is not None:
                replaced[index] = Name(direct)
                if direct not in dict(chosen):
                    chosen.append((direct, next(v for n, v in known if n == direct)))
                taken.add(direct)
        for index, column in enumerate(columns):
            if index in replaced:
                continue
            formula = as_formula(column, known)
            if formula is not None:
                code_of, names = formula
                replaced[index] = code_of
                for used in names:
                    if used not in dict(chosen):
                        chosen.append((used, next(v for n, v in known if n == used)))
                    taken.add(used)
                continue
            fresh = part_name(calls, column) or fresh_name(place_of(template.code, index), taken)
            if fresh in taken:
                fresh = fresh_name(("", fresh), taken)
            taken.add(fresh)
            replaced[index] = Name(fresh)
            chosen.append((fresh, column))
        code, stored = _filled(code, replaced)
        switches = [_told(switch, chosen) for switch in switches]
        for switch in switches:
            own = switch.name or next(n.name for n in walk(switch.condition) if isinstance(n, Name))
            if own not in dict(chosen):
                chosen.append((own, switch.there if switch.name else dict(known)[own]))
        ranks = {name: rank for rank, (name, _) in enumerate([("in_channels", ()), *known, *chosen][::-1])}
        order = sorted(chosen, key=lambda pair: (default_of(*pair) != Absent(), -ranks[pair[0]]))
        parameters = tuple(Parameter(n, annotation(v), default_of(n, v)) for n, v in order)
        conditions = {position: switch.condition for switch in switches for position in switch.positions}
        switched = tuple((pieces(code)[position].name, test) for position, test in conditions.items())
        if isinstance(code, Chain):
            items = (
                item._replace(condition=conditions.get(i)) if i in conditions else item
                for i, item in enumerate(code.items)
            )
            code = Chain(tuple(items), code.named)
        outer = tuple(identifier(self._outer_name(step)) for step in self.builder.flow.borrowed[module])
        self.made.append(Class(name, module.title, code, parameters, switched, outer, stored))
        self._defaults[name] = {p.name: p.default for p in parameters}
        values = dict(chosen)
        for i, call in enumerate(calls):
            args: list[Any] = []
            kwargs: list[tuple[str, Any]] = []
            for parameter in parameters:
                value = values[parameter.name][i]
                if isinstance(value, Absent):
                    continue
                if parameter.default == Absent() and not kwargs:
                    args.append(value)
                else:
                    kwargs.append((parameter.name, value))
            self.instances[call.module] = Construct(name, tuple(args), tuple(kwargs))

    @staticmethod
    def _outer_name(step: Union[Apply, Call]) -> str:
        return str(step.label or step.kind)

    def _name(self, wanted: str) -> str:
        base = identifier(wanted)
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}{number}"
        self._taken.add(name)
        return name


def _told(switch: Switch, chosen: list[tuple[str, tuple[Any, ...]]]) -> Switch:
    """The switch by a parameter that only those have who have the children, rather than by a flag."""
    for name, column in chosen if switch.name else ():
        if all(isinstance(value, Absent) is not there for value, there in zip(column, switch.there)):
            return switch._replace(condition=Infix("is not", Name(name), None), name="")
    return switch


def _repeats(defaults: dict[str, Any], pair: tuple[str, Any]) -> bool:
    default = defaults.get(pair[0], Absent())
    return bool(default == pair[1] and type(default) is type(pair[1]))


def _filled(code: Union[Chain, Body], replaced: dict[int, Any]) -> tuple[Any, tuple[tuple[str, str], ...]]:
    """The code with its holes filled; forward reads parameters as attributes, which are listed with them."""

    def fill(part: Any) -> Any:
        return change(part, lambda c: replaced[c.index] if isinstance(c, Hole) else c)

    if isinstance(code, Chain):
        return fill(code), ()
    children = fill(code.children)
    taken = {child.name for child in children if isinstance(child, Child)} | TAKEN
    stored: dict[str, str] = {}

    def attribute(part: Any) -> Any:
        if not isinstance(part, Name):
            return part
        if part.name not in stored:
            stored[part.name] = part.name
            while stored[part.name] in taken:
                stored[part.name] += "_"
        return Name(f"self.{stored[part.name]}")

    lines = change(code.lines, lambda c: change(replaced[c.index], attribute) if isinstance(c, Hole) else c)
    return code._replace(children=children, lines=lines), tuple((a, p) for p, a in stored.items())


def _collect(region: Region, groups: dict[object, list[Call]], builder: Builder) -> None:
    for step in region.steps:
        if isinstance(step, Repeat):
            for run in step.runs:
                _collect(run.region, groups, builder)
        elif isinstance(step, Call):
            if registers(step.module) and isinstance(builder.constructor(step), Reference):
                groups.setdefault(_key(step), []).append(step)
            _collect(step.module.region, groups, builder)
        elif isinstance(step, Share):
            continue


def _key(call: Call) -> object:
    return call.module.title or (id(call.span.source), call.span.start)


def _inner_first(groups: dict[object, list[Call]], builder: Builder) -> list[object]:
    """The keys in an order in which those inside come before those around."""
    inner: dict[object, set[object]] = {}
    for key, calls in groups.items():
        found: dict[object, list[Call]] = {}
        for call in calls:
            _collect(call.module.region, found, builder)
        inner[key] = set(found)
    order: list[object] = []
    while len(order) < len(groups):
        ready = [key for key in groups if key not in order and inner[key] <= set(order)]
        order += ready
    return order


def _children(body: Union[Chain, Body]) -> int:
    return len(body.items) if isinstance(body, Chain) else len(body.children)


def _fitted(full: Union[Chain, Body], small: Union[Chain, Body]) -> Union[Chain, Body, None]:
    if isinstance(full, Body) and isinstance(small, Body):
        return fit(full, small)
    return fit_chain(full, small) if isinstance(full, Chain) and isinstance(small, Chain) else None


def _camel(label: str) -> str:
    parts = re.findall(r"[A-Za-z0-9]+", label)
    name = "".join(part[:1].upper() + part[1:] for part in parts).rstrip("0123456789")
    return name or "Group"


def _too_apart(calls: list[Call], codes: list[Any]) -> bool:
    """Whether the instances of a chain differ in so much that a class would say less than each of them written out."""
    if not isinstance(codes[0], Chain):
        return False
    columns, known = unify(codes).columns, known_names(calls)
    switches = find_switches(codes, known)
    said = [c for c in columns if any(agrees(c, v) for _, v in known) or as_formula(c, known) is not None]
    return len(columns) - len(said) > MOST_UNNAMED or sum(switch.name != "" for switch in switches) > 1
