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
_CONTINUES = re.compile(r"(?:[ \t\f\n]|#[^\n]*\n)*(?:[-+*/%<>=!?,|:)\]}{]|(?:else|and|or)(?![A-Za-z0-9_]))")


def pieces(text: str) -> Iterator[int]:
    """The offsets at which pieces start: a line outside of all brackets, and each head of a statement in column 1.

    A bracket that is not closed holds all that follows up to the next head, and so is one fault.
    """
    yield 0
    depth = 0
    line = start = 0  # where the line starts that the scan is in, and the piece
    comment = -1  # where the line's comment starts
    ended = ""  # the last line that holds more than a comment
    for match in _PART.finditer(text):
        part = match[0]
        if part in "([{":
            depth += 1
        elif part in ")]}":
            depth = max(0, depth - 1)
        elif part[0] == "#":
            comment = match.start()
        elif part == "\n":
            ended = text[line : comment if comment >= 0 else match.start()].rstrip() or ended
            line, comment = match.end(), -1
            goes_on = _GOES_ON.search(ended) is not None or _CONTINUES.match(text, line) is not None
            if _HEAD.match(text, line) or (depth == 0 and not goes_on and text[start:line].strip()):
                depth = 0
                start = line
                yield line
