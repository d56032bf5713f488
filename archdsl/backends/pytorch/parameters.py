"""The parameters of a class's constructor: what they are called, their annotations and their defaults."""

from __future__ import annotations

import keyword
import re
from collections import Counter

from archdsl.annotations import Any, Optional
from archdsl.backends.pytorch.body import Child
from archdsl.backends.pytorch.code import Absent, Hole, Item, walk
from archdsl.graph import Call
from archdsl.layers.code import Call as Construct
from archdsl.layers.code import Infix, Name
from archdsl.records import NamedTuple

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
_USUAL = frozenset("stride groups dilation padding kernel_size bias inplace output_padding".split())
RESERVED = frozenset("torch nn F Tensor NamedTuple OrderedDict self x super range".split())

Column = tuple[Any, ...]  # what each instance of a class has at one place, Absent for nothing
Known = list[tuple[str, Column]]  # what a parameter may be called after, and its value in each instance


class Parameter(NamedTuple):
    """A parameter of a class's constructor; `default` is Absent where every instance gives it."""

    name: str
    annotation: str
    default: Any


def identifier(text: str) -> str:
    """A Python name made of a label."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    name = f"_{name}" if name[:1].isdigit() or not name else name
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def known_names(calls: list[Call]) -> Known:
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


def agrees(column: Column, values: Column) -> bool:
    return all(isinstance(c, Absent) or (type(c) is type(v) and c == v) for c, v in zip(column, values))


def has_absent_gap(column: Column, values: Column) -> bool:
    """Whether agreement hangs on fewer than two present values, which could be chance."""
    return len({repr(c) for c in column if not isinstance(c, Absent)}) < 2 and any(
        isinstance(c, Absent) for c in column
    )


def as_formula(column: Column, known: Known) -> Optional[tuple[Any, tuple[str, ...]]]:
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


def place_of(code: Any, index: int) -> tuple[str, str]:
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


def part_name(calls: list[Call], column: Column) -> str:
    """The block's own name for the one layer that is handed in, such as `act`."""
    if not all(isinstance(v, (Construct, Absent)) for v in column):
        return ""
    names = [name for name, value in calls[0].module.arguments if type(value).__name__ == "LayerValue"]
    return identifier(names[0]) if len(names) == 1 else ""


def fresh_name(place: tuple[str, str], taken: set[str]) -> str:
    child, argument = place
    for name in (argument, f"{identifier(child).strip('_')}_{argument}" if child else argument):
        if name not in taken and not name[0].isdigit():
            return name
    number = 2
    while f"{argument}{number}" in taken:
        number += 1
    return f"{argument}{number}"


def default_of(name: str, column: Column) -> Any:
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


def annotation(column: Column) -> str:
    present = [v for v in column if not isinstance(v, Absent)]
    kinds = []
    for v in present:
        kind = "bool" if isinstance(v, bool) else "nn.Module" if isinstance(v, Construct) else type(v).__name__
        kind = f"tuple[{', '.join(['int'] * len(v))}]" if kind == "tuple" else kind
        if kind not in kinds:
            kinds.append(kind)
    if len(present) < len(column):
        kinds.append("None")
    return " | ".join(kinds)
