"""`archdsl predict`: what the trained network of a run says of images."""

from __future__ import annotations

import os

import click

from archdsl.annotations import TYPE_CHECKING
from archdsl.cli import WRONG_CALL, WRONG_SPEC, Failure
from archdsl.cli.evaluate import shown
from archdsl.cli.output import reason, report, say
from archdsl.cli.trained import NOT_A_SPEC, classifier, prepared, training_packages
from archdsl.diagnostics import ArchError
from archdsl.excerpt import visible

if TYPE_CHECKING:
    from torch import Tensor

    from archdsl.training.trained import Trained

BATCH = 64


@click.command("predict")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path())
@click.option("--weights", default="run", type=click.Path(), help="The run, or weights in it. Default: run.")
@click.option("-k", "--top", type=click.IntRange(1), default=5, help="So many classes of each. Default: 5.")
@click.option("--resize", is_flag=True, help="Resize images to the spec's input.")
@click.option("--device", help="cpu, cuda or cuda:1. Default: a GPU where there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(images: tuple[str, ...], weights: str, top: int, resize: bool, device: str | None, as_json: bool) -> int:
    """Say what is on images: the likeliest classes, each with its probability.

    An IMAGE is a file, or a folder that stands for all images in it and in its folders. --weights run/ names the
    run that archdsl train wrote and stands for its best weights; run/last.safetensors names the last ones. Images
    become what the network was trained on: its channels, its normalisation; their size must be that of its input,
    but with --resize.
    """
    try:
        with training_packages():
            from archdsl.training.trained import open_trained

            return show(open_trained(weights), gather(images), top, resize, device, as_json)
    except ArchError as error:
        report(error.diagnostics)
        return WRONG_CALL if any(d.code in NOT_A_SPEC for d in error.diagnostics) else WRONG_SPEC


def show(trained: Trained, files: list[str], top: int, resize: bool, device: str | None, as_json: bool) -> int:
    """Predict and print; raises ArchError."""
    from archdsl.training.distributed import find_device

    judge = classifier(trained, find_device(device, None))
    found = []
    for start in range(0, len(files), BATCH):
        some = files[start : start + BATCH]
        parts = judge.probabilities(prepared(trained, some, resize=resize))
        found += [(file, ranked(one, judge.classes, top)) for file, one in zip(some, parts)]
    if as_json:
        from json import dumps

        told = [
            {"file": file, "classes": [{"class": name, "probability": part} for name, part in best]}
            for file, best in found
        ]
        say(dumps(told, indent=2, ensure_ascii=False))
        return 0
    for file, best in found:
        say(visible(f"{file}: " + ", ".join(f"{shown(name)} {100 * part:.2f}%" for name, part in best)))
    return 0


def ranked(parts: Tensor, names: tuple[str, ...], top: int) -> list[tuple[str, float]]:
    """The likeliest classes, each with its probability."""
    values, places = parts.double().topk(min(top, len(names)))
    return [(names[place], value) for place, value in zip(places.tolist(), values.tolist())]


def gather(images: tuple[str, ...]) -> list[str]:
    """The files that are meant, those of a folder in the order of their names; raises Failure."""
    from archdsl.training.data.images import SUFFIXES

    found: list[str] = []
    for path in images:
        if not os.path.isdir(path):
            found.append(path)
            continue
        inside = []
        try:
            for folder, _, names in os.walk(path, onerror=_raise):
                inside += [os.path.join(folder, n) for n in names if os.path.splitext(n)[1].lower() in SUFFIXES]
        except OSError as error:
            raise Failure(f"cannot read {error.filename}: {reason(error)}") from None
        if not inside:
            raise Failure(f"there is no image in {path}")
        found += sorted(inside)
    return found


def _raise(error: OSError) -> None:
    raise error
