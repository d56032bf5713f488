"""A check leaves the search for garbage as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import archdsl
from archdsl.elaborate import file


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("searches", [True, False])
@pytest.mark.parametrize("text", ["input 3x8x8\nCONV(8)", "CONV(", "input 3x8x8\nCONV(8)*N"])
def test_as_it_was(monkeypatch: pytest.MonkeyPatch, text: str, searches: bool) -> None:
    """Whatever comes of the spec; and while the tree is made, nothing is searched."""
    during = []
    parse = file.parse
    monkeypatch.setattr(file, "parse", lambda *given: during.append(gc.isenabled()) or parse(*given))
    (gc.enable if searches else gc.disable)()
    archdsl.check(text=text)
    assert during == [False]
    assert gc.isenabled() is searches


def test_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on where a check is broken off."""

    def parse(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(file, "parse", parse)
    with pytest.raises(KeyboardInterrupt):
        archdsl.check(text="CONV(8)")
    assert gc.isenabled()
