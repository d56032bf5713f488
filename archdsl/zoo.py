"""The specs that come with archdsl: where they lie, what they are called, and the files that each one uses."""

from __future__ import annotations

import os
from collections.abc import Iterator

from archdsl.files import read_spec

SUFFIX = ".arch"
BLOCKS = "blocks"  # the folders of what specs share, which hold no networks


def folder() -> str:
    """The folder of the specs, in a checkout and in an installed package alike."""
    package = os.path.dirname(os.path.abspath(__file__))
    for path in (os.path.join(package, "specs"), os.path.join(os.path.dirname(package), "specs")):
        if os.path.isdir(path):
            return path
    raise FileNotFoundError("specs/ belongs to the package and is not there; install archdsl anew")


def names() -> list[str]:
    """All networks by their names, `resnet50` and `torchvision/resnet50`, in order, those without a folder first."""
    found = []
    root = folder()
    for here, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != BLOCKS)
        inside = os.path.relpath(here, root).replace(os.sep, "/")
        prefix = "" if inside == "." else f"{inside}/"
        found += sorted(prefix + name[: -len(SUFFIX)] for name in files if name.endswith(SUFFIX))
    return sorted(found, key=lambda name: (name.count("/"), name))


def find(name: str) -> str | None:
    """The path of a network's spec, None where there is none; without a folder, the first that is called so."""
    known = names()
    wanted = name.removesuffix(SUFFIX)
    for other in (wanted, *(n for n in known if n.rpartition("/")[2] == wanted)):
        if other in known:
            return os.path.join(folder(), *other.split("/")) + SUFFIX
    return None


def alike(name: str) -> list[str]:
    """The other networks whose names end as that of the one which `find` finds by `name`."""
    wanted = name.removesuffix(SUFFIX)
    same = [other for other in names() if other.rpartition("/")[2] == wanted.rpartition("/")[2]]
    return [other for other in same if other != (wanted if wanted in same else same[0])]


def used(path: str) -> Iterator[str]:
    """The files that a spec takes blocks from, each once, those that these take blocks from among them."""
    from archdsl.diagnostics import Findings
    from archdsl.syntax import tree
    from archdsl.syntax.parser import parse

    seen = {os.path.realpath(path)}
    waiting = [path]
    while waiting:
        here = waiting.pop()
        file = parse(read_spec(here), Findings())
        for statement in file.statements if file is not None else ():
            if isinstance(statement, tree.Use):
                other = os.path.normpath(os.path.join(os.path.dirname(here), statement.path))
                if os.path.realpath(other) not in seen:
                    seen.add(os.path.realpath(other))
                    waiting.append(other)
                    yield other


def lines(path: str) -> int:
    """The lines of a file that are neither empty nor a comment."""
    with open(path, encoding="utf-8") as file:
        return sum(1 for line in file if line.strip() and not line.lstrip().startswith("#"))
