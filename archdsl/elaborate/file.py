"""A file's statements, in order, and what has to be known of the whole network before it is one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from archdsl.diagnostics import Diagnostic, Findings
from archdsl.elaborate.arguments import bind_arguments, layer_words
from archdsl.elaborate.assertions import hold
from archdsl.elaborate.bias import decide_biases
from archdsl.elaborate.choices import number_choices
from archdsl.elaborate.labels import Level, check_label
from archdsl.elaborate.place import FileScope, Memory, Place, Run, Tail
from archdsl.elaborate.steps import sequence
from archdsl.elaborate.suggest import near, unknown_name
from archdsl.elaborate.unused import warn_unused
from archdsl.elaborate.use import import_names
from archdsl.elaborate.values import BlockValue, Fault, Lambda, LayerValue, Names, Poisoned, Wrong, describe, fault
from archdsl.graph import Apply, Input, Module, Network, Output, Region, Value
from archdsl.layers.registry import LAYERS
from archdsl.syntax import tree
from archdsl.syntax.parser import ValueParseError, parse, parse_value
from archdsl.syntax.source import Source, Span
from archdsl.tensor import Shape, TensorType

_DTYPES = ("float", "int", "bool")


def elaborate(
    source: Source,
    *,
    constants: Mapping[str, Any],
    inputs: Mapping[str, Any],
    findings: Findings,
    root: Optional[str] = None,
    fit: Optional[str] = None,
) -> Optional[Network]:
    """The network that a text describes, or None where `findings` has got an error.

    `constants` are set from outside: a string is parsed as a value of the language, anything else is taken as
    it is. `inputs` gives shapes, as text or as tuples, by the inputs' names; "" is the only one. `root` is the
    folder above which `use` finds nothing, `fit` the rule for layers that name none. A wrong spec raises nothing.
    """
    run = Run(findings, {}, inputs, root, fit, main=source)
    file = parse(source, findings)
    if file is None:
        return None
    names = Names()
    run.scopes[source] = FileScope(names, [], number_choices(file))
    place = Place(run, names, Level(), Region(None), None, here=False)  # type: ignore[arg-type]  # the input comes later
    try:
        run.given = {name: _outside(place, name, value) for name, value in constants.items()}
        network = _network(place, source, file)
    except Fault as error:
        run.report(error)
        return None
    except RecursionError:
        findings.add(Diagnostic("E103", "nested too deeply", file.span, help=("name a part as a block",)))
        return None
    return None if findings.errors else network


def _outside(place: Place, name: str, value: Any) -> Any:
    """A constant set from outside; raises a Fault that shows the text it came in."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("on", "off", "yes", "no"):
        return value
    text = Source(value, f"-D {name}={value}")
    try:
        return place.evaluator.value(parse_value(text))
    except ValueParseError as error:
        raise Fault(error.diagnostic) from None
    except Fault as error:  # a bare word, such as the name of a block, is read where it is used
        if error.diagnostic.code == "E130" and value.isidentifier():
            return value
        raise


def _network(place: Place, source: Source, file: tree.File) -> Optional[Network]:
    run = place.run
    heads = [s for s in file.statements if not isinstance(s, (tree.Chain, tree.Constant))]
    define_names(place, file)
    declared: list[Input] = []
    last = max((i for i, s in enumerate(file.statements) if isinstance(s, tree.Chain)), default=-1)
    name = next((s.name for s in heads if isinstance(s, tree.Model)), "") or class_name(source.name)
    for index, statement in enumerate(file.statements):
        try:
            if isinstance(statement, tree.Input):
                declared.append(_input(place, statement, declared))
            elif isinstance(statement, tree.Chain):
                if not place.here:
                    _start(place, declared, statement.span)
                sequence(place, statement.steps, Tail(index == last, index == last))
            else:
                state(place, statement)
        except Fault as error:
            run.report(error)
        except Poisoned:
            pass
    if last < 0 and not run.findings.errors:
        raise fault("E110", "the text holds no network", file.span, help="a network is a chain of layers: CONV(8) - RELU - GAP")
    _unclaimed(place, source, declared)
    if run.findings.errors or place.value is None:
        return None
    place.region.result = place.value
    module = Module(name, place.region, place.level.positional)
    outputs = _outputs(place, [s for s in heads if isinstance(s, tree.Output)])
    network = Network(name, module, declared, outputs, None, source.text)
    network.scores = _scores(network)
    decide_biases(network)
    for statement in heads:
        if isinstance(statement, tree.Assertion):
            try:
                hold(place, network, statement)
            except Fault as error:
                run.report(error)
            except Poisoned:
                pass
    warn_unused(network, run.findings)
    return network


def class_name(name: str) -> str:
    """A class's name made from a file's: `my-net.arch` gives MyNet."""
    stem = re.split(r"[/\\]", name)[-1].rsplit(".", 1)[0]
    parts = re.findall(r"[A-Za-z0-9]+", stem) if stem not in ("<text>", "<stdin>", "-") else []
    text = "".join(part[:1].upper() + part[1:] for part in parts)
    return text if text[:1].isalpha() else f"Net{text}"


def define_names(place: Place, file: tree.File) -> None:
    """The file's blocks and functions, which may stand behind their first use."""
    for statement in file.statements:
        if not isinstance(statement, (tree.Block, tree.Function)):
            continue
        name = statement.name
        value = BlockValue(statement, place.names) if isinstance(statement, tree.Block) else Lambda(statement, place.names)
        if name.id in place.names.own or name.id in LAYERS:
            what = "a layer of the language" if name.id in LAYERS else "defined already"
            place.run.report(fault("E133", f"{name.id} is {what}", name.span, help="another name"))
            continue
        seen: set[str] = set()
        for parameter in statement.parameters:
            if parameter.name in seen:
                place.run.report(fault("E133", f"{name.id} has two parameters called {parameter.name}", parameter.span))
            seen.add(parameter.name)
        place.names.own[name.id] = value


def state(place: Place, statement: tree.Statement) -> None:
    """A constant, a default or a `use`; all others are looked at elsewhere."""
    if isinstance(statement, tree.Constant):
        _constant(place, statement)
    elif isinstance(statement, tree.Default):
        _default(place, statement)
    elif isinstance(statement, tree.Use):
        import_names(place, statement)


def _constant(place: Place, node: tree.Constant) -> None:
    name = node.name.id
    if name in place.names.own or name in LAYERS:
        raise fault("E133", f"{name} is {'a layer of the language' if name in LAYERS else 'defined already'}", node.name.span)
    place.names.own[name] = Wrong()
    value = place.evaluator.value(node.value)
    if node.range is not None:
        allowed = place.evaluator.value(node.range)
        if not isinstance(allowed, (range, list, tuple)):
            raise fault("E137", f"{name} ranges over a..b or a list, not {describe(allowed)}", node.range.span)
    if name in place.run.given and node.name.span.source is place.run.main:
        place.run.used.add(name)
        value = place.run.given[name]
        if isinstance(value, str) and value.isidentifier() and isinstance(place.names.own.get(value), BlockValue):
            value = place.names.own[value]
        if isinstance(value, LayerValue):  # its defaults are those of the constant's place
            value = value._replace(span=node.value.span)
    place.names.own[name] = value


def _default(place: Place, node: tree.Default) -> None:
    layer = node.name.id
    if layer not in LAYERS:
        raise unknown_name(node.name, LAYERS, (), f"{layer} is no layer, so it has no defaults", "E138")
    given = tuple(
        (a.name, place.evaluator.value(a.value, layer_words(layer, a.name)), a.value.span) for a in node.arguments
    )  # fmt: skip
    values = bind_arguments(layer, given).values
    for name in ("POOL", "MAXPOOL") if layer in ("POOL", "MAXPOOL") else (layer,):  # two names of one layer
        place.run.scopes[node.span.source].defaults.append((node.span.start, name, values))


# ---- inputs and outputs


def _input(place: Place, node: tree.Input, declared: list[Input]) -> Input:
    name = node.name or "input"
    if any(other.name == name for other in declared):
        raise fault("E112", f"two inputs are called {name}", node.span, help="input name: 3x224x224")
    check_label(name, node.span)
    if node.dtype not in _DTYPES:
        raise fault("E113", f"{node.dtype} is no type: there are {', '.join(_DTYPES)}", node.span)
    given = place.run.inputs.get(node.name or "input", place.run.inputs.get("") if not declared else None)
    try:
        shape = _shape(given, node.span) if given is not None else _sizes(place.evaluator.value(node.shape), node.shape.span)
    except Fault as error:
        place.run.report(error)
        return Input(name, _unknown(place, name), node.span)
    value = Value(TensorType(shape, node.dtype), node.span, f"the input at {place.run.where(node.span)}", name)
    place.run.network_inputs[name] = value
    return Input(name, value, node.span)


def _unknown(place: Place, name: str) -> Value:
    place.run.network_inputs[name] = None  # type: ignore[assignment]  # a tensor that could not be made
    return None  # type: ignore[return-value]  # likewise; the run has an error by now


def _sizes(value: Any, span: Span) -> Shape:
    value = (value,) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(value, list):
        value = tuple(value)
    good = isinstance(value, tuple) and not hasattr(value, "_fields") and 1 <= len(value) <= 6
    if not good or any(isinstance(n, bool) or not isinstance(n, int) or not 1 <= n < 2**31 for n in value):
        raise fault("E111", f"an input's shape is one to six sizes above 0, not {describe(value)}", span, help="input 3x224x224")
    result: Shape = value
    return result


def _shape(given: Any, span: Optional[Span]) -> Shape:
    """A shape from outside: `3x32x32` or a tuple."""
    if isinstance(given, str):
        if not re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9}){0,5}", given):
            raise fault("E111", f"{given[:40]!r} is no shape", Span(Source(given, "--input"), 0, len(given)), help="3x32x32")
        given = tuple(map(int, given.split("x")))
    return _sizes(given, span or Span(Source(str(given), "input"), 0, len(str(given))))


def _start(place: Place, declared: list[Input], span: Span) -> None:
    """Let the first input arrive; raises E111 where the text has none and none was given."""
    if not declared:
        given = place.run.inputs.get("", place.run.inputs.get("input"))
        if given is None:
            raise fault(
                "E111", "the text names no input", Span(span.source, span.start, span.start + 1),
                help="write input 3x32x32 before the chain, or give --input 3x32x32",
            )  # fmt: skip
        value = Value(TensorType(_shape(given, None)), None, "the input", "input")
        declared.append(Input("input", value, None))
        place.run.network_inputs["input"] = value
    first = declared[0].value
    place.region.param = first
    place.memory = Memory()
    place.advance(first)


def _outputs(place: Place, statements: list[tree.Output]) -> list[Output]:
    outputs: list[Output] = []
    for statement in statements:
        for name, span in statement.names:
            if any(o.name == name for o in outputs):
                place.run.report(fault("E114", f"{name} is an output already", span))
                continue
            try:
                value = place.level.find(name, span).value
            except Fault as error:
                place.run.report(error)
                continue
            if value is not None:
                outputs.append(Output(name, value, statement.training))
    if all(output.training for output in outputs) and place.value is not None:
        outputs.insert(0, Output("output", place.value))
    return outputs


def _scores(network: Network) -> Optional[Value]:
    """What arrives at the SOFTMAX that ends the network, if one does."""
    plain = [o for o in network.outputs if not o.training]
    steps = network.module.region.steps
    final = steps[-1] if steps else None
    if isinstance(final, Apply) and final.layer.spec == "SOFTMAX" and len(plain) == 1 and plain[0].value is final.output:
        return final.inputs[0]
    return None


def _unclaimed(place: Place, source: Source, declared: list[Input]) -> None:
    """What was set from outside and the spec does not know."""
    run = place.run
    known = {k for k in place.names.own if not isinstance(place.names.own[k], (BlockValue, Lambda))} | run.choices
    for name in run.given:
        if name in run.used or name == "classes":
            continue
        meant = near(name, known)
        run.findings.add(
            Diagnostic(
                "E115", f"{name} was set from outside, and the spec has no constant, choice or open name of this name",
                help=(f"did you mean {meant}?",) if meant else (), file=source.name,
            )  # fmt: skip
        )
    names = {i.name for i in declared if i is not None}
    for name in run.inputs:
        if name and name not in names:
            run.findings.add(
                Diagnostic("E115", f"the spec has no input called {name}", help=(f"it has {', '.join(sorted(names))}",), file=source.name)
            )
