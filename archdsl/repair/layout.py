"""How odd the brackets of a text look: against its lines and their indentation, its rows, and how people write.

Of several places where a bracket may be missing or one too many, the text itself mostly tells which it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Sequence

from archdsl.annotations import Optional
from archdsl.repair.candidates import Piece, pieces_in

CLOSES = {"(": ")", "[": "]", "{": "}"}
OPENS = {close: open for open, close in CLOSES.items()}
LOOSE = 1_000
_GOES_ON = re.compile(r"[-+*/%<>=!,|:.]|->|//|\*\*|[=!<>]=|and|or|not|if|else|in|for")
_STEP = re.compile(r"[A-Z][A-Za-z0-9_]+")
_HEADS = ("for", "if", "else", "block")
_NAME = re.compile(r"@?[A-Za-z_]\w*")


def unbalanced(pieces: Sequence[Piece]) -> tuple[list[int], list[int]]:
    """The opening brackets that nothing closes, and the closing ones that nothing opens, by their numbers."""
    stack: list[int] = []
    open: list[int] = []
    close: list[int] = []
    waiting = Counter[str]()  # by kind, so that the stack is gone down only where there is one to be found
    for index, piece in enumerate(pieces):
        if piece.text in CLOSES:
            stack.append(index)
            waiting[piece.text] += 1
        elif piece.text in OPENS:
            opener = OPENS[piece.text]
            if not waiting[opener]:
                close.append(index)
                continue
            while pieces[stack[-1]].text != opener:
                open.append(stack.pop())
                waiting[pieces[open[-1]].text] -= 1
            stack.pop()
            waiting[opener] -= 1
    return sorted(open + stack), close


class _Frame:
    """What stands in a pair of brackets, or around all of them."""

    def __init__(self, opener: int, indent: int) -> None:
        self.opener = opener  # its number among the tokens
        self.indent = indent  # of its line
        self.lines: list[int] = []  # the indentation of each line that begins in it and goes on with none
        self.commas = 0
        self.rows: list[tuple[str, int]] = []  # the items that are bracketed: how, and how many items they have
        self.arms = False  # whether it holds a `|`
        self.chain = False  # whether such names stand before a `-`
        self.steps = False  # whether it holds names of layers or blocks


def oddness(text: str, callable: Container[str]) -> int:
    """How much speaks against the brackets of a text: 0 where they are as one writes, LOOSE where one has no partner.

    `callable` are the names that `(` may follow.
    """
    return _Reading(text, callable).oddness()


class _Reading:
    """A text, read once from its first token to the last."""

    def __init__(self, text: str, callable: Container[str]) -> None:
        self._text = text
        self._callable = callable
        self._tokens = pieces_in(text)

    def oddness(self) -> int:
        """What speaks against the text."""
        odd, own, tokens = 0, 0, self._tokens
        frames = [_Frame(-1, -1)]
        for i, token in enumerate(tokens):
            before = tokens[i - 1] if i else None
            begins = before is None or self._broken(before, token)
            if begins:
                own = self._indent(token.start)
            if token.text in OPENS:
                frame = frames.pop()
                if frame.opener < 0 or CLOSES[tokens[frame.opener].text] != token.text:
                    return LOOSE
                odd += self._closed(frame, i, begins, own)
                if frame.opener == frames[-1].opener + 1 or tokens[frame.opener - 1].text == ",":
                    frames[-1].rows.append((tokens[frame.opener].text, frame.commas))
                continue
            if begins and not (before and (_GOES_ON.fullmatch(before.text) or _GOES_ON.fullmatch(token.text))):
                frames[-1].lines.append(own)
            if token.text in CLOSES:
                odd += self._opened(i)
                frames.append(_Frame(i, own))
            elif token.text == ",":
                frames[-1].commas += 1
            elif token.text in ("-", "->"):
                frames[-1].chain = frames[-1].steps
            elif token.text == "|":
                frames[-1].arms = True
            elif _STEP.fullmatch(token.text):
                frames[-1].steps = True
        return odd + 3 * sum(indent > 0 for indent in frames[0].lines) if len(frames) == 1 else LOOSE

    def _opened(self, i: int) -> int:
        """What speaks against an opening bracket, from what stands before it."""
        token, before = self._tokens[i], self._tokens[i - 1] if i else None
        if before is None or self._broken(before, token):
            return 0
        close = before.end == token.start
        named = _NAME.fullmatch(before.text) is not None
        if token.text == "(" and named and close:
            return 3 * (before.text not in self._callable)
        if token.text == "(" and named:
            return before.text not in ("in", "if", "else", "and", "or", "not", "for", "of")
        if token.text == "{" and not close:
            line = self._text.rfind("\n", 0, token.start) + 1
            head = re.split(r"[{}]", self._text[line : token.start])[-1]
            return 2 * (not any(re.search(rf"\b{word}\b", head) for word in _HEADS))
        return int(before.text == token.text and close)

    def _closed(self, frame: _Frame, i: int, begins: bool, own: int) -> int:
        """What speaks against a pair of brackets, of which the closing one is token `i`."""
        tokens = self._tokens
        opener, closer = tokens[frame.opener], tokens[i]
        before = tokens[frame.opener - 1] if frame.opener else None
        behind: Optional[Piece] = tokens[i + 1] if i + 1 < len(tokens) else None
        close = before is not None and before.end == opener.start
        call = close and before is not None and _NAME.fullmatch(before.text) is not None
        odd = self._spaces(frame.opener, i)
        if "\n" in self._text[opener.start : closer.start]:
            if begins:
                odd += 3 * (own != frame.indent)
            elif frame.opener + 1 < i and self._broken(opener, tokens[frame.opener + 1]):
                odd += 2
            most = Counter(frame.lines).most_common(1)
            odd += sum(indent <= frame.indent or indent != most[0][0] for indent in frame.lines)
        many = i - frame.opener - 1
        odd += 3 * (frame.arms and opener.text != "{")
        if opener.text == "{" and call and before is not None:
            odd += not frame.arms and before.text in self._callable and tokens[frame.opener + 1].start == opener.end
        if opener.text == "(" and before is not None:
            odd += before.text == ":" and not close  # where `[` opens a module
        if opener.text == "(" and not call:
            odd += 3 * (many == 0) + 2 * (many == 1)
        odd += call and many == 0
        if frame.steps and (frame.chain or not frame.commas) and not call and opener.text != "{":
            labelled = before is not None and before.text in (":", "|", "in", "=")
            odd += before is not None and before.text in ("-", "->")  # a group is most often all that is in its line
            odd += not labelled and not (behind is not None and behind.text in "*?")
        if opener.text != "{" and not call and len(frame.rows) > 1:
            usual = Counter(frame.rows).most_common(1)[0][1]
            odd += 2 * (frame.commas + (tokens[i - 1].text != ",") - usual)
        return odd

    def _spaces(self, a: int, b: int) -> int:
        """What speaks against a pair of brackets, from the spaces within."""
        tokens = self._tokens
        if b == a + 1 or "\n" in self._text[tokens[a].start : tokens[b].start]:
            return 0
        left, right = tokens[a + 1].start > tokens[a].end, tokens[b].start > tokens[b - 1].end
        return int(left) + int(right) if tokens[a].text != "{" else int(left != right)

    def _broken(self, a: Piece, b: Piece) -> bool:
        return "\n" in self._text[a.end : b.start]

    def _indent(self, at: int) -> int:
        start = self._text.rfind("\n", 0, at) + 1
        line = self._text[start:at]
        return len(line) - len(line.lstrip())
