"""What is made of the repairs that mend an error: help, fixes, and the place where it stands."""

from __future__ import annotations

import re

from archdsl.diagnostics import Diagnostic, Edit, Fix, Related
from archdsl.records import replace
from archdsl.repair.calls import around
from archdsl.repair.candidates import SYNTAX, Candidate, within
from archdsl.repair.trials import Trials
from archdsl.repair.values import LAST
from archdsl.syntax import tree
from archdsl.syntax.source import Span


def told_at(first: Diagnostic, mending: list[Candidate], trials: Trials) -> Diagnostic:
    """The error with the repairs as help, at the place that they agree on."""
    assert first.span is not None
    fixes = tuple(Fix(c.title, (c.edit,)) for c in mending if not c.guess)[: 1 if first.code in SYNTAX else 2]
    fixes = tuple(f for f in fixes if all(f.edits != g.edits for g in first.fixes))
    words = [fix.title for fix in fixes] or [c.title for c in mending[:1]]
    if first.code == "E130" and not (first.help or words):
        words = [f"a constant is given by `{first.span.text} = …`"]
    told = replace(
        first,
        help=(*first.help, *(text for text in dict.fromkeys(words) if text not in first.help)),
        fixes=(*first.fixes, *fixes),
    )
    best = _place(first, mending, trials)
    if best is None or (best.edit.span.source is first.span.source and _overlap(best.edit.span, first.span)):
        return told
    return _moved(told, best)


def _place(first: Diagnostic, mending: list[Candidate], trials: Trials) -> Candidate | None:
    """Where the fault is: what the fixes of the layer itself agree on, else the other repairs; None where not."""
    own = [Candidate(edit, "") for fix in first.fixes for edit in fix.edits if edit.span.start < edit.span.end]
    own = [c for c in own if not c.edit.span.text.isidentifier() and not _sure_of(first, c)]
    if first.code in SYNTAX:
        return mending[0] if mending else None
    best = mending if mending and (mending[0].rank == 0 or not own) else own
    if not best or best[0].rank == LAST:
        return None
    if trials.spent and best[0].rank > 1 and not _counted(trials):
        return None  # others may be as good
    if all(_meet(best[0].edit.span, other.edit.span) for other in best[1:]):
        return best[0]
    return _arguments(first, best, trials) if best is mending and first.code[:2] in ("E1", "E2") else None


def _counted(trials: Trials) -> bool:
    """Whether an assertion counts parameters, which few repairs bring to the same number."""
    held = [s for s in trials.main.statements if isinstance(s, tree.Assertion)]
    return any(re.search(r"\bparams\b", s.span.text) for s in held)


def _arguments(first: Diagnostic, best: list[Candidate], trials: Trials) -> Candidate | None:
    """Of repairs at several places all of them together, if they are in the call at fault."""
    assert first.span is not None
    call = next(iter(around(trials.files[first.span.source].statements, first.span)), None)
    if isinstance(call, tree.Call) and all(within(c.edit.span, call.span) for c in best):
        spans = [c.edit.span for c in best]
        whole = Span(call.span.source, min(s.start for s in spans), max(s.end for s in spans))
        return Candidate(Edit(whole, ""), "", guess=True)
    return None


def _sure_of(first: Diagnostic, candidate: Candidate) -> bool:
    """Whether a fix changes the input alone, which is one of many ways."""
    return any(candidate.edit in fix.edits and sure(fix) for fix in first.fixes)


def _overlap(a: Span, b: Span) -> bool:
    return a.start < max(b.end, b.start + 1) and b.start < max(a.end, a.start + 1)


def _meet(a: Span, b: Span) -> bool:
    return a.source is b.source and a.start <= b.end and b.start <= a.end


def _moved(told: Diagnostic, best: Candidate) -> Diagnostic:
    """The error at the place of its repair; where it shows is told beside."""
    assert told.span is not None
    at = best.edit.span
    if at.start == at.end:  # what stands before, on the same line, else behind
        before = at.source.text[max(0, at.start - 1) : at.start].strip()
        at = Span(at.source, at.start - 1, at.start) if before else Span(at.source, at.start, at.start + 1)
    shows = Related(told.span, "it shows here" + (f": {told.label}" if told.label else ""))
    if told.code in SYNTAX:
        return replace(told, message=best.message or told.message, span=at, related=(*told.related, shows))
    short = best.edit.text and len(best.edit.text) < 20 and not best.guess
    label = f"with {best.edit.text} here all is right" if short else ""
    related = (shows, *told.related)
    return replace(told, span=at, label=label, related=related)


def sure(fix: Fix) -> bool:
    """Whether it was tried already: other sizes of the input are found by trying them."""
    return fix.title.startswith("an input of ")
