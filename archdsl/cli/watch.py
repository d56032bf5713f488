"""`--watch`: check again whenever a file changes, those that specs `use` among them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

PAUSE = 0.3
"""Seconds between two looks at the files."""

State = dict[str, "tuple[int, int] | None"]


def watch(check: Callable[[], Iterable[str]], sleep: Callable[[float], None] | None = None) -> None:
    """Call `check`, which answers the paths that it read, and again after each change; ends with an interrupt alone."""
    while True:
        before = state(check())
        while state(before) == before:
            (sleep or time.sleep)(PAUSE)


def state(paths: Iterable[str]) -> State:
    """When each file was last written and how large it is; None where there is none. Folders count with their files."""
    result: State = {}
    for path in paths:
        try:
            found = os.stat(path)
            result[path] = (found.st_mtime_ns, found.st_size)
        except OSError:
            result[path] = None
    return result
