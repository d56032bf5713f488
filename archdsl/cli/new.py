"""`archdsl new`: a copy of a spec to start from."""

from __future__ import annotations

import os

import click

from archdsl import zoo
from archdsl.cli import Failure
from archdsl.cli.output import reason, say
from archdsl.cli.zoo import complete, path_of
from archdsl.excerpt import visible
from archdsl.files import Outputs


@click.command("new")
@click.argument("name", shell_complete=complete)
@click.argument("file", required=False, type=click.Path())
def command(name: str, file: str | None) -> int:
    """Copy a spec of the zoo, and the files of blocks that it uses, to start from.

    FILE is its name in this folder if not given; the blocks come to lie beside it. Nothing is replaced: where a file
    is there already and holds anything else, nothing is written at all.
    """
    origin = path_of(name)
    target = file if file is not None else os.path.basename(origin)
    copies = {target: origin}
    for path in zoo.used(origin):
        copies[os.path.join(os.path.dirname(target), os.path.relpath(path, os.path.dirname(origin)))] = path
    texts = {path: _read(source) for path, source in copies.items()}
    missing = {path: text for path, text in texts.items() if not _same(path, text)}
    for path in missing:
        if os.path.lexists(path):
            raise Failure(f"{path} is there already; name another file")
    try:
        for path in missing:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with Outputs() as outputs:
            for path, text in missing.items():
                outputs.open(path).write(text)
    except OSError as error:
        raise Failure(f"cannot write {target}: {reason(error)}") from None
    for path in texts:
        done = "wrote" if path in missing else "nothing to do:"
        if path in missing or path == target:
            say(f"{done} {visible(path)}", err=True)
    for other in zoo.alike(name):
        say(f"there is {other} as well, which is not the same network", err=True)
    return 0


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _same(path: str, text: bytes) -> bool:
    try:
        return _read(path) == text
    except OSError:
        return False
