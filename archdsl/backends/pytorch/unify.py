"""One class for all instances of a block: what they have in common is the class, what differs its parameters.

This is anti-unification (Plotkin, "A note on inductive generalization", 1970) over the code of the instances,
where only literals and modules without weights may differ. An instance that lacks children which another has,
and gives what arrives in their place, is one of the same class with these children switched off.
"""

from __future__ import annotations

from itertools import combinations, islice

from archdsl.annotations import Any, Optional
from archdsl.backends.pytorch.body import Body, Child, Line
from archdsl.backends.pytorch.code import Absent, Chain, Hole, Item, Kid, Star, Val, change, is_node, walk
from archdsl.layers import code as layers_code
from archdsl.layers.code import Call
from archdsl.records import NamedTuple

# torch's defaults of arguments that one instance may give and another leave out
_DEFAULTS = {
    "stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True, "output_padding": 0, "inplace": False,
    "ceil_mode": False, "padding_mode": "zeros", "count_include_pad": True, "dropout": 0.0, "num_layers": 1,
}  # fmt: skip
_PARTS = frozenset(  # modules without weights, which may be handed in
    "nn.ReLU nn.ReLU6 nn.LeakyReLU nn.ELU nn.SELU nn.GELU nn.SiLU nn.Mish nn.Sigmoid nn.Tanh nn.Hardswish "
    "nn.Hardsigmoid nn.Softplus nn.Identity".split()
)


_EXPRESSIONS = (layers_code.Method, layers_code.Infix, layers_code.Item, layers_code.Span)


MOST_PLACES = 200  # ways to place the items of a shorter chain in a longer one


class Differ(Exception):
    """The codes differ in more than a class's parameters could say."""


class Template(NamedTuple):
    """What instances have in common, with holes; `columns` hold what each instance has there, Absent for nothing."""

    code: Any
    columns: tuple[tuple[Any, ...], ...]


def unify(codes: list[Any]) -> Template:
    """The most special code that all of them are instances of; raises Differ where that is no class."""
    columns: list[tuple[Any, ...]] = []

    def hole(values: tuple[Any, ...]) -> Hole:
        for index, column in enumerate(columns):
            if _same(column, values):
                return Hole(index)
        columns.append(values)
        return Hole(len(columns) - 1)

    def merge(values: tuple[Any, ...], literal: bool) -> Any:
        present = [v for v in values if not isinstance(v, Absent)]
        first = present[0] if present else values[0]
        if all(_equal(v, first) for v in present):
            return first
        if literal and all(_is_literal(v) for v in present):
            return hole(values)
        if all(isinstance(v, Call) and v.name in _PARTS for v in present) and len({v.name for v in present}) > 1:
            return hole(values)
        if any(type(v) is not type(first) for v in present):
            raise Differ
        if isinstance(first, Call):
            return _merge_calls(values, first, merge)
        if isinstance(first, layers_code.Method):
            return _merge_methods(values, first, merge)
        if isinstance(first, (Line, Item, Child)):
            return _merge_commented(values, first, merge)
        if isinstance(first, Star):
            count = merge(tuple(_part(v, 0) for v in values), True)
            return Star(count, merge(tuple(_part(v, 1) for v in values), False), first.step)
        if not isinstance(first, (tuple, list)) or any(len(v) != len(first) for v in present):
            raise Differ
        inside = (literal or isinstance(first, _EXPRESSIONS)) and not isinstance(first, (Val, Kid))
        parts = [merge(tuple(_part(v, i) for v in values), inside) for i in range(len(first))]
        return type(first)(*parts) if is_node(first) else type(first)(parts)

    return Template(merge(tuple(codes), False), tuple(columns))


_USUAL_ORDER = "kernel_size stride padding output_padding dilation groups bias padding_mode".split()


def _order_of(name: str) -> int:
    return _USUAL_ORDER.index(name) if name in _USUAL_ORDER else len(_USUAL_ORDER)


def _part(value: Any, index: int) -> Any:
    return value if isinstance(value, Absent) else value[index]


def _merge_calls(values: tuple[Any, ...], first: Call, merge: Any) -> Call:
    present = [v for v in values if not isinstance(v, Absent)]
    if any(v.name != first.name or len(v.args) != len(first.args) for v in present):
        raise Differ
    names = sorted({name: None for v in present for name, _ in v.kwargs}, key=_order_of)
    given: list[Any] = [v if isinstance(v, Absent) else dict(v.kwargs) for v in values]
    kwargs = []
    for name in names:
        column: list[Any] = []
        for own in given:
            if isinstance(own, Absent):
                column.append(own)
            elif name in own:
                column.append(own[name])
            elif name in _DEFAULTS and str(first.name).startswith("nn."):
                column.append(_DEFAULTS[name])
            else:
                raise Differ
        kwargs.append((name, merge(tuple(column), True)))
    args = tuple(
        merge(tuple(v if isinstance(v, Absent) else v.args[i] for v in values), True) for i in range(len(first.args))
    )
    return Call(first.name, args, tuple(kwargs))


_AXES = frozenset("permute transpose movedim unsqueeze chunk flatten mean sum".split())  # methods that are told axes


def _merge_methods(values: tuple[Any, ...], first: layers_code.Method, merge: Any) -> layers_code.Method:
    """Methods of one name; axes are no parameters, since a forward that does not say them says little."""
    present = [v for v in values if not isinstance(v, Absent)]
    if any(v.name != first.name or len(v.args) != len(first.args) or v.kwargs != first.kwargs for v in present):
        raise Differ
    if first.name in _AXES and any(v.args != first.args for v in present):
        raise Differ
    args = tuple(
        merge(tuple(v if isinstance(v, Absent) else v.args[i] for v in values), True) for i in range(len(first.args))
    )
    value = merge(tuple(v if isinstance(v, Absent) else v.value for v in values), True)
    return first._replace(value=value, args=args)


def _merge_commented(values: tuple[Any, ...], first: Any, merge: Any) -> Any:
    """Names and numbers of tensors are the same in all; a comment is dropped where it differs."""
    present = [v for v in values if not isinstance(v, Absent)]
    for v in present:
        for name in first._fields:
            if name not in ("code", "comment", "place") and getattr(v, name) != getattr(first, name):
                raise Differ
    code = merge(tuple(v if isinstance(v, Absent) else v.code for v in values), False)
    same = all(v.comment == first.comment for v in present)
    return first._replace(code=code, comment=first.comment if same else "")


def _is_literal(value: Any) -> bool:
    if isinstance(value, (bool, int, float)):
        return True
    return isinstance(value, tuple) and not is_node(value) and all(isinstance(v, int) for v in value)


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _same(column: tuple[Any, ...], values: tuple[Any, ...]) -> bool:
    return all(
        _equal(a, b) or (isinstance(a, Absent) and isinstance(b, Absent)) for a, b in zip(column, values)
    )  # fmt: skip


# ---- children that an instance may lack


def without(full: Body, names: frozenset[str]) -> Optional[tuple[Body, tuple[bool, ...]]]:
    """The body without some children, each of whose steps gives what arrives at it; None where that cannot be.

    The flags say which lines are left.
    """
    moved: dict[int, int] = {}
    lines: list[Line] = []
    kept: list[bool] = []
    for line in full.lines:
        line = line._replace(code=_renumber(line.code, moved))
        used = {part.path[0] for part in walk(line.code) if isinstance(part, Kid)}
        kept.append(not used & names)
        if kept[-1]:
            lines.append(line)
            continue
        call = line.code
        plain = isinstance(call, Call) and len(call.args) == 1 and isinstance(call.args[0], Val) and used <= names
        if not plain or len(line.makes) != 1 or call.kwargs:
            return None
        moved[line.makes[0]] = call.args[0].number
    children = tuple(child for child in full.children if child.name not in names)
    gives = tuple(moved.get(g, g) for g in full.gives)
    return full._replace(children=children, lines=tuple(lines), gives=gives), tuple(kept)


def _renumber(code: Any, moved: dict[int, int]) -> Any:
    return change(code, lambda c: Val(moved.get(c.number, c.number)) if isinstance(c, Val) else c)


def numbered(body: Body) -> Body:
    """The body with its tensors numbered in the order in which they come, and without hints."""
    order: dict[int, int] = {number: i for i, number in enumerate(body.takes)}
    for line in body.lines:
        for number in line.makes:
            order[number] = len(order)
    lines = tuple(
        line._replace(makes=tuple(order[m] for m in line.makes), code=_renumber(line.code, order))
        for line in body.lines
    )
    gives = tuple(order[g] for g in body.gives)
    return body._replace(lines=lines, takes=tuple(range(len(body.takes))), gives=gives, hints=())


def fit_chain(full: Chain, small: Chain) -> Optional[Chain]:
    """`small` with Absent for the items of `full` that it lacks; None where it is no part of it."""
    if full.named or small.named or len(small.items) >= len(full.items):
        return None
    count, most = len(small.items), len(full.items)
    best: Optional[tuple[int, Chain]] = None
    for places in islice(combinations(range(most), count), MOST_PLACES):
        items: list[Any] = [Star(0, Absent(), o.step) if isinstance(o, Star) else Absent() for o in full.items]
        for place, own in zip(places, small.items):
            other = full.items[place]
            items[place] = own._replace(name=other.name) if isinstance(own, Item) and isinstance(other, Item) else own
        chain = Chain(tuple(items), False)
        try:
            holes = len(unify([full, chain]).columns)
        except Differ:
            continue
        if best is None or holes < best[0]:
            best = holes, chain
    return best[1] if best is not None else None


def _lacking(item: Any) -> Any:
    """What stands for an item that is not there: copies are there no times."""
    nothing: Any = Absent()
    return Star(0, nothing, item.step) if isinstance(item, Star) else nothing


def _unifies(a: Any, b: Any) -> bool:
    try:
        unify([a, b])
    except Differ:
        return False
    return True


def fit(full: Body, small: Body) -> Optional[Body]:
    """`small` in the form of `full`, with Absent for the children that it lacks; None where it is another class."""
    extra = frozenset(c.name for c in full.children) - {c.name for c in small.children}
    if not extra or full.positional or small.positional:
        return None
    cut = without(full, extra)
    if cut is None:
        return None
    body, kept = cut
    if not _unifies(numbered(body), numbered(small)):
        return None
    theirs = iter(small.children)
    children: Any = tuple(Absent() if c.name in extra else next(theirs) for c in full.children)
    numbers = dict(zip(_order(small), _order(body)))
    rest = iter(small.lines)
    lines: list[Any] = []
    for line, keep in zip(full.lines, kept):
        if not keep:
            lines.append(Absent())
            continue
        own = next(rest)
        lines.append(own._replace(makes=line.makes, code=_restore(_renumber(own.code, numbers), line.code)))
    return full._replace(children=children, lines=tuple(lines))


def _order(body: Body) -> list[int]:
    return [*body.takes, *(m for line in body.lines for m in line.makes)]


def _restore(code: Any, full: Any) -> Any:
    """The small body's code with the tensors that the full one reads, which come out of the children left out."""
    theirs = [part for part in walk(full) if isinstance(part, Val)]
    mine = iter(theirs)
    return change(code, lambda c: next(mine) if isinstance(c, Val) else c)
