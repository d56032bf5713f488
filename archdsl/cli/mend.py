"""`--fix` and `--diff`: the fixes that are safe, applied to a file or shown."""

from __future__ import annotations

import difflib
import os

from archdsl.cli import Failure
from archdsl.cli.checker import Checker
from archdsl.cli.output import reason, say
from archdsl.excerpt import visible
from archdsl.files import Outputs
from archdsl.fixes import apply_edits, safe_edits
from archdsl.formats import Checked
from archdsl.syntax.source import Source

MOST_PASSES = 20
"""How often fixes are applied and the result checked again: what does not parse hides what stands in it."""


def mend(file: str, checker: Checker, *, apply: bool, show: bool) -> Checked:
    """Apply the safe fixes of a file, print the difference where asked to, and answer what is still wrong.

    With `apply` the file is replaced, whole or not at all; without it what is wrong is that of the file as it is.
    """
    first = one = checker.check(file)
    try:
        text = _text(file) if one.diagnostics and not one.unread else ""
    except (OSError, UnicodeDecodeError):  # which the check has told
        return one
    before = text
    for _ in range(MOST_PASSES):
        source = Source(text, file, os.path.abspath(file))
        one = checker.check_source(file, source) if text else one
        edits = safe_edits(one.diagnostics, source)
        if not edits:
            break
        text = apply_edits(text, edits)
    if text == before:
        return one
    if show:
        lines = before.splitlines(), text.splitlines()
        for line in difflib.unified_diff(lines[0], lines[1], file, f"{file} (fixed)", lineterm=""):
            say(visible(line))
    if not apply:
        return first
    _replace(file, text)
    return one


def _text(file: str) -> str:
    """The file's text with its line ends as they are."""
    with open(file, "rb") as stream:
        return stream.read().decode("utf-8")


def _replace(file: str, text: str) -> None:
    try:
        mode = os.stat(file).st_mode
        if not os.access(file, os.W_OK):
            raise PermissionError(13, "it is write-protected")
        with Outputs() as outputs:
            stream = outputs.open(file)
            if hasattr(os, "fchmod"):
                os.fchmod(stream.fileno(), mode)
            stream.write(text.encode("utf-8"))
    except OSError as error:
        raise Failure(f"cannot write {file}: {reason(error)}") from None
