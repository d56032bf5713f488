"""The inputs of a network: what the text says of them, and what comes from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic
from archdsl.elaborate.functions import FUNCTIONS
from archdsl.elaborate.labels import check_label
from archdsl.elaborate.memory import Memory
from archdsl.elaborate.mentions import choice_labels, open_names
from archdsl.elaborate.place import Place, Run
from archdsl.elaborate.suggest import near
from archdsl.elaborate.values import BlockValue, Fault, Lambda, Poisoned, describe, fault
from archdsl.graph import Input, Value
from archdsl.layers.registry import LAYERS
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span
from archdsl.tensor import Shape, TensorType

DTYPES = ("float", "int", "bool")


def declare(place: Place, node: tree.Input, declared: list[Input]) -> None:
    """Add an `input` to those declared; a fault in it is reported, and its tensor is then unknown."""
    name = node.name or "input"
    if name in place.run.network_inputs:
        raise fault(
            "E112", f"two inputs are called {name}", node.span, help="each has a name of its own: input left: 3x224x224"
        )
    run = place.run
    value: Value | None = None
    try:
        check_label(name, node.span)
        _check_type(node.dtype, Span(node.span.source, node.span.end - len(node.dtype), node.span.end))
        given = run.inputs.get(name, run.inputs.get("") if not declared else None)
        shape = (
            _shape(given, node.span, run.symbols)
            if given is not None
            else _sizes(_written(place, node.shape), node.shape.span)
        )
        value = Value(TensorType(shape, _type(given) or node.dtype), node.span, "the input", name)
    except Fault as error:
        run.report(error)
    except Poisoned:
        pass
    run.network_inputs[name] = value
    declared.append(Input(name, value, node.span))  # type: ignore[arg-type]  # None behind an error: no graph is used then


def _written(place: Place, node: tree.Value) -> Any:
    """The shape in the text; open sizes are those that are tried now."""
    symbols = place.run.symbols
    if isinstance(node, tree.Name):
        return symbols[node.id] if node.id in symbols else place.evaluator.value(node)
    if not isinstance(node, tree.ShapeLiteral) or not symbols:
        return place.evaluator.value(node)
    closed = tuple(symbols.get(size, size) if isinstance(size, str) else size for size in node.sizes)
    return place.evaluator.value(node._replace(sizes=closed))


def start(place: Place, declared: list[Input], span: Span) -> None:
    """Let the first input arrive; raises E111 where the text has none and none was given."""
    run = place.run
    if not declared:
        given = run.inputs.get("", run.inputs.get("input"))
        if given is None and "input" in run.broken:
            place.advance(None)
            return
        if given is None:
            place.advance(None)
            run.report(
                fault(
                    "E111",
                    "the text names no input",
                    Span(span.source, span.start, span.start + 1),
                    help="write input 3x32x32 before the chain, or give --input 3x32x32",
                )
            )
            return
        value = Value(TensorType(_shape(given, None, run.symbols), _type(given) or "float"), None, "the input", "input")
        declared.append(Input("input", value, None))
        run.network_inputs["input"] = value
    first = declared[0].value
    place.region.param = first
    place.memory = Memory()
    place.advance(first)


def _sizes(value: Any, span: Span) -> Shape:
    value = (value,) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(value, list):
        value = tuple(value)
    good = isinstance(value, tuple) and not hasattr(value, "_fields") and 1 <= len(value) <= 6
    if not good or any(isinstance(n, bool) or not isinstance(n, int) or not 1 <= n < 2**31 for n in value):
        raise fault(
            "E111", f"an input's shape is one to six sizes above 0, not {describe(value)}", span, help="input 3x224x224"
        )
    result: Shape = value
    return result


def shape_text(given: str) -> tuple[int | str, ...]:
    """The sizes of a shape from outside, letters as they stand, of a type or none; () where it is no shape."""
    found = re.fullmatch(r"((?:[0-9]{1,9}|[A-Z])(?:x(?:[0-9]{1,9}|[A-Z])){0,5})(?:\s+of\s+\w+)?", given)
    return tuple(int(size) if size.isdigit() else size for size in found[1].split("x")) if found else ()


def _type(given: Any) -> str:
    """The type of a shape from outside, `int` of `7 of int`, "" where it says none; raises Fault."""
    if not isinstance(given, str) or " of " not in " ".join(given.split()):
        return ""
    name = given.split()[-1]
    _check_type(name, Span(Source(given, "--input"), len(given) - len(name), len(given)))
    return name


def _check_type(name: str, at: Span) -> None:
    if name not in DTYPES:
        raise fault("E113", f"{name} is no type: there are {', '.join(DTYPES)}", at)


def _shape(given: Any, span: Span | None, symbols: Mapping[str, int]) -> Shape:
    """A shape from outside: `3x32x32` or a tuple; open sizes are those that are tried now."""
    if isinstance(given, str):
        sizes = tuple(symbols.get(size, size) if isinstance(size, str) else size for size in shape_text(given))
        if not sizes or any(isinstance(size, str) for size in sizes):
            at = Span(Source(given, "--input"), 0, len(given))
            raise fault("E111", f"`{given[:40]}` is no shape", at, help="a shape is written 3x32x32, or 7 of int")
        given = sizes
    return _sizes(given, span or Span(Source(str(given), "--input"), 0, len(str(given))))


def unclaimed(place: Place, declared: list[Input]) -> None:
    """Report E115 for what was set from outside and the spec does not know."""
    run = place.run
    asked = [name for name in run.given if name not in run.used and name != "classes"]
    if asked:
        _unclaimed_names(run, asked)
    names = [i.name for i in declared]
    for name in run.inputs:
        if name and name not in names and "input" not in run.broken:
            what = f"its input is {names[0]}" if len(names) == 1 else f"its inputs are {', '.join(names)}"
            run.findings.add(
                Diagnostic(
                    "E115", f"the spec has no input called {name}", help=(what,), file=run.main.name if run.main else ""
                )
            )


def _unclaimed_names(run: Run, asked: Sequence[str]) -> None:
    files = [scope.file for scope in run.scopes.values() if scope.file is not None]
    known = {name for file in files for name in open_names(file)} | run.choices
    known |= {choice for scope in run.scopes.values() for choice in scope.choices.values()}
    main = run.scopes[run.main] if run.main is not None else None
    known -= LAYERS.keys() | FUNCTIONS.keys()
    if main is not None:
        known -= {name for name, value in main.names.own.items() if isinstance(value, (BlockValue, Lambda))}
        known |= main.names.later.keys()
    labels = [pattern for file in files for pattern in choice_labels(file)]
    for name in asked:
        if name in known or any(p.fullmatch(name) for p in labels):
            continue
        if run.unread or name in run.broken:
            continue
        meant = near(name, known)
        run.findings.add(
            Diagnostic(
                "E115",
                f"{name} was set from outside, and the spec has no constant, choice or open name of this name",
                help=(f"did you mean {meant}?",) if meant else (),
                file=run.main.name if run.main else "",
            )
        )
