"""Where a step may be missing: between any two that follow each other, at the ends, and in an arm that is empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.elaborate.mentions import binds
from archdsl.layers.activation import Activation
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.records import NamedTuple
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span


class Gap(NamedTuple):
    """A place for a step: what stands before and behind it (None at an end), and who binds names around it.

    `around` are the block and the loops, the outermost first; `begin` and `end` are put around the step.
    """

    at: Span
    before: Any
    after: Any
    begin: str
    end: str
    around: tuple[Any, ...]

    def filled(self, text: str) -> Edit:
        """The edit that puts a step in."""
        return Edit(self.at, f"{self.begin}{text}{self.end}")


def gaps(statements: Iterable[Any]) -> Iterator[Gap]:
    """All of them, in the order of the text within each definition."""
    statements = list(statements)
    chains = [s for s in statements if isinstance(s, tree.Chain)]
    waiting: list[tuple[list[Any], tuple[Any, ...]]] = [(chains, ())]
    waiting += [(list(s.body.lines), (s,)) for s in statements if isinstance(s, tree.Block)]
    for block in (s for s in statements if isinstance(s, tree.Block) and not s.body.lines):
        start = block.span.start + block.span.text.rfind("{") + 1
        yield Gap(Span(block.span.source, start, start), None, None, " ", " ", (block,))
    while waiting:
        lines, around = waiting.pop(0)
        before = None
        for line in (line for line in lines if isinstance(line, tree.Chain)):
            for step in line.steps:
                at = Span(step.span.source, step.span.start, step.span.start)
                yield Gap(at, before, step, "", " - ", around)
                before = step
                yield from _empty(step, around)
                waiting += _inside(step, around)
        if before is not None:
            at = Span(before.span.source, before.span.end, before.span.end)
            yield Gap(at, before, None, " - ", "", around)


def _inside(step: Any, around: tuple[Any, ...]) -> list[tuple[list[Any], tuple[Any, ...]]]:
    """The bodies in a step, and what is around them."""
    step = bare(step)
    if isinstance(step, tree.Join):
        return [(list(arm.lines), around) for arm in step.arms]
    if isinstance(step, tree.Group):
        return [(list(step.body.lines), around)]
    if isinstance(step, tree.Loop):
        return [(list(step.body.lines), (*around, step))]
    if isinstance(step, tree.Condition):
        return [(list(branch.body.lines), around) for branch in step.branches]
    return []


def _empty(step: Any, around: tuple[Any, ...]) -> Iterator[Gap]:
    """The arms of a join that hold nothing."""
    join = bare(step)
    if not isinstance(join, tree.Join) or len(join.arms) < 2:
        return
    text, end = join.span.source.text, join.span.start
    for i, arm in enumerate(join.arms):
        start = text.find("|" if i else "{", end) + 1
        end = arm.span.end if arm.lines else start
        if not arm.lines and 0 < start <= join.span.end:
            yield Gap(Span(join.span.source, start, start), None, None, " ", "", around)


def bare(step: Any) -> Any:
    """A step without its label, its count and its question mark."""
    while isinstance(step, (tree.Labelled, tree.Repeated, tree.Optional_)):
        step = step.step
    return step


def head(step: Any) -> str:
    """The name of a step's layer, RELU for all activations, which stand where it stands; "" for none."""
    step = bare(step)
    if step is None:
        return ""
    name = step.id if isinstance(step, tree.Name) else ""
    if isinstance(step, (tree.Call, tree.Join)):
        name = step.name.id
    if name in ("act", "activation"):
        return "RELU"
    if name == "norm":
        return "BN"
    acts = name in LAYERS and name != "DROPOUT" and issubclass(layer_class(name), Activation)
    return "RELU" if acts else name or type(step).__name__


def bound(binder: Any) -> list[str]:
    """The names that a block or a loop binds, in the order of the text."""
    if isinstance(binder, tree.Block):
        return [parameter.name for parameter in binder.parameters]
    return sorted(binds(binder), key=lambda name: " ".join(t.span.text for t in binder.targets).find(name))


def unused(binder: Any) -> list[str]:
    """Those that nothing in it uses."""
    if isinstance(binder, tree.Comprehension):
        used = used_names([binder.item, *binder.tests])
        return [name for name in bound(binder) if name not in used]
    used = used_names([binder.body, *(p.default for p in getattr(binder, "parameters", ()) if p.default is not None)])
    return [name for name in bound(binder) if name not in used]


def used_names(parts: Iterable[Any]) -> set[str]:
    """All names in parts of a file, those of shapes included."""
    found: set[str] = set()
    for node in nodes(parts):
        if isinstance(node, tree.Name):
            found.add(node.id)
        elif isinstance(node, tree.ShapeLiteral):
            found.update(size for size in node.sizes if isinstance(size, str))
    return found
