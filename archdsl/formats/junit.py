"""`--format junit`: JUnit's XML, which most CI servers draw as a table of tests; each file is one."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from archdsl.diagnostics import Diagnostic, render
from archdsl.excerpt import visible
from archdsl.formats import Checked


def write(checked: Sequence[Checked]) -> str:
    """One suite with a test case for each file: a `failure` with all of its errors, an `error` where it was not read.

    Warnings stand in the case's `system-out`.
    """
    failed = sum(one.wrong and not one.unread for one in checked)
    unread = sum(one.unread for one in checked)
    counts = {"tests": str(len(checked)), "failures": str(failed), "errors": str(unread)}
    root = ElementTree.Element("testsuites", {"name": "archdsl", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "archdsl check", **counts, "skipped": "0"})
    for one in checked:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "archdsl.check", "name": visible(one.file)})
        errors = [d for d in one.diagnostics if d.severity == "error"]
        if errors:
            _element(case, "error" if one.unread else "failure", errors)
        warnings = [d for d in one.diagnostics if d.severity == "warning"]
        if warnings:
            ElementTree.SubElement(case, "system-out").text = _text(warnings)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _element(case: ElementTree.Element, name: str, errors: Sequence[Diagnostic]) -> None:
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    attributes = {"type": first.code, "message": visible(first.message) + more}
    ElementTree.SubElement(case, name, attributes).text = _text(errors)


def _text(found: Sequence[Diagnostic]) -> str:
    return "\n\n".join(render(d) for d in found)  # which lets no control character through
