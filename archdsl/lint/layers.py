"""Layers in an order that makes no sense: what one does, the next undoes, does again, or never sees."""

from __future__ import annotations

from functools import cached_property

from archdsl.analyses.frames import Frames, Loop, Op, Step
from archdsl.diagnostics import Diagnostic, Edit, Findings, Fix
from archdsl.elaborate.bias import Readers
from archdsl.elaborate.edits import argument_away
from archdsl.graph import Apply, Network, Value
from archdsl.records import fields
from archdsl.syntax.source import Span
from archdsl.tensor import show_shape

_SOFT = ("SOFTMAX", "LOGSOFTMAX")
_KEEP = ("DROPOUT", "ID", "FLATTEN")
_FURTHEST = 50
"""How many layers that keep their input are looked behind."""
_WINDOWS = ("POOL", "AVGPOOL", "LPPOOL")


def warn_of_layers(network: Network, found: Frames, findings: Findings) -> None:
    """Add W405 to W408 and W413."""
    ops = [step for frame in found.all for step in frame.steps if isinstance(step, Op)]
    flow = Flow(found)
    for op in ops:
        spec = op.apply.layer.spec
        if spec in _SOFT:
            _twice(op, flow, findings)
        elif spec in _WINDOWS:
            _single(op, findings)
        elif spec in ("ADD", "SUB", "MUL", "DIV", "MAX", "MIN"):
            _dead_arm(op, flow, findings)
    if any(op.apply.layer.spec == "BN" for op in ops):
        _redundant_bias(network, ops, findings)
        for output in network.outputs:
            _last_norm(found.resolve(output.value), output.name == "output", flow, findings)


class Flow:
    """Which layers make a value, those of all copies of a repetition."""

    def __init__(self, found: Frames) -> None:
        self._found = found

    @cached_property
    def _steps(self) -> dict[Value, Step]:
        return {step.output: step for frame in self._found.all for step in frame.steps}

    @cached_property
    def _loops(self) -> dict[Value | None, Loop]:
        steps = (step for frame in self._found.all for step in frame.steps)
        return {step.body.param: step for step in steps if isinstance(step, Loop)}

    def makers(self, value: Value) -> list[Op]:
        """The layers that the value may come from; none where it may be an input."""
        result: list[Op] = []
        waiting, seen = [value], {value}
        while waiting:
            current = waiting.pop()
            step = self._steps.get(current)
            if isinstance(step, Op):
                result.append(step)
                continue
            loop = step if isinstance(step, Loop) else self._loops.get(current)
            if loop is None or loop.body.result is None:
                return []
            for other in (loop.body.result, *((loop.input,) if current is loop.body.param else ())):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return result

    def through(self, value: Value, specs: tuple[str, ...]) -> list[Op]:
        """The layers that a value comes from behind those of these kinds."""
        result: list[Op] = []
        waiting = self.makers(value)
        seen: set[Value] = set()
        while waiting and len(seen) < _FURTHEST:
            op = waiting.pop()
            if op.output in seen:
                continue
            seen.add(op.output)
            if op.apply.layer.spec in specs:
                waiting += self.makers(op.inputs[0])
            else:
                result.append(op)
        return result


def _twice(op: Op, flow: Flow, findings: Findings) -> None:
    for before in flow.through(op.inputs[0], _KEEP):
        layer = before.apply.layer
        if layer.spec in _SOFT and layer.window(*before.apply.types) == op.apply.layer.window(*op.apply.types):
            message = f"a {op.apply.layer.spec} of what is a {layer.spec} already, at {before.apply.span.place}"
            notes = ("the second one flattens the probabilities of the first, and the gradients with them",)
            findings.add(Diagnostic("W407", message, op.apply.span, notes=notes, help=("take one of them out",)))


def _single(op: Op, findings: Findings) -> None:
    x = op.apply.types[0]
    if all(n == 1 for n in x.shape[1:]):
        message = f"{op.apply.layer.spec} pools {show_shape(x.shape)}, which has one position"
        findings.add(Diagnostic("W408", message, op.apply.span, help=("take it out, or pool earlier",)))


def _dead_arm(op: Op, flow: Flow, findings: Findings) -> None:
    """An arm that changes nothing, and one that makes what the others give count for nothing."""
    spec = op.apply.layer.spec
    constant: dict[str, dict[float, str]] = {
        "ADD": {0: "adds 0"},
        "SUB": {0: "subtracts 0"},
        "MUL": {1: "multiplies by 1", 0: "multiplies by 0, so that nothing of the other arms is left"},
        "DIV": {1: "divides by 1"},
    }
    for index, value in enumerate(op.inputs):
        makers = flow.makers(value)
        number = _number(makers[0].apply) if len(makers) == 1 else None
        if number in constant.get(spec, {}) and (index or spec in ("ADD", "MUL")):
            assert number is not None
            message = f"arm {index + 1} of {spec} {constant[spec][number]}"
            edit = _arm_out(makers[0].apply.span) if len(op.inputs) > 2 else None
            fixes = (Fix("take the arm out", (edit,)),) if edit is not None else ()
            findings.add(Diagnostic("W413", message, makers[0].apply.span, help=("take the arm out",), fixes=fixes))
    if spec in ("SUB", "DIV", "MAX", "MIN") and len(set(op.inputs)) == 1:
        gives = {"SUB": "0", "DIV": "1"}.get(spec, "that tensor")
        message = f"all arms of {spec} are the same tensor, so that it gives {gives}"
        findings.add(Diagnostic("W413", message, op.apply.span))


def _arm_out(arm: Span) -> Edit | None:
    """The edit that takes an arm out with the bar before it, or behind it; None where more than it stands there."""
    text = arm.source.text
    before, behind = text[: arm.start].rstrip(), text[arm.end :].lstrip()
    if before.endswith("|") and behind[:1] in ("|", "}"):
        return Edit(Span(arm.source, len(before[:-1].rstrip()), arm.end), "")
    if before.endswith("{") and behind.startswith("|"):
        end = len(text) - len(behind) + 1
        return Edit(Span(arm.source, arm.start, end + len(text[end:]) - len(text[end:].lstrip(" "))), "")
    return None


def _number(apply: Apply) -> float | None:
    """The number that a CONST is everywhere, if it is one."""
    values = getattr(apply.layer, "values", None)
    while isinstance(values, (list, tuple)) and values and all(value == values[0] for value in values):
        values = values[0]
    known = apply.layer.spec == "CONST" and isinstance(values, (int, float)) and not isinstance(values, bool)
    return float(values) if known and values is not None else None


def _redundant_bias(network: Network, ops: list[Op], findings: Findings) -> None:
    explicit = [op.apply for op in ops if _asked_for_bias(op.apply)]
    if not explicit:
        return
    readers = Readers(network)
    for apply in explicit:
        if readers.only_a_norm(apply.output):
            help = "leave bias out: before a BN there is none"
            edit = argument_away(apply.span, "bias")
            findings.add(
                Diagnostic(
                    "W405",
                    f"the BN behind this {apply.layer.spec} takes its bias away again",
                    apply.span,
                    notes=("a BN subtracts the mean of each channel, and adds a bias of its own",),
                    help=(help,),
                    fixes=(Fix(help, (edit,)),) if isinstance(edit, Edit) else (),
                )
            )


def _asked_for_bias(apply: Apply) -> bool:
    """Whether the spec itself gave the layer a bias, in the layer's arguments or its defaults."""
    if getattr(apply.layer, "bias", None) is not True:
        return False
    (bias,) = (field for field in fields(apply.layer) if field.name == "bias")
    return bias.default is None or "bias=true" in apply.given


def _last_norm(value: Value, unnamed: bool, flow: Flow, findings: Findings) -> None:
    """A BN behind an FC or LINEAR and before the end, or a SOFTMAX or SIGMOID that ends the network.

    What a network gives under no name of its own is taken for scores: features are told by theirs.
    """
    ends = (*_SOFT, "SIGMOID", "DROPOUT")
    features = ("where it gives features and no scores, say so: `output features`",) if unnamed else ()
    classified = any(op.apply.layer.spec in ends for op in flow.makers(value))
    for norm in flow.through(value, ends):
        if norm.apply.layer.spec != "BN":
            continue
        for scores in flow.makers(norm.inputs[0]):
            implied = any(name == "width" for name, _ in scores.apply.implied)
            if scores.apply.layer.spec in ("FC", "LINEAR") and (classified or implied or unnamed):
                findings.add(
                    Diagnostic(
                        "W406",
                        "a BN behind the last scores",
                        norm.apply.span,
                        notes=("it holds the scores to one mean and spread, which a classifier has to choose itself",),
                        help=(f"end with the {scores.apply.layer.spec} at {scores.apply.span.place}", *features),
                    )
                )
