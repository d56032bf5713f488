"""The structure of a random spec, and the ways to write it: the generator makes it, the reference runs it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Union

# ---- values


class Number(NamedTuple):
    """A number."""

    value: Any


class Variable(NamedTuple):
    """A parameter, a constant or a loop's name."""

    name: str


class In(NamedTuple):
    """`in.channels` or `in.features`."""

    what: str


class Binary(NamedTuple):
    """`left operator right`."""

    operator: str
    left: Any
    right: Any


class Word(NamedTuple):
    """A bare word, such as `half`."""

    word: str


# ---- steps


@dataclass(eq=False)
class Layer:
    """A layer; arguments by name, in the order of its signature."""

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Join:
    """A layer over arms, each a Chain or a number."""

    kind: str
    arms: list[Any]
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Chain:
    """Steps in a row."""

    items: list[Item]


@dataclass(eq=False)
class Group:
    """Steps in brackets."""

    body: Chain


@dataclass(eq=False)
class Label:
    """`name: item`; `{i}` in the name is a loop's value."""

    name: str
    item: Item


@dataclass(eq=False)
class Repeat:
    """`item*count`."""

    item: Item
    count: Any


@dataclass(eq=False)
class Optional:
    """`item?`."""

    item: Item
    on: bool = True


@dataclass(eq=False)
class Choose:
    """`CHOOSE{ … }`."""

    arms: list[Chain]
    pick: int = 0


@dataclass(eq=False)
class Call:
    """A block's call."""

    name: str
    arguments: dict[str, Any]


@dataclass(eq=False)
class Reference:
    """`@name`."""

    name: str


@dataclass(eq=False)
class Share:
    """`share name`."""

    name: str


@dataclass(eq=False)
class Loop:
    """`for names in values { body }`."""

    names: list[str]
    values: list[tuple[Any, ...]]
    body: Chain


@dataclass(eq=False)
class Condition:
    """`if test { then } else { other }`."""

    test: Any
    then: Chain
    other: Chain


Item = Union[Layer, Join, Chain, Group, Label, Repeat, Optional, Choose, Call, Reference, Share, Loop, Condition]


@dataclass(eq=False)
class Block:
    """`block name(parameters) { body }`; a parameter's default may be None."""

    name: str
    parameters: list[tuple[str, Any]]
    body: Chain


class Input(NamedTuple):
    """An input; `high` is above 0 where it is of whole numbers below that."""

    name: str
    shape: tuple[int, ...]
    high: int = 0


@dataclass(eq=False)
class Spec:
    """A whole spec. `fit` is the run's; `choices` are the -D of what is not the default."""

    inputs: list[Input]
    body: Chain
    blocks: dict[str, Block] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    training: list[str] = field(default_factory=list)
    fit: str = "floor"
    choices: dict[str, str] = field(default_factory=dict)


# ---- text

POSITIONAL = {
    "CONV": ("filters", "kernel", "stride"),
    "UPCONV": ("filters", "kernel", "stride"),
    "POOL": ("size", "stride"),
    "MAXPOOL": ("size", "stride"),
    "AVGPOOL": ("size", "stride"),
    "LPPOOL": ("size", "stride"),
    "ADAPTIVEAVGPOOL": ("size",),
    "ADAPTIVEMAXPOOL": ("size",),
    "FC": ("width",),
    "LINEAR": ("width",),
    "DROPOUT": ("rate",),
    "DROPPATH": ("rate",),
    "EMBEDDING": ("count", "width"),
    "MHA": ("heads",),
    "PIXELSHUFFLE": ("factor",),
    "PIXELUNSHUFFLE": ("factor",),
    "PAD": ("padding",),
    "LRELU": ("slope",),
    "SELECT": ("index",),
    "SLICE": ("start", "stop"),
    "CHUNK": ("i", "n"),
    "RNN": ("width",),
    "LSTM": ("width",),
    "GRU": ("width",),
    "CONST": ("values",),
    "REARRANGE": ("pattern",),
    "UPSAMPLE": ("factor",),
}
SPREAD = {"PARAM": "sizes", "RESHAPE": "sizes", "PERMUTE": "axes", "MEAN": "axis", "SUM": "axis", "NORM": "axis"}
SEPARATORS = (" - ", " -> ", ", ", "\n")


def text(spec: Spec, form: int | None = None, seed: int = 0) -> str:
    """The spec as text; `form` is one of SEPARATORS by its number, without it they are mixed by the seed."""
    return _Writer(random.Random(seed), form).spec(spec)


class _Writer:
    def __init__(self, rng: random.Random, form: int | None) -> None:
        self.rng = rng
        self.separators = random.Random(rng.random())  # apart, so that all forms write the rest alike
        self.form = form

    def spec(self, spec: Spec) -> str:
        lines = []
        for given in spec.inputs:
            name = "" if given.name == "input" else f"{given.name}: "
            kind = " of int" if given.high else ""
            lines.append(f"input {name}{'x'.join(map(str, given.shape))}{kind}")
        lines += [f"{name} = {value}" for name, value in spec.constants.items()]
        for kind, arguments in spec.defaults.items():
            lines.append(f"default {kind}({', '.join(f'{k}={self.value(v)}' for k, v in arguments.items())})")
        for block in spec.blocks.values():
            parameters = ", ".join(n if d is None else f"{n} = {self.value(d)}" for n, d in block.parameters)
            lines.append(f"block {block.name}({parameters}) {{ {self.chain(block.body)} }}")
        lines.append(self.chain(spec.body))
        if spec.outputs:
            lines.append(f"output {', '.join(spec.outputs)}")
        lines += [f"output {name} in training" for name in spec.training]
        return "\n".join(lines) + "\n"

    def chain(self, chain: Chain) -> str:
        result = ""
        for index, item in enumerate(chain.items):
            if index:
                result += SEPARATORS[self.form if self.form is not None else self.separators.choice((0, 0, 1, 2, 3))]
            result += self.item(item)
        return result

    def item(self, item: Any) -> str:
        if isinstance(item, Layer):
            return item.kind + self.arguments(item)
        if isinstance(item, Join):
            return f"{item.kind}{self.arguments(item)}{{ {' | '.join(map(self.arm, item.arms))} }}"
        if isinstance(item, Chain):
            return self.chain(item)
        if isinstance(item, Group):
            return f"[{self.chain(item.body)}]" if self.rng.random() < 0.5 else f"({self.chain(item.body)})"
        if isinstance(item, Label):
            plain = item.name.replace("{", "").replace("}", "").isidentifier()
            return f"{item.name}: {self.item(item.item)}" if plain else f'"{item.name}": {self.item(item.item)}'
        if isinstance(item, Repeat):
            count = self.value(item.count)
            return f"{self.item(item.item)}*{count if count.isalnum() else f'({count})'}"
        if isinstance(item, Optional):
            return f"{self.item(item.item)}?"
        if isinstance(item, Choose):
            return f"CHOOSE{{ {' | '.join(map(self.chain, item.arms))} }}"
        if isinstance(item, Call):
            given = ", ".join(f"{k}={self.value(v)}" for k, v in item.arguments.items())
            return item.name + (f"({given})" if given or self.rng.random() < 0.5 else "")
        if isinstance(item, (Reference, Share)):
            plain = item.name.replace("{", "").replace("}", "").isidentifier()
            name = item.name if plain else f'"{item.name}"'
            return f"@{name}" if isinstance(item, Reference) else f"share {name}"
        if isinstance(item, Loop):
            rows = ", ".join(self.value(row[0] if len(item.names) == 1 else row) for row in item.values)
            return f"for {', '.join(item.names)} in [{rows}] {{ {self.chain(item.body)} }}"
        if isinstance(item, Condition):
            other = f" else {{ {self.chain(item.other)} }}" if item.other.items else ""
            return f"if {self.value(item.test)} {{ {self.chain(item.then)} }}{other}"
        raise TypeError(item)

    def arm(self, arm: Any) -> str:
        return str(arm) if isinstance(arm, (int, float)) else self.chain(arm)

    def arguments(self, item: Layer | Join) -> str:
        given = dict(item.arguments)
        parts = []
        if SPREAD.get(item.kind) in given:
            sizes = given.pop(SPREAD[item.kind])
            parts.append(", ".join(map(self.value, sizes)) if self.rng.random() < 0.7 else self.value(sizes))
        for name in POSITIONAL.get(item.kind, ()):
            if name not in given or self.rng.random() < 0.15:
                break
            parts.append(self.value(given.pop(name)))
        parts += [f"{name}={self.value(value)}" for name, value in given.items()]
        return f"({', '.join(parts)})" if parts else ""

    def value(self, value: Any) -> str:
        if isinstance(value, Number):
            return self.value(value.value)
        if isinstance(value, Variable):
            return value.name
        if isinstance(value, In):
            return f"in.{value.what}"
        if isinstance(value, Binary):
            left, right = (self.part(side) for side in (value.left, value.right))
            return (
                f"{left} {value.operator} {right}"
                if value.operator in ("==", "!=", ">")
                else f"{left}{value.operator}{right}"
            )
        if isinstance(value, Word):
            return value.word
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return f'"{value}"'
        if isinstance(value, tuple):
            plain = len(value) > 1 and all(type(v) is int and v >= 0 for v in value)
            if plain and self.rng.random() < 0.5:
                return "x".join(map(str, value))
            return f"({', '.join(map(self.value, value))}{',' if len(value) == 1 else ''})"
        if isinstance(value, list):
            return f"[{', '.join(map(self.value, value))}]"
        return str(value)

    def part(self, value: Any) -> str:
        shown = self.value(value)
        return f"({shown})" if isinstance(value, Binary) else shown
