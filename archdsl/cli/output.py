"""What the commands print, and where: results on standard output, all that went wrong on standard error.

Without click, so that plain calls start without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from archdsl.cli import WRONG_CALL, Failure
from archdsl.diagnostics import Diagnostic, render
from archdsl.excerpt import PLAIN, Ansi, Style, visible


def style(*, err: bool = False) -> Style:
    """Colours where the stream is a terminal; NO_COLOR turns them off and FORCE_COLOR on, wherever it goes."""
    if os.environ.get("NO_COLOR"):
        return PLAIN
    if os.environ.get("FORCE_COLOR"):
        return Ansi()
    stream = sys.stderr if err else sys.stdout
    known = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    return Ansi() if known else PLAIN


def say(text: str, *, err: bool = False) -> None:
    """Print a line or several, colours and all; what goes to standard error comes after what was said before."""
    if err and sys.stdout is not None:
        sys.stdout.flush()
    stream = sys.stderr if err else sys.stdout
    if stream is not None:
        stream.write(text + "\n")
        stream.flush()


def report(diagnostics: Iterable[Diagnostic]) -> None:
    """Print findings to standard error, an empty line after each."""
    painted = style(err=True)
    for diagnostic in diagnostics:
        say(render(diagnostic, painted) + "\n", err=True)


def refuse(failure: Failure) -> int:
    """Print why the call cannot be carried out, and answer its exit status."""
    say(f"{style(err=True).paint('error', 'error')}: {visible(str(failure))}", err=True)
    return WRONG_CALL


def unreadable(name: str, error: OSError) -> Diagnostic:
    """The finding for a file that cannot be read."""
    return Diagnostic("E001", f"the file cannot be read: {reason(error)}", file=name)


def reason(error: OSError) -> str:
    """What went wrong, in the words of the system but for a folder."""
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
