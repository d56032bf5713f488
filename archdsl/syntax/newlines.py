"""Which new lines end a step, and how deep brackets may go: what stands between the lexer and the parser."""

from __future__ import annotations

from archdsl.syntax.machine import Token

DEEPEST = 60  # brackets within brackets, and operators within operators

_CONTINUES = frozenset(  # behind these a line goes on
    "MINUS ARROW COMMA BAR COLON STAR PLUS SLASH DOUBLESLASH PERCENT POWER EQUAL EQEQ NOTEQ LESS LESSEQ MORE MOREEQ "
    "DOTS DOT AND OR NOT IF ELSE IN LPAR LSQB LBRACE CALL".split()
)
_PLAIN = frozenset("NAME NUMBER LABEL SHAPE STRING REF SHARE".split())
_OPENS = frozenset("LPAR LSQB CALL LBRACE".split())
_CLOSES = frozenset("RPAR RSQB RBRACE".split())
_STARTS_VALUE = frozenset("EQUAL IF IN ASSERT INPUT".split())
_NESTS = frozenset("NOT POWER IF QUESTION DOT STAR".split())
_SIGNS = frozenset("MINUS PLUS".split())
_PARTS = frozenset("COMMA BAR COLON ARROW".split())


class TooDeep(Exception):
    """Brackets or operators nest deeper than DEEPEST; `token` is the first that does."""

    def __init__(self, token: Token) -> None:
        super().__init__("nested too deeply")
        self.token = token


class Newlines:
    """Drops the new lines of one text that end nothing. It never looks ahead, so the contextual lexer is right.

    Brackets hold values behind a callee, a `*`, in the value part of a line, or inside such brackets;
    else they hold a group, where new lines separate steps.
    """

    def __init__(self) -> None:
        self._brackets = [False]  # whether each open bracket holds values
        self._values = [False]  # whether the line that each stands in has come to a value
        self._nested = [0]  # operators that nest, since the last separator
        self._previous = ""

    def keep(self, token: Token) -> bool:
        """Whether the parser gets the token; raises TooDeep."""
        kind, previous = token.type, self._previous
        brackets, values, nested = self._brackets, self._values, self._nested
        if kind in _PLAIN:
            self._previous = kind
            return True
        if kind == "_NL":
            if not previous or previous in _CONTINUES or previous == "_NL" or brackets[-1]:
                return False
            values[-1] = False
            nested[-1] = 0
        elif kind in _OPENS:
            inside = kind == "CALL" or (kind != "LBRACE" and (brackets[-1] or values[-1] or previous == "STAR"))
            brackets.append(inside)
            values.append(False)
            nested.append(0)
        elif kind in _CLOSES:
            if len(brackets) > 1:
                brackets.pop()
                values.pop()
                nested.pop()
            if kind == "RBRACE":
                values[-1] = False
        elif kind in _STARTS_VALUE:
            values[-1] = True
        if kind in _NESTS or (kind in _SIGNS and previous in _CONTINUES):
            nested[-1] += 1
        elif kind in _PARTS or kind in _SIGNS:
            nested[-1] = 0
        if len(brackets) > DEEPEST or nested[-1] > DEEPEST:
            raise TooDeep(token)
        self._previous = kind
        return True
