"""Which specs a call means: files, folders (every *.arch below), and patterns that the shell has left alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

SUFFIX = ".arch"
MAGIC = frozenset("*?[")
"""What makes a name a pattern."""


def gather(names: Iterable[str]) -> list[tuple[str, str]]:
    """The files meant, each once and in the order of the call, and what is wrong where a name leads to none.

    Folders are searched in order of their names; those whose name starts with a dot are left out.
    """
    found: dict[str, str] = {}
    for name in names:
        if os.path.isdir(name):
            inside = list(_below(name))
            found.update((path, "") for path in inside)
            if not inside:
                found[name] = f"it is a folder without any {SUFFIX} file"
        elif name != "-" and not os.path.lexists(name) and not MAGIC.isdisjoint(name):
            from glob import glob  # most calls name a file

            matches = sorted(path for path in glob(name, recursive=True) if not os.path.isdir(path))
            found.update((path, "") for path in matches)
            if not matches:
                found[name] = "no file is of this pattern"
        else:
            found[name] = ""
    return list(found.items())


def _below(folder: str) -> Iterator[str]:
    for path, files in _walk(folder):
        yield from (os.path.join(path, file) for file in sorted(files) if file.endswith(SUFFIX))


def folders(name: str) -> Iterator[str]:
    """A folder and those below it that `gather` searches; nothing where the name is no folder."""
    yield from (path for path, _ in _walk(name))


def _walk(folder: str) -> Iterator[tuple[str, list[str]]]:
    for path, inside, files in os.walk(folder):
        inside[:] = sorted(inner for inner in inside if not inner.startswith("."))
        yield path, files
