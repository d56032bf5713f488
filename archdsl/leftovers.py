"""Unfinished outputs of runs that were killed: a later run to the same place removes them, and none of a live run.

A writer holds a lock on its unfinished file, which the system lets go however it ends. Where there are no such locks
(Windows, some network disks) what is left behind stays.
"""

from __future__ import annotations

import os
import re
import sys
import time

YOUNG = 60  # seconds in which a file without content may belong to a writer that has not got its lock yet


def unfinished(name: str, mark: str) -> str:
    """What the file called `name` is called before it is whole; `mark` are 8 digits of its own."""
    return f".{name[:60]}.{mark}.tmp"


def hold(path: str) -> int | None:
    """Lock a file until the descriptor is closed; None where another holds it, or it cannot be locked."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        return None
    return number


def clear(folder: str, name: str) -> None:
    """Remove what dead runs have left of the output `name`; what cannot be removed stays without a word."""
    before, after = (re.escape(part) for part in unfinished(name, "\0").split("\0"))
    pattern = re.compile(before + "[0-9a-f]{8}" + after)
    try:
        with os.scandir(folder) as entries:
            found = [e.path for e in entries if pattern.fullmatch(e.name) and e.is_file(follow_symlinks=False)]
    except OSError:
        return
    for path in found:
        number = hold(path)
        if number is None:
            continue
        try:
            seen = os.fstat(number)
            if seen.st_size or time.time() - seen.st_mtime > YOUNG:
                os.unlink(path)
        except OSError:
            pass
        finally:
            os.close(number)
