"""What is made of the repairs that mend an error: help, fixes, and the place where it stands."""

from __future__ import annotations

import re

from archdsl.diagnostics import Diagnostic, Edit, Fix, Related
from archdsl.records import replace
from archdsl.repair.candidates import SYNTAX, Candidate
from archdsl.repair.trials import Trials
from archdsl.repair.values import LAST
from archdsl.syntax import tree
from archdsl.syntax.source import Span

WIDEST = 120  # characters of a place of several repairs


def told_at(first: Diagnostic, mending: list[Candidate], trials: Trials) -> Diagnostic:
    """The error with the repairs as help, at the place that they agree on."""
    if mending and mending[0].rank < 0 and first.code in ("E130", "E182"):  # it is right where it is used
        first = replace(first, help=tuple(h for h in first.help if not h.startswith("did you mean ")), fixes=())
    assert first.span is not None
    best = _place(first, mending, trials)
    likeliest = sorted(mending, key=lambda c: c is not best)
    fixes = tuple(Fix(c.title, (c.edit,)) for c in likeliest if not c.guess)[: 1 if first.code in SYNTAX else 2]
    if mending and mending[0].rank > 0 and first.code[:2] == "E2" and _own(first):
        fixes = ()  # the layer's own are enough, and these only say where
    fixes = tuple(f for f in fixes if all(f.edits != g.edits for g in first.fixes))
    words = [fix.title for fix in fixes] or [c.title for c in mending[:1] if not first.fixes or c.guess]
    if first.code == "E130" and not (first.help or words):
        words = [f"a constant is given by `{first.span.text} = …`"]
    told = replace(
        first,
        help=(*first.help, *(text for text in dict.fromkeys(words) if text not in first.help)),
        fixes=(*first.fixes, *fixes),
    )
    at = (best.place or best.edit.span) if best is not None else first.span
    if best is None or (at.source is first.span.source and _overlap(at, first.span)):
        return told
    moved = _moved(told, best)
    others = [c for c in mending if first.code == "E301" and not best.guess and not _meet(c.edit.span, at)]
    beside = tuple(Related(c.edit.span, f"or here: {c.title}") for c in others if c.edit.span.text)
    return replace(moved, related=(*moved.related, *beside))


def _place(first: Diagnostic, mending: list[Candidate], trials: Trials) -> Candidate | None:
    """Where the fault is: what the fixes of the layer itself agree on, else the other repairs; None where not."""
    own = _own(first)
    if first.code in SYNTAX:
        return mending[0] if mending else None
    best = mending if mending and (mending[0].rank <= 0 or not own) else own
    if not best or best[0].rank == LAST:
        return None
    if best is own and mending and not all(_meet(own[0].edit.span, c.edit.span) for c in (*own, *mending)):
        both = _together([c.edit.span for c in (*own, *mending)])
        if both is not None:
            return both
    if trials.spent and best[0].rank > 1 and not _counted(trials):
        return None  # others may be as good
    if all(_meet(best[0].edit.span, other.edit.span) for other in best[1:]):
        return best[0]
    likeliest = sorted(best, key=lambda c: -c.gain)
    if likeliest[0].gain > max(0, *(c.gain for c in likeliest[1:] if c.edit.span != likeliest[0].edit.span)):
        return likeliest[0]
    together = _together([c.edit.span for c in best])
    if together is None and first.code == "E301" and not trials.spent:
        return max(likeliest, key=lambda c: (c.gain, c.number))  # the others are told beside
    return together


def _own(first: Diagnostic) -> list[Candidate]:
    """What the layer itself would have instead of something else."""
    own = [Candidate(edit, "") for fix in first.fixes for edit in fix.edits if edit.span.start < edit.span.end]
    return [c for c in own if not c.edit.span.text.isidentifier() and not _sure_of(first, c)]


def _counted(trials: Trials) -> bool:
    """Whether an assertion counts parameters, which few repairs bring to the same number."""
    held = [s for s in trials.main.statements if isinstance(s, tree.Assertion)]
    return any(re.search(r"\bparams\b", s.span.text) for s in held)


def _together(spans: list[Span]) -> Candidate | None:
    """Of repairs at several places all of them together, if they stand in one pair of brackets."""
    start, end = min(s.start for s in spans), max(s.end for s in spans)
    if any(s.source is not spans[0].source for s in spans) or end - start > WIDEST:
        return None
    whole = Span(spans[0].source, start, end)
    between = re.sub(r'"[^"\n]*"', "", whole.text)
    while re.search(r"\([^()]*\)|\[[^\[\]]*\]", between):
        between = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", between)
    if re.search(r"[()\[\]{}|\n]| - ", between):
        return None
    return Candidate(Edit(whole, ""), "", guess=True)


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
    at = best.place or best.edit.span
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
