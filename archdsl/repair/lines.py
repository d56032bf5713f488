"""Lines as people write them elsewhere: a comment without its mark, a shape with commas, a quote too few."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archdsl.diagnostics import Edit
from archdsl.layers.registry import LAYERS
from archdsl.repair.candidates import Candidate, inserted, lines_of
from archdsl.syntax.source import Source, Span


def remark(source: Source, at: int) -> Iterator[Candidate]:
    """A `#` before the rest of a line that reads as prose, behind two spaces or more."""
    start, end = lines_of(source, at, at)
    line = source.text[start:end]
    for gap in re.finditer(r"(?<=\S)[ \t]{2,}(?=\S)", line):
        rest = line[gap.end() :]
        if re.search(r"[a-z]:?[ \t]+\w", rest) and not any(word in LAYERS for word in re.findall(r"\w+", rest)):
            yield inserted(source, start + gap.end(), "# ", "a comment starts with #", "this reads as a comment")


def comment(source: Source, at: int) -> Iterator[Candidate]:
    """The line of the error as a comment, where it is no line of a spec."""
    start, end = lines_of(source, at, at)
    line = source.text[start:end]
    foreign = re.match(r"\s*(//|--|%+|;+|\"\"\"|/\*)\s?", line)
    if foreign:
        message = f"`{foreign[1]}` begins no comment"
        yield Candidate(
            Edit(Span(source, start + foreign.start(1), start + foreign.end()), "# "),
            "a comment starts with #",
            message,
        )
    elif (
        re.match(r"[^=]*\w[\w,-]*( [^\s=]+){2}[^=]*$", line)
        and not re.search(r"\w\(|[\[\]{}]", line)
        and not any(word in LAYERS for word in re.findall(r"\w+", line))
    ):
        lead = len(line) - len(line.lstrip())
        yield inserted(source, start + lead, "# ", "a comment starts with #", "this line reads as a comment")


def sizes(source: Source, at: int) -> Iterator[Candidate]:
    """The sizes of an input with commas between them, as Python writes a shape."""
    start = source.text.rfind("\n", 0, at) + 1
    line = re.compile(r"\s*input\s+(?:[a-z]\w*\s*:\s*)?[(\[]?((?:[0-9]+|[A-Z])(?:\s*,\s*(?:[0-9]+|[A-Z]))+)[)\]]?")
    found = line.match(source.text, start)
    if found:
        text = re.sub(r"\s*,\s*", "x", found[1])
        whole = len(found[0]) - len(found[0].rstrip(")]"))
        begin = found.start(1) - (source.text[found.start(1) - 1] in "([")
        yield Candidate(
            Edit(Span(source, begin, found.end(1) + whole), text),
            f"write {text}",
            "the sizes of a shape stand with an x between",
        )


def quotes(source: Source, at: int) -> Iterator[Candidate]:
    """A quote more, on a line that has an odd number of them."""
    start, end = lines_of(source, at, at)
    line = source.text[start:end]
    if line.count('"') % 2:
        only = line.index('"') if line.count('"') == 1 else -1
        spots = [m.start() for m in re.finditer(r"(?<=[\w)\]}])(?=\W|$)|(?<=[(,=\s])(?=[\w({])", line)]
        for spot in sorted(spots, key=lambda s: (abs(s - only), s) if only >= 0 else (s, s)):
            yield inserted(
                source, start + spot, '"', 'texts stand in "double quotes"', "a text in quotes has one quote"
            )
