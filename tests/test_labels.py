"""Labels against torch itself: what it refuses as a submodule's name is refused here."""

from __future__ import annotations

import pytest
from torch import nn

from archdsl.elaborate.labels import check_label
from archdsl.elaborate.values import Fault
from archdsl.syntax.source import Source, Span

SPAN = Span(Source("x"), 0, 1)


def refused(name: str) -> bool:
    """Whether the language refuses the label."""
    try:
        check_label(name, SPAN)
    except Fault as error:
        assert error.diagnostic.code == "E163"
        return True
    return False


@pytest.mark.parametrize("name", sorted({*dir(nn.Module()), *dir(nn.Sequential())}))
def test_what_a_module_has_is_no_label(name: str) -> None:
    """torch's add_module raises KeyError for these, in this or in another version of torch."""
    assert refused(name)


@pytest.mark.parametrize("name", ["conv1", "_blocks", "a-b", "c d", "weight", "é", "layer1_0"])
def test_what_torch_takes_is_a_label(name: str) -> None:
    """Such names are those of published models."""
    nn.Module().add_module(name, nn.ReLU())
    assert not refused(name)


@pytest.mark.parametrize("name", ["", "a.b", "03", "class", 'a"b', "a\\b", "a\nb", "a" * 201])
def test_what_makes_no_path_is_no_label(name: str) -> None:
    """These break paths, positions or source."""
    assert refused(name)
