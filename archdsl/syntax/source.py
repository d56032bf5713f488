"""A spec's text with its name, and places in it."""

from __future__ import annotations

from bisect import bisect_right

from archdsl.records import NamedTuple


class Source:
    """A text and where it came from. `name` is what is shown, `path` where `use` looks, if it is a file."""

    def __init__(self, text: str, name: str = "<text>", path: str | None = None) -> None:
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.text = text
        self.name = name
        self.path = path
        self._starts: list[int] = []

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a code-point offset, both counted from 1."""
        if not self._starts:
            self._starts = [0]
            for index, character in enumerate(self.text):
                if character == "\n":
                    self._starts.append(index + 1)
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1."""
        self.position(0)
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)]


class Span(NamedTuple):
    """A stretch of a source, as code-point offsets; `end` is exclusive."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """What stands there."""
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> str:
        """`4:10`, line and column of the start."""
        line, column = self.source.position(self.start)
        return f"{line}:{column}"
