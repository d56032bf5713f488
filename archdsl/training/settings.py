"""The settings of a run, each said once: its type, default, bounds and help, for the command line and train.toml alike.

    epochs = 10          # train.toml, beside the spec
    optimizer = "sgd"
    augment = ["flip"]

The command line goes over the file, the file over the defaults. Nothing is coerced: "10" is no number.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import import_module
from math import isfinite
from typing import Any, NamedTuple

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.files import read_spec
from archdsl.syntax.source import Source, Span

FILE = "train.toml"
OPTIMIZERS = {"sgd": 0.05, "adam": 1e-3, "adamw": 1e-3, "rmsprop": 1e-3, "adagrad": 1e-2}
"""The optimizers, and the learning rate of each where none is given."""
DECAY = {"adamw": 0.01}
"""The weight decay where none is given; 0 for the others."""
SCHEDULES = ("constant", "cosine", "step", "onecycle", "warmup")
LOSSES = ("cross-entropy", "bce", "nll", "mse", "l1", "huber")


class Rule(NamedTuple):
    """What a setting may be: `kind` is int, float, bool, str or list (of strings); bounds hold for numbers."""

    kind: type
    help: str
    least: float | None = None
    above: float | None = None  # the bound itself is out
    below: float | None = None
    choices: tuple[str, ...] = ()

    def wrong(self, value: object) -> str | None:
        """What is wrong with a value, None where nothing is."""
        expected = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", list: "texts"}
        right = isinstance(value, (int, float) if self.kind is float else self.kind)
        if isinstance(value, bool) and self.kind is not bool:
            right = False
        if self.kind is list and right and isinstance(value, list):
            right = all(isinstance(item, str) for item in value)
        if not right:
            return f"is {expected[self.kind]}, not {value!r}"
        if self.choices and value not in self.choices:
            return f"is one of {', '.join(self.choices)}, not {value!r}"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not isfinite(value):
                return f"is a finite number, not {value:g}"
            if not (self.least is None or value >= self.least):
                return f"is at least {self.least:g}, not {value:g}"
            if not (self.above is None or value > self.above):
                return f"is above {self.above:g}, not {value:g}"
            if not (self.below is None or value < self.below):
                return f"is below {self.below:g}, not {value:g}"
        return None


def setting(default: Any, kind: type, help: str, **bounds: Any) -> Any:
    """A field of Settings."""
    return field(default=default, metadata={"rule": Rule(kind, help, **bounds)})


@dataclass(frozen=True)
class Settings:
    """What decides a run beside the spec, the data and the number of processes; None is what the help says."""

    epochs: int = setting(5, int, "Times through the training data.", least=1)
    batch: int = setting(64, int, "Samples that a step learns from, of all processes and parts together.", least=1)
    optimizer: str = setting("adamw", str, "What moves the weights.", choices=tuple(OPTIMIZERS))
    lr: float | None = setting(None, float, "Learning rate. Default: sgd 0.05, adagrad 0.01, others 0.001.", above=0)
    momentum: float = setting(0.9, float, "Momentum of sgd and rmsprop.", least=0, below=1)
    weight_decay: float | None = setting(None, float, "Decay of weights. Default: adamw 0.01, others 0.", least=0)
    schedule: str = setting("cosine", str, "How the learning rate goes.", choices=SCHEDULES)
    loss: str | None = setting(None, str, "What is made small. Default: what the spec's end says.", choices=LOSSES)
    aux_weight: float = setting(0.3, float, "Weight of the loss of each output in training.", least=0)
    seed: int = setting(0, int, "Where all that is random starts.", least=0, below=2**63)
    augment: tuple[str, ...] = setting((), list, "A change of the images by chance; give it once for each.")
    resize: bool = setting(False, bool, "Resize images to the spec's input.")
    valid_part: float = setting(0.2, float, "Share held back to validate where the data has none.", least=0, below=1)
    skip: bool = setting(False, bool, "Leave out samples that cannot be read, and name them.")
    patience: int | None = setting(None, int, "Stop after so many epochs without a better validation.", least=1)
    every: int | None = setting(None, int, "Save each so many steps, too, and not only each epoch.", least=1)
    device: str | None = setting(None, str, "cpu, cuda or cuda:1. Default: a GPU where there is one.")
    amp: str | None = setting(None, str, "Compute in half precision where that is safe.", choices=("bf16", "fp16"))
    accumulate: int = setting(1, int, "Compute a step's batch in so many parts, to save memory.", least=1)
    compile: bool = setting(False, bool, "Compile the module by torch.compile.")
    channels_last: bool = setting(False, bool, "Keep maps with the channels last in memory.")
    workers: int = setting(0, int, "Processes that prepare batches; 0 prepares them in the training's own.", least=0)
    fsdp: bool = setting(False, bool, "Share the weights out over the processes (FSDP), not the batch alone.")

    @property
    def rate(self) -> float:
        """The learning rate, the optimizer's own where none is given."""
        return OPTIMIZERS[self.optimizer] if self.lr is None else self.lr

    @property
    def decay(self) -> float:
        """The weight decay, the optimizer's own where none is given."""
        return DECAY.get(self.optimizer, 0.0) if self.weight_decay is None else self.weight_decay

    def changed(self, given: Mapping[str, Any]) -> Settings:
        """These, with other values for some."""
        return replace(self, **{name: _kept(name, value) for name, value in given.items()})

    def to_dict(self) -> dict[str, Any]:
        """As run.json has it: JSON's own types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Settings:
        """Read back what `to_dict` gave; raises ValueError, saying what is wrong, for anything else."""
        for name, value in stored.items():
            if name not in RULES:
                raise ValueError(f"there is no setting {name}")
            wrong = None if value is None and DEFAULTS[name] is None else RULES[name].wrong(value)
            if wrong:
                raise ValueError(f"{name} {wrong}")
        return cls().changed(stored)


RULES: dict[str, Rule] = {f.name: f.metadata["rule"] for f in fields(Settings)}
DEFAULTS: dict[str, object] = {f.name: f.default for f in fields(Settings)}


def _kept(name: str, value: Any) -> Any:
    if value is None:
        return None
    kind = RULES[name].kind
    return tuple(value) if kind is list else float(value) if kind is float else value


def read_settings(spec: str | None, given: Mapping[str, Any]) -> Settings:
    """The settings for the spec at a path: `given`, over train.toml in its folder, over the defaults.

    Raises OSError where the file cannot be read, and ArchError: E732 where it is no TOML, E730 for a key that is no
    setting, E731 for a value that the setting does not take.
    """
    path = None if spec is None else os.path.join(os.path.dirname(spec), FILE)
    stored = _file(read_spec(path)) if path is not None and os.path.exists(path) else {}
    return Settings().changed({**stored, **given})


def _file(source: Source) -> dict[str, Any]:
    tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")  # the same by two names
    try:
        stored: dict[str, Any] = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise ArchError([_no_toml(source, str(error))]) from None
    found = []
    for name, value in stored.items():
        if name not in RULES:
            from archdsl.elaborate.suggest import near

            meant = near(name, RULES)
            help = (f"did you mean {meant}?",) if meant else (f"there are {', '.join(RULES)}",)
            found.append(Diagnostic("E730", f"there is no setting {name}", _key(source, name), help=help))
        elif wrong := RULES[name].wrong(value):
            found.append(Diagnostic("E731", f"{name} {wrong}", _key(source, name)))
    if found:
        raise ArchError(found)
    return stored


def _no_toml(source: Source, problem: str) -> Diagnostic:
    """The parser's words, at the place that they name."""
    text, _, place = problem.partition(" (at ")
    span = Span(source, max(0, len(source.text.rstrip()) - 1), len(source.text.rstrip()))
    if numbers := re.match(r"line (\d+), column (\d+)", place):
        line, column = map(int, numbers.groups())
        start = sum(len(text) + 1 for text in source.text.split("\n")[: line - 1]) + column - 1
        span = Span(source, start, start + 1)
    return Diagnostic("E732", f"this is no TOML: {text[:1].lower() + text[1:]}", span)


def _key(source: Source, name: str) -> Span:
    """Where a key of the outermost table stands; tables' headings count as such."""
    pattern = rf"""^[ \t]*\[{{0,2}}[ \t]*(["']?){re.escape(name)}\1[ \t]*[\].=]"""
    found = re.search(pattern, source.text, re.MULTILINE)
    if found is None:  # written with escapes
        return Span(source, 0, 0)
    start = source.text.index(name, found.start())
    return Span(source, start, start + len(name))
