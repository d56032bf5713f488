"""Where a text with a fault is cut, so that each of its statements can be parsed by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEAD = re.compile(
    r"(?:input|output|model|let|block|default|use)[ \t]+[^\s=:|,*?)\]}>-]"
    r"|assert[ \t]+(?:[^\s=:|,*?)\]}>-]|-[A-Za-z0-9_(@.])"
)
_PART = re.compile(r'"(?:[^"\\\n]|\\.)*"|\#[^\n]*|[(\[{]|[)\]}]|\n')
_GOES_ON = re.compile(r"(?:[-+*/%<>=!,|:.(\[{]|(?<![A-Za-z0-9_])(?:and|or|not|if|else|in))\Z")
_LONGEST_WORD = 6  # characters that _GOES_ON looks at
_CONTINUES = re.compile(r"[-+*/%<>=!?,|:)\]}{]|(?:else|and|or)(?![A-Za-z0-9_])")
_BLANKS = re.compile(r"(?:[ \t\f]*(?:#[^\n]*)?\n){0,100}[ \t\f]*")


def pieces(text: str) -> Iterator[int]:
    """The offsets at which pieces start: a line outside of all brackets, and each head of a statement in column 1.

    A bracket that is not closed holds all that follows up to the next head, and so is one fault.
    """
    yield 0
    depth = 0
    line = 0  # where the line starts that the scan is in
    comment = -1  # where the line's comment starts
    ended = ""  # the end of the last line that holds more than a comment
    filled = False  # whether the piece holds anything
    next_text = 0  # what stands behind the lines of comments, once for all of them
    goes_on = False  # whether it goes on with the line before these
    for match in _PART.finditer(text):
        part = match[0]
        if part in "([{":
            depth += 1
        elif part in ")]}":
            depth = max(0, depth - 1)
        elif part[0] == "#":
            comment = match.start()
        elif part == "\n":
            ended = text[line : comment if comment >= 0 else match.start()].rstrip()[-_LONGEST_WORD:] or ended
            filled = filled or bool(text[line : match.start()].strip())
            line, comment = match.end(), -1
            ends = depth == 0 and filled and not _GOES_ON.search(ended)
            if ends and line > next_text:
                next_text = behind_blanks(text, line)
                goes_on = _CONTINUES.match(text, next_text) is not None
            if (ends and not goes_on) or _HEAD.match(text, line):
                depth, filled = 0, False
                yield line


def behind_blanks(text: str, at: int) -> int:
    """Where the next text stands that is no comment."""
    while (found := _BLANKS.match(text, at)) and found.end() > at:
        at = found.end()
    return at
