"""From a text to its tokens, while the parser says what may stand next."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from archdsl.annotations import TYPE_CHECKING

if TYPE_CHECKING:
    Token = re.Match[str]
    """A piece of the text: `lastgroup` is its terminal's name, `token[0]` what it reads."""

END = "END"
"""The terminal of the text's end, an empty token."""
NEWLINE = "_NL"
"""The terminal that may stand in every state: whether the parser gets to see it is decided behind the lexer."""
PLAIN = "PLAIN"
"""The terminal of a whole call: where it cannot stand, the CALL that it begins with is what is wrong."""
NONE = "NONE"
"""The terminal of a character that starts no other, which no state takes."""


class Lexer:
    """A contextual lexer: of the terminals that match, the first that the parser's state takes; else the first.

    `terminals` are names and patterns in the order in which they are tried, `states` say by terminal what follows.
    """

    def __init__(
        self,
        terminals: Sequence[tuple[str, str]],
        ignored: Sequence[str],
        states: Sequence[Mapping[str, int]],
    ) -> None:
        self._patterns = dict(terminals)
        self.terminals = (*self._patterns, END)
        self._all = re.compile("|".join(map(_marked, *zip(*terminals, (END, r"\Z"), (NONE, r"[\s\S]")))))
        self._alone: dict[str, re.Pattern[str]] = {}
        self._ignored = frozenset(ignored)
        self._states = states

    def tokens(self, text: str, stack: Sequence[int]) -> Iterator[Token]:
        """The tokens of a text, the last of them END; `stack` are the parser's states at each time, the last on top."""
        states, ignored, position = self._states, self._ignored, 0
        while True:
            for token in self._all.finditer(text, position):
                kind = token.lastgroup
                if kind not in states[stack[-1]] and kind != NEWLINE:
                    if kind in ignored:
                        continue
                    other = self._taken(text, token.start(), states[stack[-1]])
                    if other is None and kind == PLAIN:
                        other = self._taken(text, token.start(), ("CALL",))
                    if other is not None:
                        yield other
                        position = other.end()
                        break
                yield token
            else:
                return

    def _taken(self, text: str, position: int, possible: Collection[str]) -> Token | None:
        """The first token at a position that is among the possible ones."""
        for name, pattern in self._patterns.items():
            if name in possible:
                if name not in self._alone:
                    self._alone[name] = re.compile(_marked(name, pattern))
                found = self._alone[name].match(text, position)
                if found is not None:
                    return found
        return None


def _marked(name: str, pattern: str) -> str:
    """The pattern with an empty group of that name behind it.

    A group around it would hide its first character from `re`, which passes over most alternatives by that alone.
    """
    return f"(?:{pattern})(?P<{name}>)"
