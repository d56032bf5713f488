"""Which new lines end a step, and how deep brackets may go: what stands between the lexer and the parser."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.annotations import TYPE_CHECKING
from archdsl.syntax.lexer import NEWLINE

if TYPE_CHECKING:
    from archdsl.syntax.lexer import Token

DEEPEST = 60  # brackets within brackets, and operators within operators

_CONTINUES = frozenset(  # behind these a line goes on
    "MINUS ARROW COMMA BAR COLON STAR PLUS SLASH DOUBLESLASH PERCENT POWER EQUAL EQEQ NOTEQ LESS LESSEQ MORE MOREEQ "
    "DOTS DOT AND OR NOT IF ELSE IN LPAR LSQB LBRACE CALL".split()
)
_PLAIN = frozenset("NAME NUMBER PLAIN LABEL SHAPE STRING REF SHARE".split())
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


def ended(tokens: Iterator[Token]) -> Iterator[Token]:
    """The tokens without the new lines that end nothing; raises TooDeep.

    It never looks ahead, so the contextual lexer is right. Brackets hold values behind a callee, a `*`, in the value
    part of a line, or inside such brackets; else they hold a group, where new lines separate steps.
    """
    values = False  # whether the innermost open bracket holds values
    valued = False  # whether the line that is read in it has come to a value
    nested = 0  # operators that nest, since its last separator
    around: list[tuple[bool, bool, int]] = []  # the same of the brackets around it
    previous = NEWLINE
    for token in tokens:
        kind = token.lastgroup or ""
        if kind in _PLAIN:
            pass
        elif kind == NEWLINE:
            if values or previous == NEWLINE or previous in _CONTINUES:
                continue
            valued, nested = False, 0
        elif kind in _OPENS:
            around.append((values, valued, nested))
            values = kind == "CALL" or (kind != "LBRACE" and (values or valued or previous == "STAR"))
            valued, nested = False, 0
            if len(around) >= DEEPEST:
                raise TooDeep(token)
        elif kind in _CLOSES:
            if around:
                values, valued, nested = around.pop()
            if kind == "RBRACE":
                valued = False
        else:
            if kind in _STARTS_VALUE:
                valued = True
            if kind in _NESTS or (kind in _SIGNS and previous in _CONTINUES):
                nested += 1
                if nested > DEEPEST:
                    raise TooDeep(token)
            elif kind in _PARTS or kind in _SIGNS:
                nested = 0
        previous = kind
        yield token
