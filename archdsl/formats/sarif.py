"""`--format sarif`: SARIF 2.1.0, which GitHub's code scanning and many editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from json import dumps
from urllib.parse import quote

from archdsl import __version__, explain
from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic, Fix
from archdsl.formats import Checked, full_message, relative
from archdsl.syntax.source import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write(checked: Sequence[Checked]) -> str:
    """One run with a result for each finding, and a rule for each code among them."""
    found = [(one, d) for one in checked for d in one.diagnostics]
    codes = sorted({d.code for _, d in found})
    driver = {"name": "archdsl", "version": __version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not any(one.unread for one in checked)}],
        "artifacts": [{"location": {"uri": _uri(one.file)}} for one in checked],
        "results": [_result(one, d, codes.index(d.code)) for one, d in found],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(code: str) -> dict[str, Any]:
    told = explain.read(code)
    return {
        "id": code,
        "shortDescription": {"text": told.title},
        "fullDescription": {"text": told.meaning},
        "help": {"text": explain.text(code), "markdown": explain.text(code)},
        "defaultConfiguration": {"level": "warning" if code.startswith("W") else "error"},
    }


def _result(one: Checked, d: Diagnostic, index: int) -> dict[str, Any]:
    place = _place(d.span) if d.span else {"artifactLocation": {"uri": _uri(d.file or one.file)}}
    result: dict[str, Any] = {
        "ruleId": d.code,
        "ruleIndex": index,
        "level": d.severity,
        "message": {"text": full_message(d)},
        "locations": [{"physicalLocation": place}],
    }
    if d.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _place(r.span), "message": {"text": r.text}}
            for number, r in enumerate(d.related, 1)
        ]
    if d.fixes:
        result["fixes"] = [_fix(fix) for fix in d.fixes]
    return result


def _place(span: Span) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(span.source.name)}, "region": _region(span)}


def _region(span: Span) -> dict[str, int]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _fix(fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        replacement = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        changes.setdefault(edit.span.source.name, []).append(replacement)
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": {"uri": _uri(name)}, "replacements": edits} for name, edits in changes.items()
        ],
    }


def _uri(name: str) -> str:
    """A relative reference for a relative path, which the reader resolves against the repository's root."""
    if os.path.isabs(name):
        return "file://" + quote(relative(os.path.abspath(name)))
    return quote(relative(name))
