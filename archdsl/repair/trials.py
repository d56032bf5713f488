"""A spec with an edit, checked again: what is tried before it is told as help, within a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from archdsl.annotations import Any, Optional
from archdsl.diagnostics import Diagnostic, Edit, Findings
from archdsl.elaborate.place import Run
from archdsl.graph import Network
from archdsl.records import NamedTuple
from archdsl.repair.duals import with_slopes
from archdsl.repair.values import LARGEST, nodes
from archdsl.syntax import tree
from archdsl.syntax.parser import parse, parse_piece
from archdsl.syntax.source import Source, Span

MOST_STEPS = 17_000  # steps of the check and of all tries together, and what they cost beside
MOST_SLOPES = 300_000  # numbers that are written times steps, for which slopes are worked out
MOST_TEXT = 100_000  # characters that are parsed for all tries together

Closed = Callable[[tree.File], Mapping[str, int]]
"""The values with which the sizes and counts that a file leaves open are tried."""
Elaborate = Callable[[Run, tree.File], Optional[Network]]


class Result(NamedTuple):
    """What is wrong with an edited spec: the errors, the two sides of each assertion that fails, and its network."""

    errors: Sequence[Diagnostic]
    failed: Sequence[tuple[Any, Any]]
    network: Optional[Network] = None

    @property
    def keys(self) -> Counter[tuple[str, str]]:
        """The errors, wherever they stand, and how often each is there."""
        return Counter(key(error) for error in self.errors)


def key(error: Diagnostic) -> tuple[str, str]:
    """What makes errors the same though their place has moved."""
    return error.code, error.message


def _cost(run: Run, main: tree.File) -> int:
    """What an elaboration has cost, in steps."""
    return run.steps + run.work.done // 40 + len(main.span.source.text) // 50


def _within(error: Diagnostic, piece: Span) -> bool:
    at = error.span
    return at is not None and at.source is piece.source and piece.start <= at.start <= piece.end


class Trials:
    """The files of a spec, and what becomes of it with edits of their texts."""

    def __init__(self, run: Run, main: tree.File, closed: Closed, elaborate: Elaborate) -> None:
        self.run = run
        self.main = main
        self.files = {main.span.source: main}
        self.files |= {source: scope.file for source, scope in run.scopes.items() if scope.file is not None}
        self.before = Counter(key(error) for error in run.findings.errors)
        self._closed = closed
        self._elaborate = elaborate
        self.joined = False  # whether several errors are looked at as one
        self._steps = self._each = _cost(run, main)  # a try costs about as much as the check, or as the dearest before
        self._cost = 0  # steps of the last try
        self._text = 0

    @property
    def spent(self) -> bool:
        """Whether nothing more may be tried."""
        return self._steps + self._each > MOST_STEPS or self._text > MOST_TEXT

    def parsed(self, edits: Sequence[Edit]) -> dict[Source, tree.File] | None:
        """The files with the edits, None where one does not parse."""
        files = dict(self.files)
        for source in {edit.span.source for edit in edits}:
            if source not in files:
                return None
            found = self._edited(self.files[source], [edit for edit in edits if edit.span.source is source])
            if found is None:
                return None
            files[source] = found
        return files

    def _edited(self, file: tree.File, edits: Sequence[Edit]) -> tree.File | None:
        """A file with what holds the edits parsed anew: the statements that they touch, or a broken stretch."""
        text = file.span.source.text
        first, last = min(e.span.start for e in edits), max(e.span.end for e in edits)
        touched = [s for s in file.statements if s.span.start <= last and first <= s.span.end]
        broken = [span for span in file.broken if span.start <= last and first <= span.end]
        spans = [*(s.span for s in touched), *broken]
        if not spans:
            return None
        start, end = min(s.start for s in spans), max(s.end for s in spans)
        self._text += end - start + 50 + len(file.statements) // 4  # as long as the rest takes
        piece = text[start:end]
        for edit in sorted(edits, key=lambda e: e.span.start, reverse=True):
            piece = piece[: edit.span.start - start] + edit.text + piece[edit.span.end - start :]
        found = parse_piece(file.span.source, piece, start)
        if found is None:
            return None
        before = tuple(s for s in file.statements if s.span.start < start and s not in touched)
        after = tuple(s for s in file.statements if s.span.start >= start and s not in touched)
        rest = tuple(span for span in file.broken if span not in broken)
        return file._replace(statements=(*before, *found, *after), broken=rest)

    def join(self, source: Source, first: Span) -> Span:
        """Take all that stands from one stretch that does not parse to the last for one; where it stands."""
        file = self.files[source]
        self.joined = True
        whole = Span(source, first.start, file.broken[-1].end)
        kept = tuple(s for s in file.statements if not whole.start <= s.span.start < whole.end)
        rest = tuple(span for span in file.broken if span.start < whole.start)
        self.files[source] = file._replace(statements=kept, broken=(*rest, whole))
        return whole

    def check(self, edits: Sequence[Edit], *, most: int = 0, last: bool = False) -> Result | None:
        """What is wrong with the edits, `most` + 1 errors of it; None where they do not parse, or nothing is left.

        `last`: one more may be tried whatever the others have cost.
        """
        files = None if self.spent and not last else self.parsed(edits)
        return self._result(files, most) if files is not None else None

    def slopes(self, before: Sequence[tuple[Any, Any]]) -> tuple[Any, Any] | None:
        """What the last assertion of those that fail finds, with slopes, and what it wants: of shapes a size."""
        numbers = sum(isinstance(node, tree.Number) for file in self.files.values() for node in nodes(file.statements))
        if self.spent or numbers * self._cost > MOST_SLOPES:
            return None
        try:
            files = {source: with_slopes(file) for source, file in self.files.items()}
            failed = self._result(files, 0).failed
        except Exception:  # a dual where none is known to be, or nested too deeply; numbers are then only tried
            return None
        found = [pair for pair in failed if pair == before[-1]]
        if not found:
            return None
        a, b = found[-1]
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            a, b = next(((x, y) for x, y in zip(a, b) if x != y), (None, None))
        return (a, b) if all(isinstance(n, (int, float)) and abs(n) < LARGEST for n in (a, b)) else None

    def _result(self, files: Mapping[Source, tree.File], most: int) -> Result:
        run = self.run
        parsed = {source.path: file for source, file in files.items() if source.path is not None}
        closed = self._closed(files[self.main.span.source])  # an edit may put a size in, or take it out
        found, given = Findings(most=most), {**closed, **run.outside}
        trial = run.another(found, given, library=run.library, parsed=parsed, trial=True)
        network = self._elaborate(trial, files[self.main.span.source])
        still = [span for file in files.values() for span in file.broken]
        found.found += [e for e in run.findings.errors if any(_within(e, span) for span in still)]
        self._cost = trial.steps
        cost = _cost(trial, self.main)
        self._steps += cost
        self._each = max(self._each, cost)
        errors = [error for error in found.errors if error.code != "E115"]  # `closed` may be asked for no more
        return Result(errors, trial.failed, network)

    def parses(self, edit: Edit) -> bool:
        """Whether the whole of an edited file parses, cut into its statements as it then is."""
        source, found = edit.span.source, Findings()
        text = source.text[: edit.span.start] + edit.text + source.text[edit.span.end :]
        self._text += len(text)
        parse(Source(text), found)
        return not found.errors

    def mends(self, edits: Sequence[Edit], told: Diagnostic) -> bool:
        """Whether the edits take an error away, and leave none where it is the only one; one of syntax hides others."""
        hides = told.code.startswith("E10")
        alone = self.before.total() == 1 and not hides
        result = self.check(edits, most=0 if alone else 100)
        if result is None or result.keys[key(told)] >= self.before[key(told)]:
            return False
        if told.code in ("E130", "E161") and result.keys[key(told)]:
            return False  # a name that is missing in several places is no slip in one of them
        if told.code[:2] == "E2" and any(one[0][:2] == "E2" for one in result.keys - self.before):
            return False  # a misfit that has only gone elsewhere
        left = Counter(code for code, _ in result.keys.elements())
        if not alone:
            left -= Counter(code for code, _ in self.before.elements())
        return hides or all(code == told.code and code[:2] == "E1" for code in left)
