"""What the commands after training share: the run that --weights names, opened, and its packages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from archdsl.annotations import TYPE_CHECKING
from archdsl.cli import Failure
from archdsl.cli.output import reason
from archdsl.diagnostics import ArchError
from archdsl.records import replace

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from archdsl.training.data import DataOptions
    from archdsl.training.judging import Judge
    from archdsl.training.trained import Trained

PACKAGES = ("torch", "PIL", "safetensors", "tomli")
NOT_A_SPEC = ("E601", "E602", "E733", "E734", "E742", "E761")
"""What is wrong with a run or its weights, and not with a spec or with data."""


@contextmanager
def training_packages() -> Iterator[None]:
    """Say in a line which package is missing; raises Failure."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        raise Failure(f"this needs {error.name}: pip install 'archdsl[train]'") from None


def data_options(trained: Trained, *, resize: bool) -> DataOptions:
    """How to open data for a run's network: normalised as it was trained, classes in their order."""
    from archdsl.training.data import DataOptions, Normalisation

    run = trained.run
    stored = run.data["normalisation"]
    return DataOptions(
        seed=run.settings.seed,
        resize=resize or run.settings.resize,
        valid_part=run.settings.valid_part,
        skip=run.settings.skip,
        normalisation=None if stored is None else Normalisation.from_dict(stored),
        classes=tuple(run.data["classes"]),
    )


def prepared(trained: Trained, files: Sequence[str], *, resize: bool) -> tuple[Tensor, ...]:
    """Image files, or texts where the run's data is text, as the inputs of its network.

    Raises ArchError where one cannot be read or does not fit, and Failure where a text is not there.
    """
    from archdsl.training.data import prepare
    from archdsl.training.data.text import prepare_text

    options = data_options(trained, resize=resize)
    network = trained.run.network
    try:
        if trained.run.data["kind"] == "text":
            return prepare_text(files, network, options.classes)
        return prepare(files, network, options.normalisation, options)
    except OSError as error:
        raise Failure(f"cannot read {error.filename}: {reason(error)}") from None
    except ArchError as error:
        # Other cures, such as another --input, are for data that is yet to be trained on.
        cured = [replace(d, help=tuple(help for help in d.help if "--resize" in help)) for d in error.diagnostics]
        raise ArchError(cured) from None


def classifier(trained: Trained, device: torch.device | None = None) -> Judge:
    """What tells the classes of inputs; raises ArchError."""
    import torch

    from archdsl.training.judging import Judge

    run = trained.run
    classes = run.data["kind"] != "tensors"
    target = torch.zeros(1, dtype=torch.int64 if classes else torch.float32)
    return Judge(run.network, trained.module(), run.settings, target, run.data["classes"], device)
