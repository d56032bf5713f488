"""Runs the tables that Lark makes of the grammar: a contextual lexer and an LALR(1) parser in one loop.

Lark's own engine gives the same trees (a test holds the two against each other); this one starts in a tenth of
the time, since it needs neither `import lark` nor a regular expression for each of the parser's states.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from archdsl.annotations import Any, Protocol
from archdsl.records import NamedTuple


class Token(str):
    """A piece of the text: its terminal's name, and where it starts."""

    __slots__ = ("start_pos", "type")

    type: str
    start_pos: int

    def __new__(cls, type: str, value: str, start_pos: int) -> Token:
        made = str.__new__(cls, value)
        made.type = type
        made.start_pos = start_pos
        return made


class Rule(NamedTuple):
    """A production: what it makes, of how many parts, and which method of the builder makes it.

    `inline`: its parts become parts of what it stands in; `single`: one part alone is passed on as it is.
    """

    origin: str
    length: int
    callback: str
    inline: bool
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

    `token` is None for a character; `expected` are the terminals that could stand at `position` instead.
    """

    def __init__(self, position: int, token: Token | None, expected: set[str]) -> None:
        super().__init__("unexpected")
        self.position = position
        self.token = token
        self.expected = expected


class Filter(Protocol):
    """Decides which tokens reach the parser, one after the other."""

    def keep(self, token: Token) -> bool:
        """Whether the parser gets the token."""
        ...


class _Inline(list[Any]):
    """The parts of a rule that stands for nothing itself."""


class Machine:
    """A parser made of tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._scan = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in tables.terminals)).match
        self._ignored = frozenset(tables.ignored)
        self._alone: dict[str, Callable[[str, int], re.Match[str] | None]] = {}
        self._settled: dict[tuple[int, int, str], int] = {}  # where reductions of one part alone lead, see _feed

    def parse(self, text: str, start: str, builder: Any, kept: Filter) -> Any:
        """What the builder makes of the text; raises Unexpected, and what builder and filter raise."""
        states = [self._tables.starts[start]]
        values: list[Any] = []
        position, end = 0, len(text)
        while position < end:
            match = self._match(text, position, states[-1])
            if match is None:
                raise Unexpected(position, None, self._accepted(states))
            kind = match.lastgroup
            assert kind is not None
            if kind not in self._ignored:
                token = Token(kind, match[0], position)
                if kept.keep(token):
                    self._feed(token, states, values, builder)
            position = match.end()
        last = Token("$END", "", end)
        self._feed(last, states, values, builder, self._tables.ends[start])
        return values[-1]

    def _match(self, text: str, position: int, state: int) -> re.Match[str] | None:
        """The first terminal that matches here and may stand here; else the first that matches at all."""
        first = self._scan(text, position)
        if first is None or first.lastgroup in self._ignored or first.lastgroup == "_NL":
            return first
        possible = self._tables.states[state]
        if first.lastgroup in possible:
            return first
        for name, pattern in self._tables.terminals:
            if name in possible:
                if name not in self._alone:
                    self._alone[name] = re.compile(f"(?P<{name}>{pattern})").match
                found = self._alone[name](text, position)
                if found is not None:
                    return found
        return first

    def _feed(self, token: Token, states: list[int], values: list[Any], builder: Any, end: int = -1) -> None:
        table, rules, settled = self._tables.states, self._tables.rules, self._settled
        kind = token.type
        while states[-1] != end:
            top = states[-1]
            action = table[top].get(kind)
            if action is None:
                raise Unexpected(token.start_pos, token, self._accepted(states))
            if action >= 0:
                states.append(action)
                values.append(token)
                return
            origin, length, callback, inline, single = rules[-action - 1]
            if single and length == 1:  # from `primary` up to `expr`, say: the value stays, and the way is remembered
                way = states[-2], top, kind
                after = settled.get(way)
                if after is None:
                    after = settled[way] = self._settle(*way)
                states[-1] = after
                continue
            parts = values[-length:] if length else []
            if length:
                del values[-length:], states[-length:]
            if _Inline in map(type, parts):
                parts = _flat(parts)
            if inline:
                values.append(parts if type(parts) is _Inline else _Inline(parts))
            elif single and len(parts) == 1:
                values.append(parts[0])
            else:
                values.append(getattr(builder, callback)(parts))
            states.append(table[states[-1]][origin])

    def _settle(self, below: int, top: int, kind: str) -> int:
        """The state above `below` when all reductions are done that pass a single part on."""
        table, rules = self._tables.states, self._tables.rules
        while True:
            action = table[top].get(kind, 0)
            rule = rules[-action - 1] if action < 0 else None
            if rule is None or not (rule.single and rule.length == 1):
                return top
            top = table[below][rule.origin]

    def _accepted(self, states: list[int]) -> set[str]:
        """The terminals that the parser would really take, not only look at before it reduces."""
        return {name for name in self._tables.states[states[-1]] if self._takes(name, list(states))}

    def _takes(self, name: str, states: list[int]) -> bool:
        table = self._tables.states
        if name != "$END" and all(name != terminal for terminal, _ in self._tables.terminals):
            return False
        while True:
            if name == "$END" and states[-1] in self._tables.ends.values():
                return True
            action = table[states[-1]].get(name)
            if action is None:
                return False
            if action >= 0:
                return True
            rule = self._tables.rules[-action - 1]
            del states[len(states) - rule.length :]
            states.append(table[states[-1]][rule.origin])


def _flat(parts: list[Any]) -> list[Any]:
    """The parts with those of lists within them in their place."""
    flat = parts[0] if type(parts[0]) is _Inline else _Inline(parts[:1])  # the first grows in place: no copies
    for part in parts[1:]:
        if type(part) is _Inline:
            flat += part
        else:
            flat.append(part)
    return flat
