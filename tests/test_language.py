"""docs/language.md says what is so: its examples, and its table of texts and their keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archdsl.analyses.parameters import state_shapes
from archdsl.diagnostics import Findings, render
from archdsl.elaborate import elaborate
from archdsl.syntax.source import Source
from tests.support.cases import elaborated, parsed

PAGE = (Path(__file__).parent.parent / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```arch\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TABLE = PAGE.partition("are held by a test")[2].partition("(The one")[0]
KEYS = re.findall(r"^\| (`.*?`)(?: after `(.*?)`)? \| ((?:`[^`|]*` ?)*)\|$", TABLE, re.MULTILINE)


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_is_right(text: str) -> None:
    """Every block of a spec on the page elaborates, without a warning."""
    network, findings = elaborated(parsed(Path("example.arch"), text))
    assert not findings.found, "\n\n".join(map(render, findings.found))
    assert network is not None


def test_there_are_examples_and_keys() -> None:
    """The page is read as it is meant."""
    assert len(EXAMPLES) >= 6 and len(KEYS) == TABLE.count("\n| `") > 15


@pytest.mark.parametrize(("text", "given", "keys"), KEYS)
def test_the_keys_of_a_text(text: str, given: str, keys: str) -> None:
    """The table's right column is the state_dict of its left one."""
    findings = Findings()
    spec = f"{given or 'input 3x8x8'}\n{text.strip('`')}".replace("\\|", "|")
    network = elaborate(Source(spec, "keys.arch"), constants={}, inputs={}, findings=findings)
    assert network is not None, "\n\n".join(map(render, findings.found))
    assert list(state_shapes(network)) == re.findall("`(.*?)`", keys)
