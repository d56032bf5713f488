"""How a command checks a file: the same options for all of its files, and whatever befalls one is a finding."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from archdsl.cli.output import unreadable
from archdsl.diagnostics import ArchError
from archdsl.files import read_spec, read_stream
from archdsl.formats import Checked
from archdsl.pipeline import build
from archdsl.syntax.source import Source


class Checker:
    """The options of a call; `read` are the paths that were read for it, those that specs `use` among them.

    With `library` a file of blocks alone is right; `target` is a type of numbers whose tensor cores are minded.
    """

    def __init__(
        self,
        constants: Mapping[str, str],
        inputs: Mapping[str, str],
        fit: str | None,
        *,
        library: bool = False,
        target: str | None = None,
    ) -> None:
        self.constants, self.inputs, self.fit = constants, inputs, fit
        self.library, self.target = library, target
        self.read: set[str] = set()

    def check(self, file: str) -> Checked:
        """The spec in a file, or from standard input where it is `-`."""
        self.read.add(file)
        try:
            source = read(file)
        except OSError as error:
            return Checked(file, None, [unreadable(file, error)], True)
        except ArchError as error:
            return Checked(file, None, list(error.diagnostics))
        return self.check_source(file, source)

    def check_source(self, file: str, source: Source) -> Checked:
        """A text that stands for a file."""
        network, findings = build(
            source, constants=self.constants, inputs=self.inputs, fit=self.fit, library=self.library, leave_open=True
        )
        self.read |= findings.read
        if self.target is not None and network is not None:
            from archdsl.lint.silence import silence
            from archdsl.lint.tensor_cores import warn_of_widths

            warn_of_widths(network, self.target, findings)
            silence(findings)
            findings.sort(source)
        return Checked(file, network, findings.found)


def read(name: str) -> Source:
    """The spec in a file, or from standard input where the name is `-`; raises what `read_spec` does."""
    if name != "-":
        return read_spec(name)
    if sys.stdin is None:
        raise OSError(9, "standard input is closed")
    return read_stream(sys.stdin.buffer, "<stdin>")
