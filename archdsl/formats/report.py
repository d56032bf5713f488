"""`--format json`: findings and models, as docs/ci.md lists them."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps

from archdsl.formats import Checked
from archdsl.report import Report, describe


def write(checked: Sequence[Checked]) -> str:
    """One JSON object with an entry for each file."""
    entries = []
    for one in checked:
        model = describe(one.network) if one.network else None
        entries.append(Report(one.file, tuple(one.diagnostics), model).to_dict())
    return dumps({"files": entries}, indent=2, ensure_ascii=False)
