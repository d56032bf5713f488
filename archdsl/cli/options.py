"""The options by which every command that reads a spec is told what the text leaves open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _constants(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    result = {}
    for value in values:
        name, equal, text = value.partition("=")
        if not (name.strip() and equal and text.strip()):
            raise click.BadParameter(f"{value!r} is not NAME=VALUE, such as N=2")
        result[name.strip()] = text.strip()
    return result


def _inputs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    result = {}
    for value in values:
        name, equal, text = value.rpartition("=")
        if not text.strip() or (equal and not name.strip()):
            raise click.BadParameter(f"{value!r} is not [NAME=]SHAPE, such as 3x32x32")
        if name.strip() in result:
            raise click.BadParameter(f"{name.strip() or 'the input'} is given twice")
        result[name.strip()] = text.strip()
    return result


def spec_options(function: F) -> F:
    """Add -D, --input and --fit, which `function` gets as `constants`, `inputs` and `fit`."""
    fits = click.Choice(["cover", "exact", "floor", "ceil"])
    fit = click.option("--fit", type=fits, help="The rule for sizes that do not divide.")
    shape = click.option(
        "--input",
        "inputs",
        metavar="[NAME=]SHAPE",
        multiple=True,
        callback=_inputs,
        help="An input: 3x32x32, or 7 of int.",
    )
    constant = click.option(
        "-D", "constants", metavar="NAME=VALUE", multiple=True, callback=_constants, help="Set a constant, such as N=2."
    )
    return constant(shape(fit(function)))
