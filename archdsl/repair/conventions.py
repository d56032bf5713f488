"""What networks usually have, whoever wrote them: a value that speaks against it is the likelier slip.

A parameter's stride, groups and dilation are 1 unless a call says more, and are compared with 1; a window that pools
between layers moves by 2 or by its own size, and one that moves by 1 in an arm is padded; a 7x7 filter, and the first
of an image, moves by 2; patches (padding=0) move by their size; no window moves further than it sees, nor does one of 1
between arms that are put side by side; a kernel that does not move by more than 1 is odd; a window that moves by its
size is not padded; and an argument that is written says something else than its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.elaborate.arguments import kinds
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.repair.calls import without_argument
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import LARGEST, nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

USUAL = -3  # the rank of what is usual
ONES = ("stride", "groups", "dilation")
_MOST = 24  # candidates that are looked at
_MOST_JOINS = 40  # in which calls are looked for
_LONGEST = 8  # of strides that networks have
_POOLS = ("POOL", "AVGPOOL")
_WINDOWS = ("CONV", "POOL", "AVGPOOL")


def conventional(parameter: tree.Parameter) -> Span | None:
    """The place of a default that is what such parameters have everywhere; None for any other."""
    value = parameter.default
    if not isinstance(value, tree.Number):
        return None
    same = value.value == 1 if parameter.name in ONES else parameter.name == "kernel" and value.value == 3
    return value.span if same else None


def unusual(statements: Iterable[Any]) -> Iterator[Candidate]:
    """What is usual instead of each number that is not, each number once."""
    statements = list(statements)
    seen = set()
    for node, usual in _found(statements):
        if isinstance(node, tree.Number) and node.value != usual and (node.span, usual) not in seen:
            seen.add((node.span, usual))
            title = f"write {usual}"
            yield Candidate(Edit(node.span, str(usual)), title, rank=USUAL)
        if len(seen) == _MOST:
            return
    for call in islice((node for node in nodes(statements) if _leaps(node)), _MOST):
        for candidate in {c.title: c for c in without_argument(call, 0)}.values():  # of two alike the first
            yield candidate._replace(rank=USUAL)
    arms = [arm for node in nodes(statements) if isinstance(node, tree.Join) for arm in node.arms][:_MOST_JOINS]
    for call in (node for node in nodes(arms) if isinstance(node, tree.Call) and node.name.id in _POOLS):
        given = _given(call, {})
        size, stride, padding = given.get("size"), given.get("stride"), given.get("padding")
        if size is None and isinstance(padding, tree.Number) and 0 < padding.value < 4 and call.arguments[0].name:
            at = Span(call.span.source, call.arguments[0].span.start, call.arguments[0].span.start)
            text = str(2 * int(padding.value) + 1)
            yield Candidate(Edit(at, f"{text}, "), f"write {text} in {call.name.id}", rank=USUAL)
        if not isinstance(size, tree.Number) or not isinstance(stride, tree.Number):
            continue
        if stride.value == 1 and size.value in (3, 5, 7) and "padding" not in given:
            at = Span(call.span.source, call.arguments[-1].span.end, call.arguments[-1].span.end)
            text = f"padding={int(size.value) // 2}"
            yield Candidate(Edit(at, f", {text}"), f"write {text} in {call.name.id}", rank=USUAL)


def _found(statements: list[Any]) -> Iterator[tuple[Any, int]]:
    """Numbers, and what is usual there."""
    blocks = {s.name.id: s for s in statements if isinstance(s, tree.Block)}
    for node in nodes(statements):
        if isinstance(node, tree.Parameter) and node.name in ONES:
            yield node.default, 1
        elif isinstance(node, tree.Comparison) and len(node.operands) == 2:
            name, number = node.operands
            if isinstance(name, tree.Name) and name.id in (*ONES, "expand"):
                yield number, 1
    outermost = [node for node in nodes(statements) if isinstance(node, tree.Join)][:_MOST_JOINS]
    arms = {node.span for node in nodes(outermost) if isinstance(node, tree.Call)}
    concats = [join for join in outermost if join.name.id == "CONCAT"]
    beside = {node.span for node in nodes(concats) if isinstance(node, tree.Call)}
    first = True
    for statement in sorted(statements, key=lambda s: isinstance(s, tree.Block)):
        for call in nodes([statement]):
            if not isinstance(call, tree.Call):
                continue
            given = _given(call, blocks)
            kernel, stride = given.get("kernel", given.get("size")), given.get("stride")
            if stride is None and call.name.id in blocks and not {"dilation", "padding"} & set(given):
                if isinstance(kernel, tree.Number) and kernel.value in (2, 4, 6, 8):
                    yield from ((kernel, usual) for usual in (int(kernel.value) - 1, int(kernel.value) + 1))
            if not isinstance(stride, tree.Number):
                continue
            size = int(kernel.value) if isinstance(kernel, tree.Number) and kernel.value < LARGEST else 0
            joined = call.span in arms
            pools = call.name.id in _POOLS
            padding = given.get("padding")
            padded = isinstance(padding, tree.Number) and padding.value > 0
            if not joined and pools and size > 1 and (stride.value not in (2, size) or (padded and 2 < stride.value)):
                yield stride, 2
            if isinstance(padding, tree.Number) and not pools and size > 1:
                if stride.value == size and size % 2 == 0:
                    yield padding, 0
                elif padding.value == 0:
                    yield stride, size
                    if 1 < stride.value < size and size % stride.value == 0:
                        yield kernel, int(stride.value)
            if size == 1 < stride.value and call.span in beside and not pools:
                yield kernel, 3
            if not pools and not joined and (size == 7 or first) and stride.value != size:
                yield stride, 2
            first = False
            if 1 < size < stride.value:
                yield from ((stride, usual) for usual in (2, size, size - 1, 1) if 0 < usual < stride.value)
            if stride.value == 1 and not pools and _default(call, blocks) == 1:
                yield stride, 2


def _leaps(call: Any) -> bool:
    """Whether a window is written with a stride, its third argument, that is more than its kernel, and than any has."""
    if not isinstance(call, tree.Call) or call.name.id != "CONV" or len(call.arguments) != 3:
        return False
    width, kernel, stride = call.arguments
    if (
        kernel.name
        or stride.name
        or not (isinstance(kernel.value, tree.Number) and isinstance(stride.value, tree.Number))
    ):
        return False
    odd = isinstance(width.value, tree.Number) and kernel.value.value > 1
    return kernel.value.value < stride.value.value and (odd or stride.value.value > _LONGEST)


def _given(call: tree.Call, blocks: dict[str, tree.Block]) -> dict[str, Any]:
    """The values of a call's arguments by name."""
    if call.name.id in blocks:
        names = [parameter.name for parameter in blocks[call.name.id].parameters]
    elif call.name.id in LAYERS:
        names = list(kinds(layer_class(call.name.id)))
    else:
        return {}
    found = dict(zip(names, (argument.value for argument in call.arguments if not argument.name)))
    return found | {argument.name: argument.value for argument in call.arguments if argument.name}


def _default(call: tree.Call, blocks: dict[str, tree.Block]) -> int | None:
    """The stride that a call would have if it said none."""
    if call.name.id not in blocks:
        return 1 if call.name.id in _WINDOWS else None
    for parameter in blocks[call.name.id].parameters:
        if parameter.name == "stride" and isinstance(parameter.default, tree.Number):
            return int(parameter.default.value)
    return None
