"""The parser that runs the tables gives what Lark's own engine gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archdsl.syntax.builder import Builder
from archdsl.syntax.machine import Machine
from archdsl.syntax.newlines import ended
from archdsl.syntax.source import Source, Span
from archdsl.syntax.tables import grammar_text, lark, load, make

HERE = Path(__file__).parent
TEXTS = [
    path.read_text(encoding="utf-8")
    for folder in ("../specs", "cases")
    for path in sorted((HERE / folder).rglob("*.arch"))
]


class _Seen:
    """A token of Lark's as the builder and the filter take it: like a match of `re`."""

    def __init__(self, token: Any) -> None:
        self.token = token
        self.lastgroup: str = token.type

    def __getitem__(self, group: int) -> str:
        return str(self.token)

    def start(self) -> int:
        return int(self.token.start_pos)

    def end(self) -> int:
        return self.start() + len(self.token)


class _Postlex:
    """The filter of new lines as Lark takes it."""

    always_accept: ClassVar[tuple[str, ...]] = ("_NL",)

    def process(self, stream: Iterator[Any]) -> Iterator[Any]:
        return (seen.token for seen in ended(map(_Seen, stream)))  # type: ignore[attr-defined, arg-type]  # what goes in comes out


class _Delegate:
    """Lark's callbacks, for the builder of the text at hand."""

    builder: Builder

    def __getattr__(self, rule: str) -> Any:
        if rule.startswith("_") or not hasattr(Builder, rule):
            raise AttributeError(rule)
        return lambda items: getattr(self.builder, rule)(parts := _parts(items), self._over(parts))

    def _over(self, parts: list[Any]) -> Span:
        """The place from the first part to the last, of what has one."""
        ends = [parts[0], parts[-1]] if parts else []
        places = [self.builder.at(part) if isinstance(part, _Seen) else getattr(part, "span", None) for part in ends]
        first, last = places or (Span(self.builder.source, 0, 0),) * 2
        return first._replace(end=last.end) if first and last else None  # type: ignore[return-value]  # tuples of arms have no place


def _parts(items: list[Any]) -> list[Any]:
    return [_Seen(item) if hasattr(item, "type") else item for item in items]


@pytest.fixture(scope="module")
def engines() -> Any:
    """Both engines, as functions from a text to its tree, or to the class of what was wrong and where."""
    delegate = _Delegate()
    other = lark(grammar_text(), transformer=delegate, postlex=_Postlex())
    machine = Machine(load(), Builder)

    def builder(source: Source) -> Builder:
        return Builder(source, 0, lambda start, end: source.text[start:end])  # type: ignore[arg-type, return-value]  # labels' values as text

    def ours(text: str) -> Any:
        source = Source(text)
        return machine.parse(source.text, "file", builder(source), ended)

    def larks(text: str) -> Any:
        source = Source(text)
        delegate.builder = builder(source)
        return other.parse(source.text, start="file")

    return ours, larks


def test_same_trees(engines: Any) -> None:
    """Every spec and every case that one engine parses the other parses to the same tree."""
    ours, larks = engines
    parsed = 0
    for text in TEXTS:
        parsed += _same(ours, larks, text)
    assert parsed > 20


def test_same_verdicts(engines: Any) -> None:
    """Texts with random edits are taken or refused by both."""
    ours, larks = engines
    draw = random.Random(7)
    for _ in range(300):
        text = draw.choice(TEXTS)
        at = draw.randrange(len(text))
        piece = draw.choice(
            ["", "(", ")", "{", "}", "|", "-", "*", "?", "\n", ":", "=", " in ", "if ", "x3", "@", '"', ","]
        )
        _same(ours, larks, text[:at] + piece + text[at + draw.randrange(3) :])


def _same(ours: Any, larks: Any, text: str) -> bool:
    found = []
    for engine in (ours, larks):
        try:
            found.append(_plain(engine(text)))
        except Exception as error:  # each engine has classes of its own; all that counts is that both refuse
            found.append("refused")
            assert type(error).__module__.split(".")[0] in ("archdsl", "lark"), error
    assert found[0] == found[1], text
    return found[0] != "refused"


def _plain(tree: Any) -> Any:
    """The tree with its places as offsets, since each engine has a Source of its own."""
    if isinstance(tree, Source):
        return None
    if isinstance(tree, tuple):
        return (type(tree).__name__, *map(_plain, tree))
    return tree


def test_tables_belong_to_the_grammar() -> None:
    """The tables that are loaded are those that Lark makes of the grammar now."""
    assert load() == make(grammar_text())
