"""`archdsl evaluate`: how good the trained network of a run is, as a whole and class by class."""

from __future__ import annotations

import os

import click

from archdsl.annotations import TYPE_CHECKING
from archdsl.cli import WRONG_CALL, WRONG_SPEC, Failure
from archdsl.cli.output import report, say, style
from archdsl.cli.trained import NOT_A_SPEC, data_options, training_packages
from archdsl.diagnostics import ArchError
from archdsl.excerpt import visible

if TYPE_CHECKING:
    from archdsl.training.data import Data, Split
    from archdsl.training.judging import Evaluation
    from archdsl.training.trained import Trained

MOST_COLUMNS = 20
"""Classes whose confusion is shown as a table; of more the pairs that are confused most are listed."""
PAIRS = 10


@click.command("evaluate")
@click.argument("run", default="run", type=click.Path())
@click.option("--data", help="Other data than the run's own, or where that lies now.")
@click.option("--on", type=click.Choice(["train", "valid", "test"]), help="The part. Default: test, else valid.")
@click.option("--resize", is_flag=True, help="Resize images to the spec's input.")
@click.option("--batch", type=click.IntRange(1), default=256, help="Samples at a time. Default: 256.")
@click.option("--device", help="cpu, cuda or cuda:1. Default: a GPU where there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as JSON.")
def command(
    run: str, data: str | None, on: str | None, resize: bool, batch: int, device: str | None, as_json: bool
) -> int:
    """Judge a trained network: loss, accuracy, precision and recall of each class, and what it takes for what.

    RUN is the folder that archdsl train wrote, "run" where none is named, and stands for the weights that did best in
    validation; run/last.safetensors names the last ones. Data with no test part is judged on the part that was held
    back; data that was not trained on (--data), and has no parts, is judged whole.
    """
    try:
        with training_packages():
            from archdsl.training.trained import open_trained

            return show(open_trained(run), data, on, resize, batch, device, as_json)
    except ArchError as error:
        report(error.diagnostics)
        return WRONG_CALL if any(d.code in NOT_A_SPEC for d in error.diagnostics) else WRONG_SPEC


def show(
    trained: Trained, where: str | None, on: str | None, resize: bool, batch: int, device: str | None, as_json: bool
) -> int:
    """Evaluate and print; raises ArchError, and Failure where the data has no such part."""
    from dataclasses import replace

    from archdsl.training.data import open_data
    from archdsl.training.distributed import find_device
    from archdsl.training.judging import Judge, evaluate

    run = trained.run
    own = where is None or where == run.data["source"]
    options = data_options(trained, resize=resize)
    found_at = find_device(device, None)
    data = open_data(where or run.data["source"], run.network, options if own else replace(options, valid_part=0.0))
    if own and data.fingerprint != run.data["fingerprint"]:
        say("warning: this data is not what it was when the network was trained on it", err=True)
    name, part = choose(data, on, own)
    judge = Judge(
        run.network, trained.module(), run.settings, part.batch([0], None).target, run.data["classes"], found_at
    )
    found = evaluate(judge, part, batch)
    if as_json:
        from json import dumps

        told = {"run": run.folder, "weights": os.path.basename(trained.weights), "data": data.source, "part": name}
        say(dumps({**told, **found.to_dict()}, indent=2, ensure_ascii=False, allow_nan=False))
        return 0
    say(style().paint(visible(f"{data.source}, {name}: {headline(found)}"), "strong"))
    for line in table(found):
        say(visible(line))
    return 0


def choose(data: Data, on: str | None, own: bool) -> tuple[str, Split]:
    """The part to judge on, and its name; raises Failure where it is not there or empty."""
    parts = {"test": data.test, "valid": data.valid, "train": data.train}
    for name, part in parts.items():
        if (on is None or on == name) and part is not None and len(part):
            if on is None and own and name == "train":
                break
            return name if on or own or name != "train" else "all of it", part
    raise Failure(f"{data.source} has no {on or 'test or valid'} part" + ("" if on else "; --on train judges on that"))


def headline(found: Evaluation) -> str:
    """Loss and accuracy in a line."""
    accuracy = "" if found.accuracy is None else f", accuracy {100 * found.accuracy:.2f}%"
    return f"{found.samples:,} samples, loss {found.loss:.4f}{accuracy}"


def table(found: Evaluation) -> list[str]:
    """Classes by line, and what was taken for what."""
    if not found.classes:
        return []
    names = [shown(one.name) for one in found.classes]
    wide = max(5, *map(len, names))

    def part(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f}%"

    lines = ["", f"{'class':<{wide}}  samples  precision  recall"]
    for name, one in zip(names, found.classes):
        lines.append(f"{name:<{wide}}  {one.samples:>7,}  {part(one.precision):>9}  {part(one.recall):>6}")
    if found.confusion is None:
        return lines
    if len(names) > MOST_COLUMNS:
        return [*lines, "", *confused(found.confusion, names)]
    cell = max([len(f"{n:,}") for row in found.confusion for n in row] + [len(name) for name in names])
    lines += ["", f"{'':<{wide}}  what was said", f"{'is':<{wide}}  " + " ".join(f"{name:>{cell}}" for name in names)]
    for name, row in zip(names, found.confusion):
        lines.append(f"{name:<{wide}}  " + " ".join(f"{f'{n:,}' if n else '.':>{cell}}" for n in row))
    return lines


def confused(counts: list[list[int]], names: list[str]) -> list[str]:
    """The pairs of classes that are confused most."""
    pairs = [(n, i, j) for i, row in enumerate(counts) for j, n in enumerate(row) if n and i != j]
    found = sorted(pairs, key=lambda pair: (-pair[0], *pair[1:]))[:PAIRS]
    return [f"{names[i]} taken for {names[j]}: {n:,}" for n, i, j in found]


def shown(name: str) -> str:
    """A class's name, a space or a newline as one can see it."""
    return name if name.isprintable() and name.strip() else repr(name)
