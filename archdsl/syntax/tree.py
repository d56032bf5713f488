"""The syntax tree: what `grammars/arch.lark` gives, each node with its place in the text."""

from __future__ import annotations

from functools import cached_property

from archdsl.annotations import Union
from archdsl.records import NamedTuple
from archdsl.syntax.source import Span

# ---- values


class Number(NamedTuple):
    """`25_557_032`, `4K`, `1e-6`."""

    span: Span
    value: int | float


class Text(NamedTuple):
    """`"(g c) h w -> (c g) h w"`."""

    span: Span
    value: str


class ShapeLiteral(NamedTuple):
    """`3xHxW`: numbers, and capital letters as they stand."""

    span: Span
    sizes: tuple[int | str, ...]


class Name(NamedTuple):
    """A name: a constant, a layer, a block, a word of an argument. It is a step as well."""

    span: Span
    id: str


class Attribute(NamedTuple):
    """`in.channels`."""

    span: Span
    value: Value
    name: str


class Index(NamedTuple):
    """`widths[i]`."""

    span: Span
    value: Value
    index: Value  # type: ignore[assignment]  # hides tuple's own method, which no tree needs


class Slice(NamedTuple):
    """`widths[1:3]`."""

    span: Span
    value: Value
    start: Value | None
    stop: Value | None


class Unary(NamedTuple):
    """`-a`, `+a`, `not a`."""

    span: Span
    operator: str
    value: Value


class Binary(NamedTuple):
    """`a + b`, `a and b`, `1..n`."""

    span: Span
    operator: str
    left: Value
    right: Value


class Comparison(NamedTuple):
    """`a < b <= c`."""

    span: Span
    operands: tuple[Value, ...]
    operators: tuple[str, ...]


class Ternary(NamedTuple):
    """`then if test else other`."""

    span: Span
    test: Value
    then: Value
    other: Value


class Items(NamedTuple):
    """`[1, 2]` or `(1, 2)`."""

    span: Span
    items: tuple[Value, ...]
    bracket: str  # "[" or "("


class Target(NamedTuple):
    """What a loop binds: a name, or several in parentheses."""

    span: Span
    names: str | tuple[Target, ...]


class Comprehension(NamedTuple):
    """`[item for targets in values if test]`."""

    span: Span
    item: Value
    targets: tuple[Target, ...]
    values: Value
    tests: tuple[Value, ...]


class Arriving(NamedTuple):
    """`in`: the tensor that arrives."""

    span: Span


class Template(NamedTuple):
    """A label's text: strings, and values between braces."""

    span: Span
    parts: tuple[str | Value, ...]


class Reference(NamedTuple):
    """`@name`, as a value or as a step."""

    span: Span
    label: Template


class Argument(NamedTuple):
    """An argument of a call; `name` is "" where it has none."""

    span: Span
    name: str
    value: Value


class Call(NamedTuple):
    """`CONV(64, kernel=3)`; as a value a function's call, or a layer with arguments."""

    span: Span
    name: Name
    arguments: tuple[Argument, ...]


Value = Union[
    Number, Text, ShapeLiteral, Name, Attribute, Index, Slice, Unary, Binary, Comparison, Ternary, Items,
    Comprehension, Arriving, Reference, Call,
]  # fmt: skip

# ---- chains


class Chain(NamedTuple):
    """`a - b - c`."""

    span: Span
    steps: tuple[Step, ...]


class Labelled(NamedTuple):
    """`name: step`."""

    span: Span
    label: Template
    step: Step


class Repeated(NamedTuple):
    """`step*count`."""

    span: Span
    step: Step
    count: Value  # type: ignore[assignment]  # likewise


class Optional_(NamedTuple):
    """`step?`; `mark` is the place of the `?`."""

    span: Span
    step: Step
    mark: Span


class Join(NamedTuple):
    """`OP(arguments){ arm | arm }`."""

    span: Span
    name: Name
    arguments: tuple[Argument, ...]
    arms: tuple[Body, ...]


class Group(NamedTuple):
    """`[ … ]` or `( … )`."""

    span: Span
    body: Body


class Share(NamedTuple):
    """`share name`."""

    span: Span
    label: Template


class Loop(NamedTuple):
    """`for targets in values { … }`."""

    span: Span
    targets: tuple[Target, ...]
    values: Value
    body: Body


class Branch(NamedTuple):
    """`if test { … }`; `test` is None for the last `else`."""

    test: Value | None
    body: Body


class Condition(NamedTuple):
    """`if … else if … else …`."""

    span: Span
    branches: tuple[Branch, ...]


class Body(NamedTuple):
    """Lines, one after the other: chains and constants."""

    span: Span
    lines: tuple[Chain | Constant, ...]


Step = Union[Name, Number, Call, Labelled, Repeated, Optional_, Join, Group, Reference, Share, Loop, Condition]

# ---- statements


class Input(NamedTuple):
    """`input image: 3x224x224 of int`."""

    span: Span
    name: str
    shape: Value
    dtype: str


class Output(NamedTuple):
    """`output logits, features`."""

    span: Span
    names: tuple[tuple[str, Span], ...]
    training: bool


class Model(NamedTuple):
    """`model ResNet50`, or `model ResNet50 = ResNet(4)`, whose network is that block."""

    span: Span
    name: str
    name_span: Span
    value: Value | None = None


class Constant(NamedTuple):
    """`N = 2 in 1..5`."""

    span: Span
    name: Name
    value: Value
    range: Value | None


class Parameter(NamedTuple):
    """A parameter of a block or function, with its default."""

    span: Span
    name: str
    default: Value | None


class Function(NamedTuple):
    """`let wide(c) = …`."""

    span: Span
    name: Name
    parameters: tuple[Parameter, ...]
    value: Value


class Block(NamedTuple):
    """`block Name(p, q = 1) { … }`."""

    span: Span
    name: Name
    parameters: tuple[Parameter, ...]
    body: Body


class Default(NamedTuple):
    """`default CONV(bias=false)`."""

    span: Span
    name: Name
    arguments: tuple[Argument, ...]


class Use(NamedTuple):
    """`use SE, Unit from "blocks.arch"`; without names all of them."""

    span: Span
    names: tuple[tuple[str, Span], ...]
    path: str
    path_span: Span


class Assertion(NamedTuple):
    """`assert params < 25.6M`."""

    span: Span
    value: Value


Statement = Union[Input, Output, Model, Constant, Function, Block, Default, Use, Assertion, Chain]


class _File(NamedTuple):
    span: Span
    statements: tuple[Statement, ...]
    broken: tuple[Span, ...] = ()


class File(_File):
    """A whole text. `broken` are the stretches that do not parse; `statements` are those of the others."""

    @cached_property
    def heads(self) -> tuple[Statement, ...]:
        """The statements that are no chains: of many they are few."""
        return tuple([statement for statement in self.statements if type(statement) is not Chain])

    @cached_property
    def composed(self) -> tuple[Chain, ...]:
        """The chains that have steps within steps: of many they may be few."""
        chains = [statement for statement in self.statements if type(statement) is Chain]
        return tuple([chain for chain in chains if not _SIMPLE.issuperset(map(type, chain.steps))])


_SIMPLE = frozenset((Call, Name, Number, Reference, Share))
