"""A block that is called again is copied: what comes out is what its elaboration would have given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl.analyses.uses import Walk
from archdsl.diagnostics import render
from archdsl.elaborate import blocks
from archdsl.graph import Network, Value
from archdsl.syntax.source import Span
from tests.support.cases import Case, cases, elaborated, read, table

SPECS = Path(__file__).parent.parent / "specs"
WITH_BLOCKS = [path for path in cases() if "block " in path.read_text()]
NAMES = ("swin_v2_t", "efficientnet_b0", "googlenet", "regnet_y_400mf")
ZOO = [SPECS / "torchvision" / f"{name}.arch" for name in NAMES]


def known_of(value: Value) -> object:
    """All that is known of a value but its identity."""
    way = value.way and (value.way.text, place_of(value.way.span))
    return value.type, place_of(value.span), value.origin, value.hint, value.layout, value.doubt, way


def place_of(span: Span | None) -> object:
    """A place that is equal in two readings of a file."""
    return span and (span.source.name, span.start, span.end)


def made(case: Case) -> Iterator[object]:
    """The findings, and the network with what the words of a finding would be made of."""
    network, findings = elaborated(case)
    yield from map(render, findings.found)
    if network is not None:
        yield table(network)
        yield from _layers(network)


def _layers(network: Network) -> Iterator[object]:
    for use in Walk(network):
        apply = use.apply
        given = place_of(apply.span), apply.label, apply.given, apply.implied, apply.defaults
        yield use.path, use.owner, use.inputs, use.output, given, known_of(apply.output), *map(known_of, apply.inputs)


@pytest.mark.parametrize("path", [*WITH_BLOCKS, *ZOO], ids=lambda path: path.stem)
def test_a_copy_is_what_elaboration_gives(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is the same where no call of a block is known."""
    case = read(path)
    copied = list(made(case))
    monkeypatch.setattr(blocks, "key_of", lambda *_: None)
    assert copied == list(made(case))


def test_copies_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law above would hold as well if nothing were copied."""
    found: list[str] = []
    again = blocks.again

    def counted(*given: object) -> object:
        found.append("copy")
        return again(*given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(blocks, "again", counted)
    list(made(read(ZOO[0])))
    assert found
