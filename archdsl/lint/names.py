"""Names that are given and never used: blocks, functions, constants, and labels that stand for a tensor alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic, Edit, Findings, Fix
from archdsl.elaborate.mentions import open_names_of, parts_of
from archdsl.syntax import tree
from archdsl.syntax.nesting import within
from archdsl.syntax.source import Span

MOST_PATTERNS = 100
"""Labels with values that are looked at; where a file has more, any name may be one of them."""


def warn_of_names(file: tree.File, findings: Findings) -> None:
    """Add W409, W411 and W412."""
    _definitions(file, file.heads, findings)
    waiting: list[Any] = [*file.composed, *file.heads]
    used: References | None = None
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Labelled) and _stands_alone(node):
            used = used or References(file)
            name = str(node.label.parts[0])
            if name not in used:
                message = f"nothing uses the label {name}, which names no layer"
                findings.add(Diagnostic("W409", message, node.label.span, help=(f"@{name} reads it",)))
        elif isinstance(node, tree.Body):
            _constants(node, findings)
        waiting += within(node)


class References:
    """What `@name`, `share name` and `output name` of a file may read; values in a label may be anything."""

    def __init__(self, file: tree.File) -> None:
        self._names: set[str] = set()
        self._ends: set[tuple[str, str]] = set()  # how a label with values starts and ends
        waiting: list[Any] = list(file.statements)
        while waiting:
            node = waiting.pop()
            if isinstance(node, (tree.Reference, tree.Share)):
                self._add(node.label.parts)
            elif isinstance(node, tree.Output):
                self._names.update(name for name, _ in node.names)
            waiting += parts_of(node)

    def _add(self, parts: tuple[Any, ...]) -> None:
        if all(isinstance(part, str) for part in parts):
            self._names.add("".join(parts))
        else:
            start, end = parts[0], parts[-1]
            self._ends.add((start if isinstance(start, str) else "", end if isinstance(end, str) else ""))

    def __contains__(self, name: str) -> bool:
        if name in self._names or len(self._ends) > MOST_PATTERNS:
            return True
        return any(name.startswith(start) and name.endswith(end) for start, end in self._ends)


def _stands_alone(node: tree.Labelled) -> bool:
    """Whether a label is another name of a tensor, with no step of its own."""
    step = node.step
    alias = isinstance(step, tree.Reference) or (isinstance(step, tree.Name) and step.id == "INPUT")
    return alias and len(node.label.parts) == 1 and isinstance(node.label.parts[0], str)


def _definitions(file: tree.File, heads: Sequence[tree.Statement], findings: Findings) -> None:
    defined = [s for s in heads if isinstance(s, (tree.Block, tree.Function, tree.Constant, tree.Use))]
    if not defined:
        return
    mentioned = {id(statement): open_names_of(statement) for statement in file.statements}
    counts = Counter(name for names in mentioned.values() for name in names)
    for statement in defined:
        if isinstance(statement, tree.Use):
            names = [(name, span, "W411", "nothing uses what `use` brings: ") for name, span in statement.names]
        else:
            kind = {tree.Block: "the block ", tree.Function: "the function "}.get(type(statement), "the constant ")
            code = "W412" if isinstance(statement, tree.Constant) else "W411"
            names = [(statement.name.id, statement.name.span, code, f"nothing uses {kind}")]
        for name, span, code, says in names:
            elsewhere = counts[name] - (name in mentioned[id(statement)])
            if name != "classes" and not elsewhere:
                edit = _name_out(statement, span) if isinstance(statement, tree.Use) else _out(statement.span)
                fixes = (Fix("take it out", (edit,)),) if edit is not None else ()
                findings.add(Diagnostic(code, f"{says}{name}", span, help=("take it out",), fixes=fixes))


def _out(span: Span) -> Edit | None:
    """The edit that takes a statement out with its line; None where it shares that with another."""
    text = span.source.text
    start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end)
    end = end if end >= 0 else len(text)
    behind = text[span.end : end].lstrip()
    if text[start : span.start].strip() or (behind and not behind.startswith("#")):
        return None
    return Edit(Span(span.source, start, min(end + 1, len(text))), "")


def _name_out(use: tree.Use, name: Span) -> Edit | None:
    """The edit that takes a name out of a `use`, with all of it where it is the only one."""
    spans = [span for _, span in use.names]
    if len(spans) == 1:
        return _out(use.span)
    index = spans.index(name)
    if index + 1 < len(spans):
        return Edit(name._replace(end=spans[index + 1].start), "")
    return Edit(name._replace(start=spans[index - 1].end), "")


def _constants(body: tree.Body, findings: Findings) -> None:
    """Constants of a body that no other line of it reads."""
    if not any(isinstance(line, tree.Constant) for line in body.lines):
        return
    mentioned = [open_names_of(line) for line in body.lines]
    counts = Counter(name for names in mentioned for name in names)
    for line, own in zip(body.lines, mentioned):
        if isinstance(line, tree.Constant):
            name = line.name
            if name.id != "classes" and not counts[name.id] - (name.id in own):
                message = f"nothing uses the constant {name.id}"
                edit = _out(line.span)
                fixes = (Fix("take it out", (edit,)),) if edit is not None else ()
                findings.add(Diagnostic("W412", message, name.span, help=("take it out",), fixes=fixes))
