"""The Python face: a spec by path or as `text=`, its input and constants as keywords.

Constants are keywords by name (`N=2`); a text is read as an expression of the language (`act="GELU"`), anything
else is taken as the value it is. `input` gives the inputs that the spec leaves open, or others than it names:
`"3x32x32"`, `(3, 32, 32)`, or a dict of such by name. `fit` is the rule for sizes that do not divide: "cover",
"exact", "floor" or "ceil". A file that cannot be read raises OSError, a wrong spec ArchError, except in `check`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Union, overload

from archdsl.diagnostics import ArchError, Findings
from archdsl.files import read_spec
from archdsl.pipeline import build
from archdsl.syntax.source import Source

if TYPE_CHECKING:
    from torch import nn

    from archdsl.graph import Network
    from archdsl.report import Report
    from archdsl.syntax.tree import File

Path = Union[str, "os.PathLike[str]"]
InputShape = Union[str, int, "tuple[int | str, ...]", "list[int | str]"]
InputShapes = Union[InputShape, Mapping[str, InputShape]]


def parse(path: Path | None = None, /, *, text: str | None = None) -> File:
    """The syntax tree of a spec, nothing of it checked beyond the grammar.

    Raises ArchError where the text is no spec.
    """
    from archdsl.syntax.parser import parse as parse_source

    findings = Findings()
    tree = parse_source(open_source(path, text), findings)
    if findings.errors or tree is None:
        raise ArchError(findings.found)
    return tree


def check(
    path: Path | None = None,
    /,
    *,
    text: str | None = None,
    input: InputShapes | None = None,
    fit: str | None = None,
    **constants: Any,
) -> Report:
    """All that is wrong with a spec, and the model where nothing is.

    A wrong spec raises nothing here: the report's `ok` is False and its `diagnostics` say why.
    """
    from archdsl.report import Report

    name = "<text>" if path is None else os.fspath(path)
    try:
        source = open_source(path, text)
    except ArchError as error:
        return Report(name, error.diagnostics, None)
    network, findings = build(source, constants=constants, inputs=input_shapes(input), fit=fit, leave_open=True)
    return Report(source.name, tuple(findings.found), network)


def compile(
    path: Path | None = None,
    /,
    *,
    text: str | None = None,
    input: InputShapes | None = None,
    fit: str | None = None,
    **constants: Any,
) -> str:
    """The source of a Python module that holds the network as PyTorch code and needs torch alone.

    Raises ArchError where the spec is wrong.
    """
    from archdsl.backends.pytorch import emit

    source = open_source(path, text)
    return emit(_whole(source, input, fit, constants), source.name)


def load(
    path: Path | None = None,
    /,
    *,
    text: str | None = None,
    input: InputShapes | None = None,
    fit: str | None = None,
    **constants: Any,
) -> nn.Module:
    """The network as a live module: what `compile` writes, executed. Needs torch.

    Tracebacks show its lines, and it can be copied and pickled. Raises ArchError where the spec is wrong.
    """
    from archdsl.backends.pytorch import emit
    from archdsl.live import instance

    source = open_source(path, text)
    network = _whole(source, input, fit, constants)
    module: nn.Module = instance(emit(network, source.name), network.name)
    return module


@overload
def to_onnx(
    path: Path | None = None,
    file: None = None,
    /,
    *,
    text: str | None = None,
    input: InputShapes | None = None,
    fit: str | None = None,
    weights: Path | None = None,
    seed: int = 0,
    opset: int = 20,
    batch: int | None = None,
    half: str | None = None,
    fold_bn: bool = False,
    logits: bool = False,
    functions: bool = False,
    external_data: bool = False,
    **constants: Any,
) -> bytes: ...


@overload
def to_onnx(
    path: Path | None,
    file: Path | BinaryIO,
    /,
    *,
    text: str | None = None,
    input: InputShapes | None = None,
    fit: str | None = None,
    weights: Path | None = None,
    seed: int = 0,
    opset: int = 20,
    batch: int | None = None,
    half: str | None = None,
    fold_bn: bool = False,
    logits: bool = False,
    functions: bool = False,
    external_data: bool = False,
    **constants: Any,
) -> None: ...


def to_onnx(
    path: Path | None = None,
    file: Path | BinaryIO | None = None,
    /,
    *,
    text: str | None = None,
    input: InputShapes | None = None,
    fit: str | None = None,
    weights: Path | None = None,
    seed: int = 0,
    opset: int = 20,
    batch: int | None = None,
    half: str | None = None,
    fold_bn: bool = False,
    logits: bool = False,
    functions: bool = False,
    external_data: bool = False,
    **constants: Any,
) -> bytes | None:
    """The network as ONNX: bytes, or nothing where `file`, a path or a binary stream, gets them.

    The batch is dynamic, unless `batch` says otherwise. `weights` is a safetensors file, a state_dict's .pt or .pth, or
    the folder of a run of `archdsl train`, whose best weights, constants, input, class names and normalisation are
    taken; without it the weights are drawn from `seed`, as torch would initialise them. `half` ("float16",
    "bfloat16") is what they are stored in, `fold_bn` folds BN into CONV, `logits` leaves a last SOFTMAX out,
    `functions` writes blocks as functions. Needs no torch. A file at `file` is replaced, whole or not at all; its
    weights go to a second one beside it with `external_data`, or where the file would exceed 2 GiB.
    Raises ArchError where the spec is wrong or the weights are not the network's.
    """
    from archdsl.backends.onnx import write

    if half not in (None, "float16", "bfloat16"):
        raise ValueError(f"half is 'float16' or 'bfloat16', not {half!r}")
    if batch is not None and not 0 < batch < 2**31:
        raise ValueError(f"a batch is a whole number from 1 on, not {batch!r}")
    given = None if weights is None else os.fspath(weights)
    trained: dict[str, Any] = {}
    if given is not None and os.path.isdir(given):
        from archdsl.training.trained import open_trained

        run = open_trained(given)
        source, trained = open_source(path, text), run.onnx()
        network = _network(source, *run.complete(constants, input_shapes(input), fit))
        run.check_same(network, source.name)
    else:
        network = _whole(open_source(path, text), input, fit, constants)
    options: dict[str, Any] = {
        "weights": given,
        "seed": seed,
        "opset": opset,
        "batch": batch,
        "half": half,
        "fold_bn": fold_bn,
        "logits": logits,
        "functions": functions,
        "external_data": external_data,
        **trained,
    }
    if file is None:
        from io import BytesIO

        stream = BytesIO()
        write(network, stream, **options)
        return stream.getvalue()
    if not isinstance(file, (str, os.PathLike)):
        write(network, file, **options)
        return None
    from archdsl.files import Outputs, check_output

    target = os.fspath(file)
    check_output(target, own=lambda head: True, spec=None if path is None else os.fspath(path), force=True)
    with Outputs() as outputs:
        stream_to = outputs.open(target)
        write(network, stream_to, beside=outputs.beside(target), **options)
    return None


def open_source(path: Path | None, text: str | None) -> Source:
    """The spec at `path` or in `text`, just one of which is given; raises what `read_spec` does."""
    if (path is None) == (text is None):
        raise TypeError("give a spec's path, or its text=, and not both")
    return read_spec(os.fspath(path)) if path is not None else Source(text or "")


def _whole(source: Source, input: InputShapes | None, fit: str | None, constants: Mapping[str, Any]) -> Network:
    return _network(source, constants, input_shapes(input), fit)


def _network(source: Source, constants: Mapping[str, Any], inputs: Mapping[str, str], fit: str | None) -> Network:
    network, findings = build(source, constants=constants, inputs=inputs, fit=fit)
    if network is None:
        raise ArchError(findings.found)
    return network


def input_shapes(given: InputShapes | None) -> dict[str, str]:
    """Inputs as the elaborator takes them, a shape's text by name; the one that has no name is ""."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {name: _shape(shape) for name, shape in given.items()}
    return {"": _shape(given)}


def _shape(given: InputShape) -> str:
    if isinstance(given, str):
        return given
    sizes = (given,) if isinstance(given, int) else tuple(given)
    if not sizes or any(isinstance(size, bool) or not isinstance(size, (int, str)) for size in sizes):
        raise TypeError(f"an input is a shape such as '3x32x32' or (3, 32, 32), not {given!r}")
    return "x".join(map(str, sizes))
