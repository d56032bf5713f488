"""docs/layers.md is what the docstrings say, and every layer has something to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl import documentation
from archdsl.layers.registry import LAYERS, layer_class

PAGE = Path(__file__).parent.parent / "docs" / "layers.md"


def test_the_page_is_up_to_date() -> None:
    """Made anew, docs/layers.md is the same."""
    assert PAGE.read_text(encoding="utf-8") == documentation.markdown(), (
        "run: python -m archdsl.documentation > docs/layers.md"
    )


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_documented(name: str) -> None:
    """A first line that ends as a sentence and fits the list, and arguments that exist."""
    layer = layer_class(name)
    first = documentation.summary(layer)
    assert first.endswith((".", ")")) and len(first) <= 130
    assert set(layer.positional) <= {argument.name for argument in documentation.arguments(layer)}
    assert documentation.page(name, layer)[0].startswith(name)


def test_each_layer_stands_in_one_group() -> None:
    """All names of the table are listed, once."""
    listed = [name for group in documentation.groups() for names, _ in group.layers for name in names]
    assert sorted(listed) == sorted(LAYERS)
