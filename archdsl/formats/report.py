"""`--format json`: findings and models, as docs/ci.md lists them."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps

from archdsl.formats import Checked
from archdsl.report import Report


def write(checked: Sequence[Checked]) -> str:
    """One JSON object with an entry for each file."""
    entries = []
    for one in checked:
        entries.append(Report(one.file, tuple(one.diagnostics), one.network).to_dict())
    return dumps({"files": entries}, indent=2, ensure_ascii=False)
