"""Names that are given and never used: blocks, functions, constants, and labels that stand for a tensor alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from archdsl.diagnostics import Diagnostic, Findings
from archdsl.elaborate.mentions import open_names_of, parts_of
from archdsl.syntax import tree


def warn_of_names(file: tree.File, findings: Findings) -> None:
    """Add W409, W411 and W412."""
    _definitions(file, findings)
    waiting: list[Any] = list(file.statements)
    used: list[re.Pattern[str]] | None = None
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Labelled) and _stands_alone(node):
            used = list(references(file)) if used is None else used
            name = str(node.label.parts[0])
            if not any(pattern.fullmatch(name) for pattern in used):
                message = f"nothing uses the label {name}, which names no layer"
                findings.add(Diagnostic("W409", message, node.label.span, help=(f"@{name} reads it",)))
        elif isinstance(node, tree.Body):
            _constants(node, findings)
        waiting += parts_of(node)


def references(file: tree.File) -> Iterator[re.Pattern[str]]:
    """What `@name`, `share name` and `output name` may read, as patterns: values in a label may be anything."""
    waiting: list[Any] = list(file.statements)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (tree.Reference, tree.Share)):
            yield re.compile("".join(re.escape(p) if isinstance(p, str) else ".+" for p in node.label.parts))
        elif isinstance(node, tree.Output):
            yield from (re.compile(re.escape(name)) for name, _ in node.names)
        waiting += parts_of(node)


def _stands_alone(node: tree.Labelled) -> bool:
    """Whether a label is another name of a tensor, with no step of its own."""
    step = node.step
    alias = isinstance(step, tree.Reference) or (isinstance(step, tree.Name) and step.id == "INPUT")
    return alias and len(node.label.parts) == 1 and isinstance(node.label.parts[0], str)


def _definitions(file: tree.File, findings: Findings) -> None:
    defined = [s for s in file.statements if isinstance(s, (tree.Block, tree.Function, tree.Constant, tree.Use))]
    if not defined:
        return
    mentioned = [(statement, open_names_of(statement)) for statement in file.statements]
    for statement in defined:
        if isinstance(statement, tree.Use):
            names = [(name, span, "W411", "nothing uses what `use` brings: ") for name, span in statement.names]
        else:
            kind = {tree.Block: "the block ", tree.Function: "the function "}.get(type(statement), "the constant ")
            code = "W412" if isinstance(statement, tree.Constant) else "W411"
            names = [(statement.name.id, statement.name.span, code, f"nothing uses {kind}")]
        for name, span, code, says in names:
            if name != "classes" and not any(name in found for other, found in mentioned if other is not statement):
                findings.add(Diagnostic(code, f"{says}{name}", span, help=("take it out",)))


def _constants(body: tree.Body, findings: Findings) -> None:
    """Constants of a body that no other line of it reads."""
    for line in body.lines:
        if isinstance(line, tree.Constant):
            name = line.name
            rest = (open_names_of(other) for other in body.lines if other is not line)
            if name.id != "classes" and not any(name.id in found for found in rest):
                message = f"nothing uses the constant {name.id}"
                findings.add(Diagnostic("W412", message, name.span, help=("take it out",)))
