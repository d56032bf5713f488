"""`# archdsl: ignore W405`: warnings that a file does not want to be told of."""

from __future__ import annotations

import re

from archdsl.diagnostics import Diagnostic, Findings
from archdsl.syntax.source import Source

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|\#[^\n]*')
_IGNORE = re.compile(r"#.*?\barchdsl:\s*ignore\s+(W\d{3}(?:\s*,\s*W\d{3})*)")


def silence(findings: Findings) -> None:
    """Take away the warnings that a comment silences: on its line, or alone on a line for the whole file."""
    known: dict[Source, dict[int, set[str]]] = {}

    def wanted(d: Diagnostic) -> bool:
        if d.severity != "warning" or d.span is None:
            return True
        source = d.span.source
        if source not in known:
            known[source] = ignored(source)
        line = source.position(d.span.start)[0]
        return d.code not in known[source].get(0, ()) and d.code not in known[source].get(line, ())

    if any(d.severity == "warning" for d in findings.found):
        findings.found[:] = [d for d in findings.found if wanted(d)]


def ignored(source: Source) -> dict[int, set[str]]:
    """The codes that comments silence, by line; those for the whole file under 0."""
    result: dict[int, set[str]] = {}
    for comment in _COMMENT.finditer(source.text):
        asked = _IGNORE.match(comment[0])
        if asked:
            line, column = source.position(comment.start())
            alone = not source.line(line)[: column - 1].strip()
            result.setdefault(0 if alone else line, set()).update(re.findall(r"W\d{3}", asked[1]))
    return result
