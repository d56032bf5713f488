"""Where elaboration stands: the names, the module, the region that grows, the tensor that flows, how it came here."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from operator import itemgetter

from archdsl.annotations import TYPE_CHECKING, Any
from archdsl.diagnostics import Diagnostic, Findings, Related
from archdsl.elaborate.arguments import Applied, Made
from archdsl.elaborate.evaluate import Evaluator
from archdsl.elaborate.labels import Entry, Level
from archdsl.elaborate.memory import Memory
from archdsl.elaborate.values import Fault, Limit, Names, Poisoned, Tensor, fault
from archdsl.elaborate.work import Work
from archdsl.graph import Region, Value
from archdsl.layers.base import Layer
from archdsl.records import NamedTuple, dataclass, field, replace
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span

if TYPE_CHECKING:
    from archdsl.elaborate.instances import First

NONE: dict[str, Any] = {}  # of defaults
MOST_STEPS = 12_000  # steps derived in one run, copies of a repetition that are alike apart


class Tail(NamedTuple):
    """What follows: `last`, nothing at all; `ends`, nothing but SOFTMAX, SIGMOID and DROPOUT."""

    last: bool = False
    ends: bool = False


ON = Tail()
"""Something else follows."""


@dataclass
class Run:
    """What one elaboration shares: findings, limits, what was set from outside, and what was asked for."""

    findings: Findings
    given: Mapping[str, Any]  # constants set from outside
    inputs: Mapping[str, Any]  # inputs set from outside: shapes as text or tuples; "" for the only one
    root: str | None  # the folder that `use` stays below
    fit: str | None  # the rule for layers that name none
    work: Work = field(default_factory=Work)
    steps: int = 0
    used: set[str] = field(default_factory=set)  # names of `given` that the spec asked for
    choices: set[str] = field(default_factory=set)  # all keys of choices that came by
    network_inputs: dict[str, Value | None] = field(default_factory=dict)
    scopes: dict[Source, FileScope] = field(default_factory=dict)  # each file's, by its source
    main: Source | None = None
    library: bool = False  # whether a file of blocks alone is no fault
    trial: bool = False  # whether its errors are only counted, so that no help is looked for
    outside: Mapping[str, Any] = field(init=False)  # `given` as it came, not yet evaluated
    broken: set[str] = field(default_factory=set)  # words of what does not parse: it may define what is missed
    symbols: Mapping[str, int] = field(default_factory=dict)  # open sizes of the inputs, as they are tried now
    claims: list[Claim] = field(default_factory=list)  # assertions about open sizes, held once those are known
    unread: bool = False  # whether a file that cannot be read may define any name
    parsed: Mapping[str, tree.File] = field(default_factory=dict)  # files that `use` need not read, by their paths
    failed: list[tuple[Any, Any]] = field(default_factory=list)  # what assertions found, and what they wanted
    fits: dict[int, dict[str, Any]] = field(default_factory=dict)  # by id of a layer's defaults, these with `fit`
    made: dict[object, Made] = field(default_factory=dict)  # the layers by their arguments
    applied: dict[object, Applied] = field(default_factory=dict)  # what they give, by them and what arrives
    complete: dict[tuple[Layer, tuple[tuple[str, Any], ...]], Layer] = field(default_factory=dict)
    firsts: dict[object, First] = field(default_factory=dict)  # of each block its call with some arguments and types

    def __post_init__(self) -> None:
        self.outside = self.given
        self.work.tells = not self.trial

    def another(
        self,
        findings: Findings | None = None,
        given: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> Run:
        """A run of the same spec from its beginning, with findings of its own, and with other fields where given."""
        return Run(
            Findings() if findings is None else findings,
            self.outside if given is None else given,
            self.inputs if inputs is None else inputs,
            self.root,
            self.fit,
            main=self.main,
            **changed,
        )

    @property
    def spent(self) -> int:
        """What the run has cost, in steps: for the limits of those who try a spec again and again."""
        return self.steps + self.work.done // 10

    def missing(self, name: str) -> Any:
        """A name that the text leaves open, from outside; raises KeyError, or Poisoned where a fault may hide it."""
        if name not in self.given and (self.unread or name in self.broken):
            raise Poisoned
        value = self.given[name]
        self.used.add(name)
        return value

    def completed(self, layer: Layer, implied: Mapping[str, Any]) -> Layer:
        """A layer with more of its arguments, made once for the same ones."""
        key = layer, tuple(implied.items())
        if key not in self.complete:
            self.complete[key] = replace(layer, **implied)
        return self.complete[key]

    def report(self, fault: Fault, trail: tuple[Related, ...] = ()) -> None:
        """Add the fault to the findings, with how elaboration came to it; raises Limit where there are too many."""
        d = fault.diagnostic
        self.findings.add(replace(d, related=(*d.related, *trail)))
        if self.findings.full:
            raise Limit(d)


@dataclass
class FileScope:
    """One file: its names, and the defaults that its statements set, each from its place on."""

    names: Names
    defaults: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)  # by layer: from where on
    choices: dict[int, str] = field(default_factory=dict)  # the key of each choice without a label, by its place
    loading: bool = False  # whether its statements are still read, against cycles of `use`
    file: tree.File | None = None

    def defaults_at(self, layer: str, offset: int) -> dict[str, Any]:
        """The defaults for a layer that is written at this offset."""
        known = self.defaults.get(layer)
        if known is None:
            return NONE
        behind = bisect_left(known, offset, key=itemgetter(0))
        return known[behind - 1][1] if behind else NONE

    def set_defaults(self, layer: str, start: int, values: dict[str, Any]) -> None:
        """Let these defaults hold from an offset on, over those before."""
        before = self.defaults.setdefault(layer, [])
        before.append((start, (before[-1][1] if before else {}) | values))


@dataclass
class Place:
    """Where a step is elaborated. `value` is the tensor that arrives; it is None behind a fault."""

    run: Run
    names: Names
    level: Level
    region: Region
    value: Value | None
    memory: Memory = Memory()  # a NamedTuple, and so immutable
    here: bool = True  # whether any tensor arrives at all
    trail: tuple[Related, ...] = ()  # the calls, copies and passes that it lies in, the innermost first
    blocks: tuple[str, ...] = ()  # the blocks around, against recursion

    def inside(self, **changes: Any) -> Place:
        """A place that differs in these fields."""
        made = object.__new__(Place)  # what `dataclasses.replace` would do, in a tenth of the time
        vars(made).update(vars(self))
        vars(made).update(changes)
        return made

    @property
    def evaluator(self) -> Evaluator:
        """Evaluates what is written here."""
        return Evaluator(self.names, self, self.run.work)

    @property
    def arriving(self) -> Tensor | None:
        """The tensor that arrives, as a value; None where none does."""
        return Tensor(self.value) if self.here else None

    def missing(self, name: str) -> Any:
        """A name that the text leaves open, from outside; raises KeyError, Poisoned."""
        return self.run.missing(name)

    def lookup(self, node: tree.Reference) -> Tensor:
        """The tensor that `@name` stands for."""
        name = self.text(node.label)
        if name in self.run.network_inputs and not self._labelled(name):
            return Tensor(self.run.network_inputs[name])
        return Tensor(self.find(name, node.span, "@").value)

    def find(self, name: str, span: Span, written: str) -> Entry:
        """What a label stands for; `written` is what stands before it in the text. Raises E161, E162."""
        excused = self.run.unread or name in self.run.broken
        told = excused or self.run.findings.told("E161", span)
        try:
            return self.level.find(name, span, written, self.run.network_inputs, told=told)
        except Fault:
            if excused:
                raise Poisoned from None
            raise

    def _labelled(self, name: str) -> bool:
        level: Level | None = self.level
        while level is not None:
            if name in level.labels:
                return True
            level = None if level.closed else level.outer
        return False

    def text(self, template: tree.Template) -> str:
        """A label with its values put in."""
        parts = []
        for part in template.parts:
            if isinstance(part, str):
                parts.append(part)
                continue
            value = self.evaluator.value(part)
            if (
                isinstance(value, bool)
                or not isinstance(value, (int, str))
                or (isinstance(value, int) and value.bit_length() > 64)
            ):
                raise fault_of_label(part.span)
            parts.append(str(value))
        return "".join(parts)

    def advance(self, value: Value | None, *, strided: bool = False) -> None:
        """Go on with this tensor."""
        self.value = value
        self.here = True
        if strided:
            self.memory = self.memory._replace(strided=True)

    def count(self, span: Span) -> None:
        """One step more; raises a Fault past the limit."""
        self.run.steps += 1
        if self.run.steps > MOST_STEPS:
            raise too_many(span)


def too_many(span: Span) -> Limit:
    """The fault of a spec of too many different steps."""
    return Limit(Diagnostic("E152", f"more than {MOST_STEPS:_} steps that differ, which is past the limit", span))


def fault_of_label(span: Span) -> Fault:
    """The Fault for a value that no label can hold."""
    return fault("E163", "a label takes whole numbers and texts", span)


class Claim(NamedTuple):
    """An assertion, and where it stands."""

    place: Place
    node: tree.Assertion
