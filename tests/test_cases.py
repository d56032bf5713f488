"""The files of tests/cases, each against the outcome that stands in it.

`python -m tests.test_cases --update` rewrites the outcomes; read what has changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.cases import FOLDER, cases, outcome, read, update


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_case(path: Path) -> None:
    """A case gives what stands behind its rule."""
    case = read(path)
    assert case.expected, f"{case.name} expects nothing yet: python -m tests.test_cases --update"
    assert [line.rstrip() for line in outcome(case).split("\n")] == case.expected.split("\n")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--update"]:
        sys.exit("python -m tests.test_cases --update [PART OF A NAME …]")
    for found in cases():
        if all(part in str(found) for part in sys.argv[2:]) and update(found):
            print(found.relative_to(FOLDER))
