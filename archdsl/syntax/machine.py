"""Runs the tables that Lark makes of the grammar: an LALR(1) parser over a contextual lexer.

Lark's own engine gives the same trees (a test holds the two against each other); this one starts in a tenth of
the time, since it needs neither `import lark` nor a regular expression for each of the parser's states.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from archdsl.annotations import TYPE_CHECKING, Any, Protocol
from archdsl.records import NamedTuple, new
from archdsl.syntax.lexer import END, NEWLINE, Lexer
from archdsl.syntax.source import Source, Span

if TYPE_CHECKING:
    from archdsl.syntax.lexer import Token

_NOWHERE = sys.maxsize  # a state that there is not


class Rule(NamedTuple):
    """A production: what it makes, of how many parts, and which method of the builder makes it.

    `inline`: its parts become parts of what it stands in; `flat`: there may be such among its own, or it is one
    itself; `single`: one part alone is passed on as it is.
    """

    origin: str
    length: int
    callback: str
    inline: bool
    flat: bool
    single: bool


class Tables(NamedTuple):
    """What Lark makes of a grammar.

    `states` say by terminal or rule where to go: n >= 0 is a state to go to, n < 0 the rule number -n - 1 to
    reduce by. `starts` and `ends` are states by the rule that a parse starts with.
    """

    terminals: tuple[tuple[str, str], ...]  # in the order in which they are tried
    ignored: tuple[str, ...]
    rules: tuple[Rule, ...]
    states: tuple[dict[str, int], ...]
    starts: dict[str, int]
    ends: dict[str, int]


class Unexpected(Exception):
    """A token, or a character that starts none, where the grammar has no place for it.

    `expected` are the terminals that could stand in its place.
    """

    def __init__(self, token: Token, expected: set[str]) -> None:
        super().__init__("unexpected")
        self.token = token
        self.expected = expected


class Places(Protocol):
    """What builds the tree, method by method: of the parts of a rule and the place that they take."""

    source: Source
    shift: int  # where the text starts in the source


Make = Callable[[Any, list[Any], Span], Any]
Filter = Callable[[Iterator["Token"]], Iterator["Token"]]


class _Run(NamedTuple):
    """A reduction, with all those behind it of which what it makes is the only part."""

    flat: bool
    makers: tuple[Make, ...]  # one behind the other, none for what is inline or passed on as it is
    state: int  # where they lead


class _Inline(list[Any]):
    """The parts of a rule that stands for nothing itself."""


class Machine:
    """A parser made of tables; `builder` is the class whose methods make the tree."""

    def __init__(self, tables: Tables, builder: type[Places]) -> None:
        self._tables = tables
        self._builder = builder
        self._lexer = Lexer(tables.terminals, tables.ignored, tables.states)
        self._lengths = [rule.length for rule in reversed(tables.rules)]  # by action: -1 is the first rule
        self._runs: dict[tuple[int, int, str], _Run] = {}

    def parse(self, text: str, start: str, builder: Places, kept: Filter) -> Any:
        """What the builder makes of the text; raises Unexpected, and what builder and filter raise."""
        table, lengths, runs = self._tables.states, self._lengths, self._runs
        source, shift = builder.source, builder.shift
        states = [self._tables.starts[start]]
        values: list[Any] = []  # what each state but the first stands for
        begins: list[int] = []  # and where that begins
        end = 0  # of the last token
        for token in kept(self._lexer.tokens(text, states)):
            kind = token.lastgroup or ""
            while (action := table[states[-1]].get(kind, _NOWHERE)) < 0:
                length = lengths[action]
                at = len(values) - length
                way = states[at], action, kind
                flat, makers, state = runs.get(way) or self._run(way)
                begin, behind = (begins[at], end) if length else (0, 0)
                parts = values[at:]
                if flat:
                    parts = _flat(parts)
                if makers:
                    span = new(Span, (source, begin + shift, behind + shift))
                    for make in makers:
                        parts = [make(builder, parts, span)]
                elif flat:
                    parts = [parts]
                if length == 1:
                    values[at], states[-1] = parts[0], state
                else:
                    values[at:] = parts
                    begins[at:] = (begin,)
                    states[at + 1 :] = (state,)
            if action == _NOWHERE:
                if kind == END and states[-1] == self._tables.ends[start]:
                    return values[-1]
                raise Unexpected(token, self._accepted(states))
            states.append(action)
            values.append(None if kind == NEWLINE else token)  # nobody reads it, and a match takes a kilobyte
            begins.append(token.start())
            end = token.end()
        raise AssertionError("END is the last token, and it is taken or not")

    def _run(self, way: tuple[int, int, str]) -> _Run:
        """The reductions that begin with an action above a state, where a terminal comes next."""
        below, action, kind = way
        table, rules = self._tables.states, self._tables.rules
        flat = rules[-action - 1].flat
        makers: list[Make] = []
        while True:
            rule = rules[-action - 1]
            if not rule.inline and not (rule.single and rule.length == 1):
                makers.append(getattr(self._builder, rule.callback))
            state = table[below][rule.origin]
            action = table[state].get(kind, _NOWHERE)
            if action >= 0 or rules[-action - 1].flat or rules[-action - 1].length != 1:
                return self._runs.setdefault(way, _Run(flat, tuple(makers), state))

    def _accepted(self, states: list[int]) -> set[str]:
        """The terminals that the parser would really take, not only look at before it reduces."""
        possible = self._tables.states[states[-1]]
        return {name for name in self._lexer.terminals if name in possible and self._takes(name, list(states))}

    def _takes(self, name: str, states: list[int]) -> bool:
        table = self._tables.states
        while (action := table[states[-1]].get(name, _NOWHERE)) < 0:
            rule = self._tables.rules[-action - 1]
            del states[len(states) - rule.length :]
            states.append(table[states[-1]][rule.origin])
        return action != _NOWHERE or (name == END and states[-1] in self._tables.ends.values())


def _flat(parts: list[Any]) -> _Inline:
    """The parts with those of lists within them in their place."""
    flat = parts[0] if type(parts[0]) is _Inline else _Inline(parts[:1])  # the first grows in place: no copies
    for part in parts[1:]:
        if type(part) is _Inline:
            flat += part
        else:
            flat.append(part)
    return flat
