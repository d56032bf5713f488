"""`--format github`: workflow commands that GitHub Actions shows as annotations at the lines they name.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import Diagnostic
from archdsl.formats import Checked, full_message, relative


def write(checked: Sequence[Checked]) -> str:
    """A line for each finding; `::error file=a.arch,line=2,col=1,title=E201::doesn't fit …`."""
    return "\n".join(_line(one, d) for one in checked for d in one.diagnostics)


def _line(one: Checked, d: Diagnostic) -> str:
    properties = {"file": relative(d.span.source.name if d.span else d.file or one.file)}
    if d.span is not None:
        line, column = d.span.source.position(d.span.start)
        end_line, end_column = d.span.source.position(d.span.end)
        properties |= {"line": str(line), "endLine": str(end_line)}
        if line == end_line:  # GitHub takes columns within one line alone
            properties |= {"col": str(column), "endColumn": str(max(column, end_column - 1))}
    properties["title"] = f"archdsl {d.code}"
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{d.severity} {given}::{_data(full_message(d))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
