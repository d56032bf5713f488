"""Fixes as edits of the user's text: other names, other arguments, a step more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from archdsl.annotations import Any
from archdsl.diagnostics import Edit, Fix
from archdsl.elaborate.values import LayerValue
from archdsl.syntax.source import Span

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACKET = re.compile(r'"(?:[^"\\\n]|\\.)*"|\#[^\n]*|[(\[{]|[)\]}]')


def instead(span: Span, text: str, title: str, *, safe: bool = False) -> tuple[Fix, ...]:
    """One stretch replaced by another."""
    return (Fix(title, (Edit(span, text),), safe),)


def set_argument(callee: LayerValue, spans: Mapping[str, Span], argument: str, value: str) -> Edit | None:
    """The edit that gives an argument this value where the layer is written; None where it is not in the text."""
    written = spans.get(argument)
    if written is not None:
        return Edit(written, value)
    text, start = callee.span.source.text, callee.span.start
    name = _NAME.match(text, start)
    if name is None or name[0] != callee.name:
        return None
    if text[name.end() : name.end() + 1] != "(":
        return _insert(callee.span, name.end(), f"({argument}={value})")
    close, comma = _end_of_arguments(text, name.end())
    return _insert(callee.span, close, f"{comma}{argument}={value}") if close else None


def without_first(callee_end: int, loose: Sequence[tuple[Any, Span]]) -> Edit | None:
    """The edit that takes the first argument without a name away; the layer's name ends at `callee_end`."""
    first = loose[0][1]
    text = first.source.text
    if len(loose) > 1:
        return Edit(first._replace(end=loose[1][1].start), "")
    comma = re.compile(r"\s*,\s*").match(text, first.end)
    if comma:
        return Edit(first._replace(end=comma.end()), "")
    close = re.compile(r"\s*\)").match(text, first.end)
    if close and text[callee_end : first.start].strip() == "(":
        return Edit(Span(first.source, callee_end, close.end()), "")
    return None


def argument_away(name: Span, argument: str) -> Edit | None:
    """The edit that takes a named argument of the layer away whose name stands here; None where there is none."""
    text = name.source.text
    close = _end_of_arguments(text, name.end)[0] if text[name.end : name.end + 1] == "(" else 0
    found = re.compile(rf"\b{argument}\s*=\s*[A-Za-z0-9_.]+").search(text, name.end, close) if close else None
    if found is None:
        return None
    before, after = text[name.end : found.start()].rstrip(), text[found.end() : close + 1].lstrip()
    start, end = name.end + len(before), close + 1 - len(after)
    if before.endswith(","):
        start -= 1
    elif after.startswith(","):
        end = close + 1 - len(after[1:].lstrip())
    elif before == "(" and after == ")":
        start, end = start - 1, end + 1
    return Edit(Span(name.source, start, end), "")


def before_step(span: Span, step: str) -> Edit | None:
    """The edit that puts a step before the one that starts here; None where a label or an operator binds it."""
    before = span.source.text[: span.start].rstrip(" \t")
    if before.endswith((":", "*", "?")):
        return None
    return _insert(span, span.start, f"{step} - ")


def _insert(span: Span, at: int, text: str) -> Edit:
    return Edit(Span(span.source, at, at), text)


@lru_cache(maxsize=16)
def _end_of_arguments(text: str, start: int) -> tuple[int, str]:
    """Where the parenthesis closes that opens at `start`, 0 if it does not, and what separates one argument more."""
    depth = 0
    for part in _BRACKET.finditer(text, start):
        if part[0] in "([{":
            depth += 1
        elif part[0] in ")]}":
            depth -= 1
            if not depth:
                inside = re.sub(r"#[^\n]*", "", text[start + 1 : part.start()]).rstrip()
                return part.start(), "" if not inside or inside.endswith(",") else ", "
    return 0, ""
