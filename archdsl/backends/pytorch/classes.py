"""The classes of a module's source: one for each block or group that is no Sequential, and their parameters' names."""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from typing import Any, NamedTuple, Optional, Union

from archdsl.backends.pytorch.body import Body, Builder, Child, Reference, takes_arriving
from archdsl.backends.pytorch.code import Absent, Chain, Hole, Item, Star, change, walk
from archdsl.backends.pytorch.flow import registers
from archdsl.backends.pytorch.unify import Differ, fit, fit_chain, unify
from archdsl.elaborate.labels import TAKEN
from archdsl.graph import Apply, Call, Module, Network, Region, Repeat, Share, Value
from archdsl.layers.code import Call as Construct
from archdsl.layers.code import Infix, Name

_POSITIONAL = {
    "nn.Linear": ("in_features", "out_features"),
    "nn.Embedding": ("num_embeddings", "embedding_dim"),
    "nn.Dropout": ("p",),
    "nn.LayerNorm": ("normalized_shape",),
    "nn.GroupNorm": ("num_groups", "num_channels"),
    "nn.MultiheadAttention": ("embed_dim", "num_heads"),
    "nn.LSTM": ("input_size", "hidden_size"),
    "nn.GRU": ("input_size", "hidden_size"),
    "nn.RNN": ("input_size", "hidden_size"),
    "DropPath": ("p",),
}
MOST_UNNAMED = 3  # parameters of a Sequential's class that neither its block nor a formula names
_USUAL = frozenset("stride groups dilation padding kernel_size bias inplace output_padding".split())
RESERVED = frozenset("torch nn F Tensor OrderedDict self x super range".split())


class Parameter(NamedTuple):
    """A parameter of a class's constructor; `default` is Absent where every instance gives it."""

    name: str
    annotation: str
    default: Any


class Class(NamedTuple):
    """A class of the emitted source: a Chain for a Sequential of its own, else a Body."""

    name: str
    title: str  # the block's name in the spec, "" for a group
    code: Union[Chain, Body]
    parameters: tuple[Parameter, ...]
    switched: tuple[tuple[str, Any], ...]  # children that are there only on a condition
    forward: tuple[str, ...]  # the names of forward's submodules from around
    stored: tuple[tuple[str, str], ...] = ()  # attributes that forward reads, each with its parameter


def identifier(text: str) -> str:
    """A Python name made of a label."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    name = f"_{name}" if name[:1].isdigit() or not name else name
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


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
        known = _known(calls)
        switches = _switches(codes, known)
        name = self._name(module.title or _camel(calls[0].label))
        taken = set(RESERVED) | {switch.name for switch in switches}
        code = template.code
        chosen: list[tuple[str, tuple[Any, ...]]] = []
        replaced: dict[int, Any] = {}
        for index, column in enumerate(columns):
            direct = next((n for n, v in known if _agrees(column, v) and not _has_absent_gap(column, v)), None)
            if direct is not None:
                replaced[index] = Name(direct)
                if direct not in dict(chosen):
                    chosen.append((direct, next(v for n, v in known if n == direct)))
                taken.add(direct)
        for index, column in enumerate(columns):
            if index in replaced:
                continue
            formula = _formula(column, known)
            if formula is not None:
                code_of, names = formula
                replaced[index] = code_of
                for used in names:
                    if used not in dict(chosen):
                        chosen.append((used, next(v for n, v in known if n == used)))
                    taken.add(used)
                continue
            fresh = _part_name(calls, column) or _fresh(_place(template.code, index), taken)
            if fresh in taken:
                fresh = _fresh(("", fresh), taken)
            taken.add(fresh)
            replaced[index] = Name(fresh)
            chosen.append((fresh, column))
        code, stored = _filled(code, replaced)
        for switch in switches:
            own = switch.name or next(n.name for n in walk(switch.condition) if isinstance(n, Name))
            if own not in dict(chosen):
                chosen.append((own, switch.there if switch.name else dict(known)[own]))
        ranks = {name: rank for rank, (name, _) in enumerate([("in_channels", ()), *known, *chosen][::-1])}
        order = sorted(chosen, key=lambda pair: (_default(*pair) != Absent(), -ranks[pair[0]]))
        parameters = tuple(Parameter(n, _annotation(v), _default(n, v)) for n, v in order)
        conditions = {position: switch.condition for switch in switches for position in switch.positions}
        switched = tuple((_pieces(code)[position].name, test) for position, test in conditions.items())
        if isinstance(code, Chain):
            pieces = (
                item._replace(condition=conditions.get(i)) if i in conditions else item
                for i, item in enumerate(code.items)
            )
            code = Chain(tuple(pieces), code.named)
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


class Switch(NamedTuple):
    """Children that some instances lack: whether each instance has them, and the condition that says so."""

    there: tuple[bool, ...]
    positions: tuple[int, ...]
    condition: Any
    name: str  # of the parameter that it takes, "" where a parameter of the block tells


def _too_apart(calls: list[Call], codes: list[Any]) -> bool:
    """Whether the instances of a chain differ in so much that a class would say less than each of them written out."""
    if not isinstance(codes[0], Chain):
        return False
    columns, known = unify(codes).columns, _known(calls)
    switches = _switches(codes, known)
    said = [c for c in columns if any(_agrees(c, v) for _, v in known) or _formula(c, known) is not None]
    return len(columns) - len(said) > MOST_UNNAMED or sum(switch.name != "" for switch in switches) > 1


def _pieces(code: Union[Chain, Body]) -> tuple[Any, ...]:
    return code.items if isinstance(code, Chain) else code.children


def _switches(codes: list[Any], known: list[tuple[str, tuple[Any, ...]]]) -> list[Switch]:
    found: dict[tuple[bool, ...], list[int]] = {}
    for position in range(len(_pieces(codes[0]))):
        there = tuple(not isinstance(_pieces(code)[position], Absent) for code in codes)
        if not all(there):
            found.setdefault(there, []).append(position)
    result = []
    used: set[str] = set()
    for there, positions in found.items():
        tests = [t for t in (_test(there, *pair) for pair in known) if t is not None]
        test = min(tests, key=lambda t: t.right not in (0, 1)) if tests else None
        piece = next(_pieces(code)[positions[0]] for code, is_there in zip(codes, there) if is_there)
        name = ""
        if test is None:
            name = _fresh(("", _switch_name(piece)), used)
            used.add(name)
            test = Name(name)
        result.append(Switch(there, tuple(positions), test, name))
    return result


def _switch_name(piece: Any) -> str:
    """What the flag for a child is called: after its layer where it goes by position, else as the child."""
    if isinstance(piece, Star):
        return _switch_name(piece.items[0])
    if not piece.name.isdigit():
        return identifier(piece.name)
    made = piece.code.name if isinstance(piece.code, Construct) else piece.name
    return identifier(str(made).rpartition(".")[2].lower())


def _test(there: tuple[bool, ...], name: str, values: tuple[Any, ...]) -> Any:
    """`stride != 1`, where that is just where the children are there."""
    out = {v for v, is_there in zip(values, there) if not is_there}
    if len(out) == 1 and not out & {v for v, is_there in zip(values, there) if is_there}:
        return Infix("!=", Name(name), out.pop())
    return None


def _known(calls: list[Call]) -> list[tuple[str, tuple[Any, ...]]]:
    """What a parameter may be called after: the block's own parameters, and the width that arrives."""
    result = []
    names = [name for name, _ in calls[0].module.arguments]
    for name in names:
        values = tuple(dict(call.module.arguments).get(name) for call in calls)
        if len(set(map(repr, values))) > 1 and all(
            isinstance(v, (int, float)) and not isinstance(v, bool) for v in values
        ):
            result.append((identifier(name), values))
    arriving = tuple(call.module.region.param.type.shape[:1] for call in calls)
    if all(arriving) and len(set(arriving)) > 1:
        result.append(("in_channels", tuple(shape[0] for shape in arriving)))
    return result


def _agrees(column: tuple[Any, ...], values: tuple[Any, ...]) -> bool:
    return all(isinstance(c, Absent) or (type(c) is type(v) and c == v) for c, v in zip(column, values))


def _has_absent_gap(column: tuple[Any, ...], values: tuple[Any, ...]) -> bool:
    """Whether agreement hangs on fewer than two present values, which could be chance."""
    return len({repr(c) for c in column if not isinstance(c, Absent)}) < 2 and any(
        isinstance(c, Absent) for c in column
    )


def _formula(
    column: tuple[Any, ...], known: list[tuple[str, tuple[Any, ...]]]
) -> Optional[tuple[Any, tuple[str, ...]]]:
    """The column as a small formula of what is known: k*a, a//k, a*b."""
    present = [i for i, c in enumerate(column) if not isinstance(c, Absent)]
    values = [column[i] for i in present]
    if len(set(values)) < 2 or not all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return None
    for first, one in known:
        for second, two in known:
            if first < second and all(v == one[i] * two[i] for v, i in zip(values, present)):
                return Infix("*", Name(first), Name(second)), (first, second)
    for name, all_values in known:
        base = [all_values[i] for i in present]
        if not all(isinstance(b, int) and b > 0 for b in base):
            continue
        k = values[0] // base[0]
        if 2 <= k <= 64 and all(v == k * b for v, b in zip(values, base)):
            return Infix("*", k, Name(name)), (name,)
        if all(v == b - 1 for v, b in zip(values, base)):
            return Infix("-", Name(name), 1), (name,)
        if all(v == (b - 1) // 2 for v, b in zip(values, base)):
            return Infix("//", Infix("-", Name(name), 1), 2), (name,)
        k = base[0] // values[0] if values[0] else 0
        if 2 <= k <= 64 and all(b == k * v for v, b in zip(values, base)):
            return Infix("//", Name(name), k), (name,)
    return None


def _place(code: Any, index: int) -> tuple[str, str]:
    """The child and the argument in which a hole stands, for its name."""
    for part in walk(code):
        if isinstance(part, (Child, Item)):
            if isinstance(part.code, Hole) and part.code.index == index:
                return part.name, "activation"
            for inner in walk(part.code):
                if isinstance(inner, Construct) and isinstance(inner.name, str):
                    names = _POSITIONAL.get(inner.name, ("in_channels", "out_channels", "kernel_size"))
                    if inner.name.startswith("nn.BatchNorm") or inner.name.startswith("nn.InstanceNorm"):
                        names = ("num_features",)
                    for position, arg in enumerate(inner.args):
                        if arg == Hole(index) and isinstance(arg, Hole):
                            return part.name, names[position] if position < len(names) else "value"
                    for name, arg in inner.kwargs:
                        if isinstance(arg, Hole) and arg.index == index:
                            return part.name, name
    return "", "value"


def _part_name(calls: list[Call], column: tuple[Any, ...]) -> str:
    """The block's own name for the one layer that is handed in, such as `act`."""
    if not all(isinstance(v, (Construct, Absent)) for v in column):
        return ""
    names = [name for name, value in calls[0].module.arguments if type(value).__name__ == "LayerValue"]
    return identifier(names[0]) if len(names) == 1 else ""


def _fresh(place: tuple[str, str], taken: set[str]) -> str:
    child, argument = place
    for name in (argument, f"{identifier(child).strip('_')}_{argument}" if child else argument):
        if name not in taken and not name[0].isdigit():
            return name
    number = 2
    while f"{argument}{number}" in taken:
        number += 1
    return f"{argument}{number}"


def _default(name: str, column: tuple[Any, ...]) -> Any:
    """A default for what most instances share, where it is usual to have one; Absent for none."""
    present = [v for v in column if not isinstance(v, Absent)]
    if all(isinstance(v, bool) for v in present):
        return False
    if len(present) < len(column):
        return None
    if all(isinstance(v, Construct) for v in present) or name in _USUAL:
        value, times = Counter(map(repr, present)).most_common(1)[0]
        if times * 2 >= len(present) and name in _USUAL:
            return next(v for v in present if repr(v) == value)
    return Absent()


def _annotation(column: tuple[Any, ...]) -> str:
    present = [v for v in column if not isinstance(v, Absent)]
    kinds = []
    for v in present:
        kind = "bool" if isinstance(v, bool) else "nn.Module" if isinstance(v, Construct) else type(v).__name__
        kind = "tuple[int, ...]" if kind == "tuple" else kind
        if kind not in kinds:
            kinds.append(kind)
    if len(present) < len(column):
        kinds.append("None")
    return " | ".join(kinds)
