"""A file's statements, in order, and what has to be known of the whole network before it is one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic, Findings
from archdsl.elaborate.assertions import hold
from archdsl.elaborate.bias import decide_biases
from archdsl.elaborate.choices import number_choices
from archdsl.elaborate.counts import elaborate_counts, open_counts
from archdsl.elaborate.crowds import limit_paths
from archdsl.elaborate.inputs import declare, start, unclaimed
from archdsl.elaborate.labels import Level
from archdsl.elaborate.mentions import words
from archdsl.elaborate.model import be_block, class_name, named_model
from archdsl.elaborate.nearby import find_inputs
from archdsl.elaborate.open_symbols import LIKELY, open_symbols
from archdsl.elaborate.place import ON, Claim, FileScope, Place, Run, Tail
from archdsl.elaborate.statements import define_names, state
from archdsl.elaborate.steps import sequence
from archdsl.elaborate.unused import warn_unused
from archdsl.elaborate.values import Fault, Limit, Names, Poisoned, fault
from archdsl.garbage import Uncollected
from archdsl.graph import Apply, Input, Module, Network, Output, Region, Value
from archdsl.syntax import tree
from archdsl.syntax.parser import ValueParseError, parse, parse_value
from archdsl.syntax.source import Source

OPENED = 8_000  # steps that take as long as to find the legal sizes of a network


def elaborate(
    source: Source,
    *,
    constants: Mapping[str, Any],
    inputs: Mapping[str, Any],
    findings: Findings,
    root: str | None = None,
    fit: str | None = None,
    library: bool = False,
    leave_open: bool = False,
    repairs: bool = True,
) -> Network | None:
    """The network that a text describes, or None where `findings` has got an error.

    `constants` are set from outside: a string is parsed as a value of the language, anything else is taken as
    it is. `inputs` gives shapes, as text or as tuples, by the inputs' names; "" is the only one. `root` is the
    folder above which `use` finds nothing, `fit` the rule for layers that name none. With `library` a file
    of blocks and functions alone is no fault, and gives None. With `leave_open` counts that nothing defines are
    looked at with one copy each, and the network says what it allows. Without `repairs` no edit is tried on a wrong
    spec, which is faster where nobody reads the help. A wrong spec raises nothing.
    """
    with Uncollected():
        network, mend = _checked(
            Run(findings, constants, inputs, root, fit, main=source, library=library), source, leave_open
        )
    findings.sort(source)
    if any(d.severity == "warning" for d in findings.found):
        from archdsl.lint.silence import silence

        silence(findings)
    if mend is not None and repairs:
        mend()
    return None if findings.errors else network


def _checked(run: Run, source: Source, leave_open: bool) -> tuple[Network | None, Callable[[], None] | None]:
    """The network, and behind an error what looks for the edits that would mend it."""
    findings, constants, inputs = run.findings, run.outside, run.inputs
    file = parse(source, findings)
    if file is None:
        return None, None
    symbols = open_symbols(file, constants, inputs)
    # A count stays open where the sizes are known: beside open ones it lacks its value.
    counts = open_counts(file, constants) if leave_open and not symbols and not findings.errors else []
    if counts:
        network = elaborate_counts(run, file, counts, lambda trial: _elaborated(trial, file))
    elif symbols:
        from archdsl.elaborate.openness import elaborate_open  # most specs have none

        network = elaborate_open(run, file, symbols, lambda trial: _elaborated(trial, file))
    else:
        network = _elaborated(run, file)
    if findings.errors:
        return None, lambda: _mend(run, file, leave_open)
    if network is not None and not counts and not symbols:
        from archdsl.lint import lint  # only for a network that is right

        lint(network, file, findings)
    return network, None


def _mend(run: Run, file: tree.File, leave_open: bool) -> None:
    """Look for the edits that would mend a wrong spec, what is open being 1 copy or a likely size."""
    from archdsl.elaborate.openness import TOO_LARGE, elaborate_open
    from archdsl.repair import repair  # only for a spec that is wrong

    def closed(file: tree.File) -> dict[str, int]:
        counts = open_counts(file, run.outside) if leave_open else ()
        sizes = open_symbols(file, run.outside, run.inputs)
        return dict.fromkeys(counts, 1) | dict.fromkeys(sizes, LIKELY[0])

    def opened(trial: Run, file: tree.File) -> Network | None:
        """The network with likely sizes, if it stays one with the open ones that its text has."""
        network = _elaborated(trial, file)
        symbols = open_symbols(file, run.outside, run.inputs)
        if network is None or trial.findings.errors or not symbols:
            return network
        whole = run.another(library=run.library)

        def counted(inner: Run) -> Network | None:
            found = _elaborated(inner, file)
            trial.steps += inner.spent
            return found

        trial.steps += OPENED
        network = elaborate_open(whole, file, symbols, counted)
        trial.findings.found += whole.findings.errors
        return network

    first = run.findings.errors[0]
    if first.code == "E131" and TOO_LARGE in first.message:
        return
    if first.code == "E141" and any(first.message.startswith(f"{name} = ") for name in run.outside):
        return  # no edit of the file makes a size of what came from outside
    if not closed(file):
        find_inputs(run, lambda trial: _elaborated(trial, file))
    repair(run, file, closed, opened if first.code == "E131" else _elaborated)


def _elaborated(run: Run, file: tree.File) -> Network | None:
    """The network, or None behind an error; `run.given` is still as it came from outside."""
    source = file.span.source
    run.broken.update(word for part in file.broken for word in words(part.text))
    names = Names()
    run.scopes[source] = FileScope(names, {}, number_choices(file), file=file)
    place = Place(run, names, Level(), Region(None), None, here=False)  # type: ignore[arg-type]  # the input comes later
    try:
        run.given = {name: _outside(place, name, value) for name, value in run.given.items()}
        return _network(place, source, file)
    except Fault as error:
        if not run.findings.full:
            run.findings.add(error.diagnostic)
    except RecursionError:
        run.findings.add(Diagnostic("E103", "nested too deeply", file.span, help=("name a part as a block",)))
    return None


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


def _network(place: Place, source: Source, file: tree.File) -> Network | None:
    run = place.run
    define_names(place, file)
    declared: list[Input] = []
    last = next((i for i in range(len(file.statements) - 1, -1, -1) if isinstance(file.statements[i], tree.Chain)), -1)
    model = named_model(place, [s for s in file.heads if isinstance(s, tree.Model)])
    name = model.name if model is not None else class_name(source.name)
    broken = list(file.broken)
    for index, statement in enumerate(file.statements):
        try:
            if isinstance(statement, tree.Chain):
                if not place.here:
                    start(place, declared, statement.span)
                while broken and broken[0].start < statement.span.start:  # a chain that does not parse may lie between
                    broken.pop(0)
                    place.advance(None)
                sequence(place, statement.steps, Tail(True, True) if index == last else ON)
                continue
            run.firsts.clear()  # a statement may define what a block reads
            if isinstance(statement, tree.Input):
                declare(place, statement, declared)
            else:
                state(place, statement)
        except Limit:
            raise
        except Fault as error:
            run.report(error)
        except Poisoned:
            pass
    if run.library and last < 0 and model is None:
        from archdsl.elaborate.library import check_names, is_library  # a network does without it

        if is_library(file):
            check_names(place, file)
            return None
    if model is not None and model.value is not None:
        if last >= 0:
            raise fault(
                "E116", f"{name} is the network already, and beside it stands a chain", file.statements[last].span
            )
        start(place, declared, model.span)
        be_block(place, model.name, model.value)
    elif last < 0 and not run.findings.errors:
        raise fault(
            "E110", "the text holds no network", file.span, help="a network is a chain of layers: CONV(8) - RELU - GAP"
        )
    unclaimed(place, declared)
    outputs = _outputs(place, [s for s in file.heads if isinstance(s, tree.Output)])
    if run.findings.errors or place.value is None:
        return None
    place.region.result = place.value
    module = Module(name, place.region, place.level.positional)
    network = Network(name, module, declared, outputs, None, source.text)
    network.scores = _scores(network)
    network.used = _used(place)
    decide_biases(network)
    limit_paths(network, place.value.span or file.span)
    for claim in [Claim(place, s) for s in file.heads if isinstance(s, tree.Assertion)]:
        if run.symbols:
            run.claims.append(claim)
        else:
            try:
                hold(claim, network)
            except Fault as error:
                run.report(error)
            except Poisoned:
                pass
    warn_unused(network, run.findings)
    return network


def _outputs(place: Place, statements: list[tree.Output]) -> list[Output]:
    outputs: list[Output] = []
    for statement in statements:
        for name, span in statement.names:
            if any(o.name == name for o in outputs):
                place.run.report(fault("E114", f"{name} is an output already", span))
                continue
            try:
                value = place.find(name, span, "").value
            except Fault as error:
                place.run.report(error)
                continue
            except Poisoned:
                continue
            if value is not None:
                outputs.append(Output(name, value, statement.training))
    if all(output.training for output in outputs) and place.value is not None:
        named = [output.name for output in outputs if output.value is place.value]  # it is given in any case, and once
        others = [output for output in outputs if output.value is not place.value]
        outputs = [Output(named[0] if named else "output", place.value), *others]
    return outputs


def _used(place: Place) -> tuple[tuple[str, str], ...]:
    """The texts of the files that the spec uses, by their paths below its root."""
    run = place.run
    found = [source for source in run.scopes if source is not run.main and source.path is not None]
    root = os.path.realpath(run.root or "")
    paths = (os.path.relpath(source.path or "", root).replace(os.sep, "/") for source in found)
    return tuple(sorted((path, source.text) for path, source in zip(paths, found)))


def _scores(network: Network) -> Value | None:
    """What arrives at the SOFTMAX that ends the network, if one does."""
    plain = [o for o in network.outputs if not o.training]
    steps = network.module.region.steps
    final = steps[-1] if steps else None
    if (
        isinstance(final, Apply)
        and final.layer.spec == "SOFTMAX"
        and len(plain) == 1
        and plain[0].value is final.output
    ):
        return final.inputs[0]
    return None
