"""docs/errors.md: every code that is raised stands there, its example gives it, and a case or a test shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.cases import cases, elaborated, parsed, read

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### ([EW][0-9]{3})\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = {
    code: example
    for code, section in SECTIONS.items()
    for example in re.findall(r"^```arch\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
}
RAISED = {
    code
    for path in (ROOT / "archdsl").rglob("*.py")
    for code in re.findall(r'"([EW][0-9]{3})"', path.read_text(encoding="utf-8"))
}
WITHOUT = {"E104", "E105", "E156", "W404"}  # their examples would be long: test_hostile.py has them


def test_the_page_has_every_code_that_is_raised_and_no_other() -> None:
    """A code in the source without a section, and a section without a code, are both found."""
    assert set(SECTIONS) == RAISED
    assert list(SECTIONS) == sorted(SECTIONS)


def test_every_code_of_the_text_has_an_example() -> None:
    """Those of files and of what is written out have none."""
    assert set(EXAMPLES) == {code for code in SECTIONS if code[1] in "1234"} - WITHOUT


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_gives_its_code_alone(code: str, tmp_path: Path) -> None:
    """The example of a section is wrong in just this way."""
    (tmp_path / "blocks.arch").write_text("block Unit() { RELU }\n", encoding="utf-8")
    network, findings = elaborated(parsed(tmp_path / "example.arch", EXAMPLES[code]))
    assert {found.code for found in findings.found} == {code}
    assert (network is None) == code.startswith("E")


def test_every_code_is_shown_by_a_case_or_a_test() -> None:
    """What is said and where is held somewhere, not the code alone."""
    shown = {code for path in cases() for code in re.findall(r"\[([EW][0-9]{3})\]", read(path).expected)}
    for path in (ROOT / "tests").glob("*.py"):
        if path.name != Path(__file__).name:
            shown.update(re.findall(r"\b([EW][0-9]{3})\b", path.read_text(encoding="utf-8")))
    assert shown >= RAISED, sorted(RAISED - shown)
