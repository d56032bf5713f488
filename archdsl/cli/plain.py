"""The calls that scripts and editors make most, served without click, whose import takes as long as a check.

Only what is plainly right is served: click gets everything else, mistakes and `--help` among it.
"""

from __future__ import annotations

from archdsl.cli import Failure, tolerate

LISTED = {"--to": "targets", "-o": "outputs", "--output": "outputs"}
"""Options of `compile` that have a value and may stand several times, and what they add to."""


def plain(arguments: list[str]) -> int | None:
    """Run a plain call and answer its exit status; None for any other call, of which nothing was done."""
    command, *words = arguments or [""]
    if command == "check" and words and not any(word.startswith("-") for word in words):
        return _check(words)
    if command == "compile":
        return _compile(words)
    return None


def _check(files: list[str]) -> int:
    """`archdsl check FILES`."""
    from archdsl.cli.checker import Checker
    from archdsl.cli.checking import check

    tolerate()
    return check(files, Checker({}, {}, None, library=True))


def _compile(words: list[str]) -> int | None:
    """`archdsl compile FILE --to NAME -o PATH --force`, the options in any order or left out."""
    files: list[str] = []
    listed: dict[str, list[str]] = {"targets": [], "outputs": []}
    force = False
    rest = iter(words)
    for word in rest:
        if word == "--force":
            force = True
        elif word.startswith("-"):
            value = next(rest, "-")
            if word not in LISTED or value.startswith("-"):
                return None
            listed[LISTED[word]].append(value)
        else:
            files.append(word)
    from archdsl.backends import BACKENDS

    if len(files) != 1 or not BACKENDS.keys() >= set(listed["targets"]):
        return None
    from archdsl.cli.compiling import Misuse, compile_spec
    from archdsl.cli.output import refuse

    tolerate()
    try:
        return compile_spec(files[0], **listed, constants={}, inputs={}, fit=None, force=force, options={})
    except Misuse:
        return None
    except Failure as failure:
        return refuse(failure)
