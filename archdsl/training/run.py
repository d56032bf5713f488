"""A run's folder: what lies where, how it is begun, and how it is opened again.

    run/net.arch  run/net.py        the spec, with the files that it uses, and the module that was trained
    run/run.json                    settings, data, what completed the spec, versions
    run/metrics.jsonl               an object a line for what happened
    run/best.safetensors  last.safetensors      weights, by the module's own keys
    run/checkpoints/00000120.pt     all that is needed to go on, the newest two

The spec lies under its own name.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.files import Outputs, read_spec, sync_folder
from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.syntax.source import Source
from archdsl.training.settings import Settings

ABOUT, METRICS, CHECKPOINTS = "run.json", "metrics.jsonl", "checkpoints"


@dataclass(frozen=True)
class Spec:
    """A spec and what completed it: the options -D, --input and --fit, as text."""

    source: Source
    constants: Mapping[str, str]
    inputs: Mapping[str, str]
    fit: str | None = None

    @property
    def file(self) -> str:
        """Its name in a run's folder."""
        return os.path.basename(self.source.path) if self.source.path else "net.arch"

    def build(self) -> tuple[Network, list[Diagnostic]]:
        """The network, and the warnings; raises ArchError where the spec is wrong."""
        network, findings = build(self.source, constants=self.constants, inputs=self.inputs, fit=self.fit)
        if network is None:
            raise ArchError(findings.found)
        return network, findings.found


@dataclass(frozen=True)
class Run:
    """A run as its folder has it. `data` is run.json's: source, kind, classes, normalisation, fingerprint, sizes."""

    folder: str
    spec: Spec
    network: Network
    settings: Settings
    data: Mapping[str, Any]
    about: Mapping[str, Any]

    @property
    def metrics(self) -> str:
        """The path of what happened, an object a line."""
        return os.path.join(self.folder, METRICS)

    def weights(self, which: str = "best") -> str:
        """The path of the weights that did best in validation, or of the "last"; raises ArchError E733."""
        path = os.path.join(self.folder, f"{which}.safetensors")
        if not os.path.isfile(path):
            help = ("--resume goes on with it",) if os.path.isdir(os.path.join(self.folder, CHECKPOINTS)) else ()
            raise ArchError([Diagnostic("E733", f"this run has no {which} weights yet", file=path, help=help)])
        return path


def open_run(folder: str) -> Run:
    """The run in a folder. Raises ArchError: E733 where there is none, E734 where it was changed or is damaged."""
    path = os.path.join(folder, ABOUT)
    try:
        with open(path, encoding="utf-8") as stream:
            about = json.load(stream)
    except FileNotFoundError:
        message = "there is no run in this folder" if os.path.isdir(folder) else "there is no such folder of a run"
        raise ArchError([Diagnostic("E733", f"{message}: it has no {ABOUT}", file=folder)]) from None
    except (OSError, ValueError) as error:
        raise ArchError([Diagnostic("E734", f"this cannot be read as a run's: {error}", file=path)]) from None
    try:
        told = about["spec"]
        settings = Settings.from_dict(about["settings"])
        file, files = os.path.join(folder, told["file"]), dict(told["files"])
        source = read_spec(file)
        spec = Spec(source, dict(told["constants"]), dict(told["inputs"]), told["fit"])
        data = dict(about["data"])
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ArchError([Diagnostic("E734", f"the run is damaged: {error}", file=path)]) from None
    network, _ = spec.build()
    for name, text in texts_of(spec, network).items():
        if _digest(text) != files.get(name):
            message = "this is not the spec that was trained: its text has another sha256 than run.json says"
            raise ArchError([Diagnostic("E734", message, file=os.path.join(folder, name))])
    return Run(folder, spec, network, settings, data, about)


def describe(spec: Spec, network: Network, settings: Settings, data: Mapping[str, Any], world: int) -> dict[str, Any]:
    """What run.json says."""
    import torch

    from archdsl import __version__

    return {
        "archdsl": __version__,
        "torch": torch.__version__,
        "spec": {
            "file": spec.file,
            "sha256": _digest(network.text),
            "files": {name: _digest(text) for name, text in texts_of(spec, network).items()},
            "arguments": network.arguments,
            "constants": dict(spec.constants),
            "inputs": dict(spec.inputs),
            "fit": spec.fit,
        },
        "settings": settings.to_dict(),
        "data": dict(data),
        "world": world,
    }


def begin(folder: str, spec: Spec, network: Network, about: Mapping[str, Any]) -> None:
    """Make a run's folder, which is there with all that it begins with or not at all; an older run is replaced.

    Raises OSError.
    """
    from archdsl.backends.pytorch import write

    folder = os.path.realpath(folder)
    parent, name = os.path.split(folder)
    os.makedirs(parent, exist_ok=True)
    made = tempfile.mkdtemp(prefix=f".{name}.", suffix=".tmp", dir=parent)
    try:
        os.chmod(made, 0o777 & ~_umask())
        os.mkdir(os.path.join(made, CHECKPOINTS))
        with Outputs() as outputs:
            for file, text in texts_of(spec, network).items():
                path = os.path.join(made, file)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                outputs.open(path).write(text.encode())
            write(network, outputs.open(os.path.join(made, module_file(spec))), source_name=spec.file)
            outputs.open(os.path.join(made, ABOUT)).write(_json(about))
        if os.path.isdir(folder):
            shutil.rmtree(folder)
        os.rename(made, folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)  # the first error is the one to show
        raise
    sync_folder(parent)


def rewrite(folder: str, about: Mapping[str, Any]) -> None:
    """Put another run.json in place; raises OSError."""
    with Outputs() as outputs:
        outputs.open(os.path.join(folder, ABOUT)).write(_json(about))


def is_run(folder: str) -> bool:
    """Whether there is a run in the folder."""
    return os.path.isfile(os.path.join(folder, ABOUT))


def cut_metrics(folder: str, step: int) -> None:
    """Leave out of metrics.jsonl what came after a step, which will be done again; raises OSError."""
    path = os.path.join(folder, METRICS)
    if not os.path.exists(path):
        return
    with open(path, "rb+") as stream:
        kept = 0
        for line in stream:
            try:
                later = not step or json.loads(line).get("step", 0) > step
            except ValueError:  # a line that was being written
                later = True
            if later or not line.endswith(b"\n"):
                break
            kept += len(line)
        stream.truncate(kept)


def _json(about: Mapping[str, Any]) -> bytes:
    return json.dumps(about, indent=2, ensure_ascii=False).encode() + b"\n"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def module_file(spec: Spec) -> str:
    """The name of the emitted module in the run's folder."""
    return os.path.splitext(spec.file)[0] + ".py"


def texts_of(spec: Spec, network: Network) -> dict[str, str]:
    """Each text that makes the network, by its name in the run's folder."""
    return dict(((spec.file, network.text), *network.used))
