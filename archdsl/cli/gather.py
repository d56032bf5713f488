"""Which specs a call means: files, folders (every *.arch below), and patterns that the shell has left alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

SUFFIX = ".arch"
MAGIC = frozenset("*?[")
"""What makes a name a pattern."""
_HERE = os.path.join(os.curdir, "")


def gather(names: Iterable[str]) -> list[tuple[str, str]]:
    """The files meant, each once and in the order of the call, and what is wrong where a name leads to none.

    Folders are searched in order of their names; those whose name starts with a dot are left out, and so are links
    to folders, which may lead in circles, and pipes, where nobody may ever write. What is named itself is taken.
    """
    found: dict[str, str] = {}
    for name in names:
        if os.path.isdir(name):
            inside = list(_below(name))
            found.update((path, "") for path in inside)
            if not inside:
                found[name] = f"it is a folder without any {SUFFIX} file"
        elif name != "-" and not os.path.lexists(name) and not MAGIC.isdisjoint(name):
            matches = sorted(path for path in _matches(name) if not os.path.isdir(path) and _readable(path))
            found.update((path, "") for path in matches)
            if not matches:
                found[name] = "no file is of this pattern"
        else:
            found[name] = ""
    return list(found.items())


def _below(folder: str) -> Iterator[str]:
    for path, files in _walk(folder):
        inside = (os.path.join(path, file) for file in sorted(files) if file.endswith(SUFFIX))
        yield from filter(_readable, inside)


def _readable(path: str) -> bool:
    """Whether reading ends: an ordinary file does, and what is not there, which is told."""
    return os.path.isfile(path) or not os.path.exists(path)


def _matches(pattern: str) -> Iterator[str]:
    """What `glob` finds, but that `**` leaves out what `_walk` does; some paths come more than once."""
    import glob  # most calls name a file
    import re

    slash = f"[{re.escape(os.sep + (os.altsep or ''))}]"
    deep = re.search(rf"(?:^|(?<={slash}))\*\*(?:{slash}+|$)", pattern)  # `**` as a whole part of a path
    if deep is None:
        yield from glob.iglob(pattern)
        return
    before, after = pattern[: deep.start()], pattern[deep.end() :] or "*"
    for root in glob.iglob(before) if before else ("",):
        for folder, _ in _walk(root or os.curdir):
            inside = os.path.join(folder, "")
            yield from _matches(glob.escape(inside if root else inside.removeprefix(_HERE)) + after)


def folders(name: str) -> Iterator[str]:
    """A folder and those below it that `gather` searches; nothing where the name is no folder."""
    yield from (path for path, _ in _walk(name))


def _walk(folder: str) -> Iterator[tuple[str, list[str]]]:
    for path, inside, files in os.walk(folder):
        inside[:] = sorted(inner for inner in inside if not inner.startswith("."))
        yield path, files
