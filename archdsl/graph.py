"""A network as the elaborator makes it and every backend reads it: modules of steps over values.

    Network
      inputs, outputs      named values
      module: Module       the file itself
        region: Region     param, the value that arrives; steps in order; result, the value that leaves
          Apply            a layer, its inputs and its output
          Call             a module inside: a block, or a group with a label; its region's param stands for `input`
          Repeat           runs of equal copies, one after the other: a repetition is not unrolled
          Share            a layer or module that stands elsewhere, applied once more with the same weights

A step inside a region may read any value made before it, inside or around: `@name` and arms do. Every value
is made once for each time that its region runs; only the regions of a Repeat run more than once. Steps of a
Call may be read from outside of it (`@name` that looks deeper down), but none inside a Repeat with two
copies or more, since there no label can stand.
"""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.annotations import Any, Protocol, Union
from archdsl.diagnostics import Related
from archdsl.layers.base import Layer
from archdsl.records import NamedTuple, dataclass, field
from archdsl.syntax.source import Span
from archdsl.tensor import TensorType


class Value:
    """A tensor that flows: its type, and where it comes from in words and as a place.

    `way` is the block, copy or pass that the place lies in, the innermost one.

    `layout` is "map" or "sequence" where a layer has taken it for one. `doubt` is 0 where the type is sure; behind a
    layer that does not fit it is 1, the sizes of all axes but the first are guesses, or 2, all sizes are.
    """

    __slots__ = ("doubt", "hint", "layout", "origin", "span", "type", "way")

    def __init__(
        self,
        type: TensorType,
        span: Span | None = None,
        origin: str = "",
        hint: str = "",
        layout: str = "",
        doubt: int = 0,
        way: Related | None = None,
    ) -> None:
        self.type = type
        self.span = span  # the step that made it
        self.origin = origin  # such as "POOL", or "the input"
        self.hint = hint  # the label, for names of variables
        self.layout = layout
        self.doubt = doubt
        self.way = way

    def again(self, hint: str = "") -> Value:
        """Another value for the same tensor: what arrives in a region, or leaves it."""
        return Value(self.type, self.span, self.origin, hint, self.layout, self.doubt, self.way)


class Written(Protocol):
    """What the text says of a layer's arguments."""

    @property
    def text(self) -> str:
        """The arguments as a spec would write them: "64, 7, stride=2"."""
        ...

    def gives(self, name: str) -> bool:
        """Whether the argument is given where the layer stands, or in a default of the file."""
        ...


@dataclass(eq=False)
class Apply:
    """A layer, complete, over its inputs; `implied` are the arguments that rules filled in, which look around."""

    layer: Layer
    inputs: tuple[Value, ...]
    output: Value
    span: Span
    label: str = ""
    written: Written | None = None
    implied: tuple[tuple[str, object], ...] = ()

    @property
    def given(self) -> str:
        """The arguments as written: "64, 7, stride=2"."""
        return self.written.text if self.written is not None else ""

    @property
    def defaults(self) -> tuple[tuple[str, object], ...]:
        """Those among `Layer.told` that the text leaves as they are."""
        written = self.written
        told = self.layer.told().items() if written is not None else ()
        return tuple([(name, value) for name, value in told if written is not None and not written.gives(name)])

    @property
    def apply(self) -> Apply:
        """Itself: the layer of this step."""
        return self

    @property
    def types(self) -> tuple[TensorType, ...]:
        """The types of its inputs, which all of the layer's rules take."""
        return tuple([value.type for value in self.inputs])

    @property
    def kind(self) -> str:
        """What it is called where it has no label, without the number."""
        return self.layer.spec.lower()


@dataclass(eq=False)
class Module:
    """A level of the module tree: the file, a block's call or a labelled group.

    `title` is the block's name as written, "" for a group and the model's name for the file.
    `positional`: no step has a label, join, `@` or `share`, so children are named by position.
    """

    title: str
    region: Region
    positional: bool = True
    arguments: tuple[tuple[str, object], ...] = ()  # a block's parameters and their values


@dataclass(eq=False)
class Call:
    """A module inside a module; `output` is the region's result seen from outside (the same type)."""

    module: Module
    input: Value
    output: Value
    span: Span
    label: str = ""

    @property
    def kind(self) -> str:
        """What it is called where it has no label, without the number."""
        return self.module.title.lower() or "group"


class Run(NamedTuple):
    """`count` equal copies: each is `region`, whose param is what the copy before it gave."""

    count: int  # type: ignore[assignment]  # hides tuple's own method, which nobody needs here
    region: Region


@dataclass(eq=False)
class Repeat:
    """Copies in sequence, each with weights of its own, as runs of equal ones."""

    runs: list[Run]
    input: Value
    output: Value
    span: Span

    @property
    def count(self) -> int:
        """The number of copies in all."""
        return sum(run.count for run in self.runs)


@dataclass(eq=False)
class Share:
    """The Apply or Call `target` once more on `inputs`; `again` is it with the types of this place."""

    target: Apply | Call
    again: Apply | Call
    span: Span
    label: str = ""

    @property
    def output(self) -> Value:
        """What it gives."""
        return self.again.output


Step = Union[Apply, Call, Repeat, Share]


@dataclass(eq=False)
class Region:
    """Steps in order, over the value that arrives."""

    param: Value
    steps: list[Step] = field(default_factory=list)
    result: Value = None  # type: ignore[assignment]  # set when the steps are all there


class Input(NamedTuple):
    """An input of the network by name."""

    name: str
    value: Value
    span: Span | None


class Output(NamedTuple):
    """A result of the network by name; `training`: given in training mode alone."""

    name: str
    value: Value
    training: bool = False


class Open(NamedTuple):
    """Sizes of the inputs that stay open: by symbol the valid ones, and the point at which the network was made.

    `shapes` are the inputs' shapes as they stand in the text, symbols as letters.
    """

    shapes: dict[str, tuple[Union[int, str], ...]]
    point: dict[str, int]
    valid: dict[str, object]  # by str() the sizes in words


@dataclass(eq=False)
class Network:
    """A whole network, checked: every value has its type.

    `scores` is what arrives at the SOFTMAX that ends it, if one does. `text` is the spec; `used` are the files that
    it uses, by their paths below its folder, and `arguments` what the command line said beside it (`-D N=2`).
    Where sizes are open (`open`), they stand in the types as they are at one valid point, each of a class that
    knows its expression. `known` is what analyses have found; whoever changes types or steps empties it.
    """

    name: str
    module: Module
    inputs: list[Input]
    outputs: list[Output]
    scores: Value | None = None
    text: str = ""
    used: tuple[tuple[str, str], ...] = ()
    arguments: str = ""
    open: Open | None = None
    known: dict[str, Any] = field(default_factory=dict)


def step_input(step: Step) -> tuple[Value, ...]:
    """The values that a step reads at its own level, those inside its regions apart."""
    if isinstance(step, Apply):
        return step.inputs
    if isinstance(step, Share):
        return step_input(step.again)
    return (step.input,)


def regions(step: Step) -> Iterator[tuple[int, Region]]:
    """The regions inside a step, and how often each runs; a shared module's is the one of its place."""
    if isinstance(step, Call):
        yield 1, step.module.region
    elif isinstance(step, Repeat):
        yield from step.runs
    elif isinstance(step, Share):
        yield from regions(step.again)
