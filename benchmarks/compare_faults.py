"""The same faults in four notations: `python -m benchmarks.compare_faults > docs/compare.md` runs them all.

Needs `pip install torch keras ultralytics`; Keras runs on torch. Each fault of benchmarks/compare/faults.py is written
into the network of benchmarks/compare/networks.py, which is built and, where that works, given one image.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("YOLO_VERBOSE", "false")

from benchmarks.compare.faults import FAULTS, Slip
from benchmarks.compare.networks import ARCH, KERAS, TORCH, YAML

NAME = "<net>"
HEAD = """\
# The same faults elsewhere

Written by `python -m benchmarks.compare_faults`, here with {packages}.
One small residual network is written in four notations, with one slip at a time in each (benchmarks/compare/); the
networks are built, and run on one image where that works. *when* says when the fault is told: at the check, at the
build, at the first forward, or never: the network runs, with another result. *place* says whether the line of the slip
is named: by the message, or by the line of the network's own code that the traceback ends in. *help* says whether the
message says what to write instead. A dash stands where a notation cannot express the fault; what a notation infers or
pads by itself is left as it is. Messages are cut off.
"""


class Told(NamedTuple):
    """What a notation says of a fault."""

    when: str
    place: bool
    help: bool
    message: str


def edited(text: str, slip: tuple[str, str]) -> tuple[str, int, int]:
    """The text with a slip, and the lines that it touches."""
    assert text.count(slip[0]) == 1, slip
    start = text[: text.index(slip[0])].count("\n") + 1
    return text.replace(*slip), start, start + max(slip[0].count("\n"), slip[1].count("\n"))


def check(slip: tuple[str, str]) -> Told:
    """archdsl's check."""
    from archdsl import check as check_spec

    text, first, last = edited(ARCH, slip)
    found = sorted(check_spec(text=text).diagnostics, key=lambda d: d.severity)  # errors before warnings
    if not found:
        return Told("never", False, False, "")
    span = found[0].span
    line = span.source.position(span.start)[0] if span is not None else 0
    when = "check" if found[0].severity == "error" else "check, as a warning"
    return Told(when, first <= line <= last, bool(found[0].help), f"{found[0].code}: {found[0].message}")


def python(text: str, first: int, last: int, build: Callable[[str], Any], run: Callable[[Any], Any]) -> Told:
    """What building and running of Python's notations says."""
    when = "build"
    try:
        made = build(text)
        when = "forward"
        run(made)
    except Exception as error:
        message = " ".join(str(error).split())
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == NAME]
        if isinstance(error, SyntaxError) and error.filename == NAME:
            lines.append(error.lineno)
        place = bool(lines) and lines[-1] is not None and first <= lines[-1] <= last
        return Told(when, place, _helps(message), f"{type(error).__name__}: {message}")
    return Told("never", False, False, "")


def _helps(message: str) -> bool:
    return re.search(r"[Dd]id you mean|[Pp]erhaps you forgot|should be|must be|make sure|Please", message) is not None


def torch_module(slip: tuple[str, str]) -> Told:
    """An nn.Module, built and given an image."""
    import torch
    from torch import nn

    def build(text: str) -> Any:
        names: dict[str, Any] = {"nn": nn, "torch": torch}
        exec(compile(text, NAME, "exec"), names)
        return names["Net"]().eval(), names["size"]

    return python(*edited(TORCH, slip), build, lambda made: made[0](torch.zeros(1, *made[1])))


def keras_model(slip: tuple[str, str]) -> Told:
    """A functional model of Keras."""
    import keras
    import numpy as np

    def build(text: str) -> Any:
        keras.backend.clear_session()
        names: dict[str, Any] = {"keras": keras, "layers": keras.layers}
        exec(compile(text, NAME, "exec"), names)
        return names["model"]

    return python(*edited(KERAS, slip), build, lambda made: made(np.zeros((1, *made.inputs[0].shape[1:]), "float32")))


def ultralytics_yaml(slip: tuple[str, str]) -> Told:
    """Ultralytics' YAML; its own loader runs an image through the network where it builds it."""
    import torch
    import yaml
    from ultralytics.nn.tasks import ClassificationModel

    text, first, last = edited(YAML, slip)

    def build(text: str) -> Any:
        return ClassificationModel(yaml.safe_load(text), ch=3, verbose=False).eval()

    told = python(text, first, last, build, lambda made: made(torch.zeros(1, 3, 224, 224)))
    named = re.search(r"line (\d+)", told.message)
    return told._replace(place=bool(named) and first <= int(named[1] if named else 0) <= last)


NOTATIONS: dict[str, Callable[[tuple[str, str]], Told]] = {
    "archdsl": check,
    "torch": torch_module,
    "Keras": keras_model,
    "Ultralytics": ultralytics_yaml,
}


def shown(told: Told | None) -> str:
    """A cell of the table."""
    if told is None:
        return "-"
    if told.when == "never":
        return "never"
    marks = f"{told.when}, {'place' if told.place else 'no place'}{', help' if told.help else ''}"
    short = told.message if len(told.message) <= 110 else told.message[:109] + "…"
    return f"*{marks}*: {short}".replace("|", "\\|").replace("<", "&lt;").replace("`", "")


def main() -> None:
    """Write the page."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "keras", "ultralytics"))
    found: dict[str, list[Told]] = {name: [] for name in NOTATIONS}
    rows = []
    for fault in FAULTS:
        slips: tuple[Slip, ...] = (fault.arch, fault.torch, fault.keras, fault.yaml)
        cells = [fault.name]
        for (name, tell), slip in zip(NOTATIONS.items(), slips):
            told = tell(slip) if slip is not None else None
            if told is not None:
                found[name].append(told)
            cells.append(shown(told))
        rows.append(f"| {' | '.join(cells)} |")
        print(fault.name, file=sys.stderr)
    print(HEAD.format(packages=packages))
    print("| notation | faults | before the first forward | at the forward | never | at the slip's line | with help |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, every in found.items():
        when = [
            sum(told.when in kinds for told in every)
            for kinds in (("check", "check, as a warning", "build"), ("forward",), ("never",))
        ]
        counts = [len(every), *when, sum(told.place for told in every), sum(told.help for told in every)]
        print(f"| {name} | {' | '.join(map(str, counts))} |")
    print(f"\n| fault | {' | '.join(NOTATIONS)} |")
    print(f"| --- |{' --- |' * len(NOTATIONS)}")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
