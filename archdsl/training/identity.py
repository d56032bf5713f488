"""What must be the same for a run to go on as if it had never been stopped, and the words for what is not."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.diagnostics import Diagnostic
from archdsl.graph import Network
from archdsl.training.run import Spec, texts_of
from archdsl.training.settings import DEFAULTS, Settings

FREE = ("epochs", "every", "patience", "workers", "device")
"""The settings that a run may go on with other values of."""


def identity(spec: Spec, network: Network, settings: Settings, fingerprint: str, world: int) -> dict[str, str]:
    """Everything that decides the weights, in words, by what it is called in a message."""
    found = {f"the spec {name}": text for name, text in texts_of(spec, network).items()}
    found["what completes the spec"] = network.arguments or "nothing"
    found["the data"] = fingerprint
    found["the number of processes"] = str(world)
    fixed = {name: value for name, value in settings.to_dict().items() if name not in FREE}
    return {**found, **{option(name): "not given" if value is None else str(value) for name, value in fixed.items()}}


def option(name: str) -> str:
    """A setting as the command line has it."""
    return "--" + name.replace("_", "-")


def differences(then: Mapping[str, str], now: Mapping[str, str], folder: str) -> list[Diagnostic]:
    """An error E735 for each thing that is another one now."""
    found = []
    for what in [*then, *(what for what in now if what not in then)]:
        before, after = then.get(what), now.get(what)
        if before != after:
            found.append(Diagnostic("E735", _words(what, before, after), file=folder, help=(_help(what, before),)))
    return found


def _words(what: str, before: str | None, after: str | None) -> str:
    if before is None or after is None:
        return f"{what} is there {'now, and not in the run' if before is None else 'in the run, and not now'}"
    if not what.startswith("the spec "):
        return f"{what} is {after} now, and {before} in the run"
    old, new = before.split("\n"), after.split("\n")
    line = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    told = [repr(lines[line]) if line < len(lines) else "nothing" for lines in (new, old)]
    return f"{what} is another one: line {line + 1} is {told[0]} now, and {told[1]} in the run"


def _help(what: str, before: str | None) -> str:
    if what == "the number of processes":
        return f"--nproc {before}"
    if what.startswith("--") and before is not None and DEFAULTS[what[2:].replace("-", "_")] is not None:
        return f"leave {what} out, and the run's own is taken"
    return "-o with another folder begins another run"
