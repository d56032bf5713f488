"""What an expression of the language can be worth, beside Python's numbers, booleans, strings, tuples and lists."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic, Fix, Related
from archdsl.graph import Value
from archdsl.records import NamedTuple
from archdsl.syntax import tree
from archdsl.syntax.source import Span
from archdsl.tensor import show_shape

MOST_ITEMS = 100_000  # items of a list or a range, those of lists within it included
DEEPEST_LIST = 20  # lists within lists
MOST_BITS = 4096  # bits of a whole number


class Fault(Exception):
    """A mistake in the spec, with its place."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Limit(Fault):
    """The spec is past a limit of the whole run: elaboration ends here."""


class Poisoned(Exception):
    """What was asked for hangs on something that is wrong and has been told already."""


def fault(
    code: str,
    message: str,
    span: Span,
    *,
    label: str = "",
    notes: tuple[str, ...] = (),
    help: str = "",
    related: tuple[Related, ...] = (),
    fixes: tuple[Fix, ...] = (),
) -> Fault:
    """A Fault from its parts."""
    return Fault(Diagnostic(code, message, span, label, notes, (help,) if help else (), related=related, fixes=fixes))


class Tensor(NamedTuple):
    """`in`, `@name`: a tensor of the graph as a value; None where it could not be made."""

    value: Value | None

    def __str__(self) -> str:
        return str(self.value.type) if self.value is not None else "an unknown tensor"


class Builtin(NamedTuple):
    """A function of the language; `word` is its name, so that `fit=floor` is understood; `words` it takes bare."""

    word: str
    call: Callable[..., Any]
    least: int
    most: int | None
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.word


class Lambda(NamedTuple):
    """`let name(parameters) = value`, with the names around it."""

    node: tree.Function
    names: Names

    def __str__(self) -> str:
        return self.node.name.id


class LayerValue(NamedTuple):
    """A layer as a value: `RELU`, `LRELU(0.1)`; its arguments are evaluated where it is written."""

    name: str
    span: Span
    arguments: tuple[tuple[str, Any, Span], ...] = ()

    def __str__(self) -> str:
        return self.name


class BlockValue(NamedTuple):
    """A block, with the names of its file, and the arguments where it was called as a value."""

    node: tree.Block
    names: Names
    arguments: tuple[tuple[str, Any, Span], ...] = ()

    def __str__(self) -> str:
        return self.node.name.id


class Wrong(NamedTuple):
    """What a constant that could not be evaluated is worth: reading it is no new fault."""


class Names:
    """The names that are visible at one place, over those around."""

    __slots__ = ("choices", "later", "outer", "own")

    choices: str

    def __init__(self, outer: Names | None = None, choices: str = "") -> None:
        self.own: dict[str, Any] = {}
        self.outer = outer
        self.later: dict[str, Span] = {}  # the file's constants, defined or not yet
        self.choices = choices or (outer.choices if outer else "")  # "Block." inside a block

    def find(self, name: str) -> Any:
        """What the name stands for; raises KeyError."""
        found = self.get(name, self)
        if found is self:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any) -> Any:
        """What the name stands for; the default where nothing defines it."""
        names: Names | None = self
        while names is not None:
            if name in names.own:
                return names.own[name]
            names = names.outer
        return default

    def below(self, name: str) -> Span | None:
        """Where the file defines the name further down."""
        names: Names | None = self
        while names is not None:
            if name in names.later:
                return names.later[name]
            names = names.outer
        return None

    def known(self) -> set[str]:
        """All names that can be seen from here."""
        result: set[str] = set()
        names: Names | None = self
        while names is not None:
            result |= names.own.keys()
            names = names.outer
        return result


def same(value: Any) -> object:
    """What is equal for values that nothing can tell apart, as long as they are kept."""
    kind = type(value)
    if kind is int or kind is str or kind is bool:
        return kind, value
    if kind is float:
        return kind, repr(value)
    if kind is Tensor:
        return kind, id(value.value)
    if kind is LayerValue:
        return value.name, value.span, tuple([(name, same(argument)) for name, argument, _ in value.arguments])
    if kind is BlockValue:
        return id(value.node), tuple([(name, same(argument)) for name, argument, _ in value.arguments])
    return kind, id(value)


def describe(value: Any) -> str:
    """A value as a message shows it."""
    from archdsl.layers.arguments import brief

    if isinstance(value, Tensor):
        return show_shape(value.value.type.shape) if value.value else "unknown"
    if isinstance(value, BlockValue):
        return f"the block {value}"
    if isinstance(value, (Builtin, Lambda)):
        return "a function"
    if isinstance(value, bool) or not isinstance(value, int):
        return brief(value, 80)
    return f"{value:_}" if value.bit_length() < 256 else f"a number of {value.bit_length()} bits"
