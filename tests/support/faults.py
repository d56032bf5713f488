"""The corpus of seeded faults: one edit each to a real spec, with what the check says of it.

A line of tests/faults/*.txt is one fault:

    E130  at    fix    specs/alexnet.arch  RELU - «DROPOUT→DROUPOT»)*2

the code of the first error, whether it stands at the edit, what help it has ("wrong": a fix leaves an error), the
spec, and the edit in as much of its line as makes the place unique; `⏎` is a new line. A fault in a file that a spec
uses is `specs/torchvision/resnet18.arch+blocks/resnet.arch`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics import Diagnostic, Fix
from archdsl.fixes import apply_edits
from archdsl.pipeline import build
from archdsl.syntax.source import Source

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "tests" / "faults"
_TOKEN = re.compile(
    r'"[^"\n]*"|@?[A-Za-z_][A-Za-z0-9_]*[({]?|[0-9][0-9_a-zA-Z]*(?:\.[0-9]+)?|->|[=!<>]=|//|\*\*|\.\.|\S'
)
_EDIT = re.compile("«([^→]*)→([^»]*)»")


class Seeded(NamedTuple):
    """A fault: the text from `start` to `end` of a file replaced by `new`.

    `kind` is the name of the file that holds it; `code`, `place` and `help` are the outcome that is written there.
    """

    kind: str
    spec: str  # the spec that is checked, and behind a `+` the file beside it that is edited
    start: int
    end: int
    new: str
    code: str = ""
    place: str = ""
    help: str = ""

    @property
    def file(self) -> Path:
        """The file that is edited."""
        spec, _, used = self.spec.partition("+")
        return (ROOT / spec).parent / used if used else ROOT / spec

    @property
    def text(self) -> str:
        """What stands in the file instead."""
        before = original(self.file)
        return before[: self.start] + self.new + before[self.end :]

    def __str__(self) -> str:
        return f"{self.spec}  {context(self)}"


class Outcome(NamedTuple):
    """What the check says of a fault: the first error, and the fixes of it that do not mend the spec."""

    first: Diagnostic | None
    at: bool
    wrong: tuple[str, ...]

    @property
    def code(self) -> str:
        """The first error's code, "-" where there is none."""
        return self.first.code if self.first is not None else "-"

    @property
    def place(self) -> str:
        """Whether the first error stands at the edit."""
        return "at" if self.at else "off"

    @property
    def help(self) -> str:
        """Whether there is a fix, help in words alone, or a fix that does not mend the spec."""
        if self.first is None:
            return "none"
        if self.wrong:
            return "wrong"
        return "fix" if self.first.fixes else "words" if self.first.help else "none"


@lru_cache(maxsize=200)
def original(path: Path) -> str:
    """The text of a spec."""
    return path.read_text(encoding="utf-8")


def read(path: Path) -> list[Seeded]:
    """The faults in a file of the corpus."""
    return [_parsed(path.stem, line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def corpus() -> list[Seeded]:
    """All faults, in order."""
    return [fault for path in sorted(FOLDER.glob("*.txt")) for fault in read(path)]


def _parsed(kind: str, line: str) -> Seeded:
    code, place, help, spec, around = line.split(None, 4)
    around = around.replace("⏎", "\n")
    edit = _EDIT.search(around)
    if edit is None:
        raise ValueError(f"{kind}: no edit in {line}")
    whole = around[: edit.start()] + edit[1] + around[edit.end() :]
    fault = Seeded(kind, spec, 0, 0, edit[2], code, place, help)
    text = original(fault.file)
    if text.count(whole) != 1:
        raise ValueError(f"{kind}: {whole!r} stands {text.count(whole)} times in {spec}")
    start = text.index(whole) + edit.start()
    return fault._replace(start=start, end=start + len(edit[1]))


def context(fault: Seeded) -> str:
    """The edit in its line, or in as many lines as make it unique."""
    text = original(fault.file)
    first, last = fault.start, fault.end
    while True:
        first = text.rfind("\n", 0, first) + 1
        end = text.find("\n", last)
        last = end if end >= 0 else len(text)
        indent = len(text[first : fault.start]) - len(text[first : fault.start].lstrip())
        if text.count(text[first + indent : last]) == 1:
            break
        if first > 0:
            first -= 1
        else:
            last += 1
    first += indent
    around = f"{text[first : fault.start]}«{text[fault.start : fault.end]}→{fault.new}»{text[fault.end : last]}"
    return around.replace("\n", "⏎")


def written(fault: Seeded, outcome: Outcome) -> str:
    """A fault's line in the corpus."""
    return f"{outcome.code}  {outcome.place:3}  {outcome.help:5}  {fault.spec}  {context(fault)}"


class Bench:
    """A copy of all specs in which one file at a time is edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        shutil.copytree(ROOT / "specs", folder / "specs")

    def check(self, fault: Seeded, fix: Fix | None = None) -> list[Diagnostic]:
        """All that is found with the fault, and with a fix of it applied."""
        spec = self.folder / fault.spec.partition("+")[0]
        texts = {self.folder / fault.file.relative_to(ROOT): fault.text}
        for source in {edit.span.source for edit in fix.edits} if fix is not None else ():
            edits = [edit for edit in fix.edits if edit.span.source is source] if fix is not None else []
            path = Path(source.path or "")
            texts[path] = apply_edits(texts.get(path, "") or path.read_text(encoding="utf-8"), edits)
        kept = {path: path.read_text(encoding="utf-8") for path in texts if path != spec}
        for path in kept:
            path.write_text(texts[path], encoding="utf-8")
        try:
            text = texts.get(spec, "") or spec.read_text(encoding="utf-8")
            source = Source(text, spec.name, str(spec))
            return build(source, constants={}, inputs={}, fit=None, leave_open=True)[1].found
        finally:
            for path, before in kept.items():
                path.write_text(before, encoding="utf-8")

    def outcome(self, fault: Seeded) -> Outcome:
        """What is said of a fault; each fix that the first error offers is tried."""
        errors = _errors(self.check(fault))
        if not errors:
            return Outcome(None, False, ())
        first = errors[0]
        wrong = tuple(fix.title for fix in first.fixes if _errors(self.check(fault, fix)))
        return Outcome(first, is_at(fault, first), wrong)


def _errors(found: list[Diagnostic]) -> list[Diagnostic]:
    return [d for d in found if d.severity == "error"]


def is_at(fault: Seeded, told: Diagnostic) -> bool:
    """Whether a finding's place overlaps the edited tokens, or a token directly beside what was taken out.

    A name with the bracket behind it is one token. Where a definition was taken out (an input, a constant, a label,
    a block, a `use`), the places of the fault are those that ask for it: all that is left is right.
    """
    if told.span is not None and told.code in ("E111", "E130", "E161", "E182") and not fault.new.strip():
        gone = original(fault.file)[fault.start : fault.end]
        if told.code == "E111" and gone.startswith("input"):
            return True
        defined = set(re.findall(r"[A-Za-z_]+", gone.split("=")[0] if gone[:1].islower() else gone))
        if defined & set(re.findall(r"[A-Za-z_]+", told.message)):
            return True
    if told.span is None or Path(told.span.source.name).name != fault.file.name:
        return False
    first, last = edited(fault)
    start, end = told.span.start, max(told.span.end, told.span.start + 1)
    return start < last and first < end


def edited(fault: Seeded) -> tuple[int, int]:
    """The stretch of the text with the fault that counts as its place: whole tokens, one on each side of a gap."""
    text = fault.text
    start, end = fault.start, fault.start + len(fault.new)
    tokens = list(_tokens(text))
    if fault.new.strip():
        touched = [(start, end), *((a, b) for a, b in tokens if a < end and start < b)]
    else:
        before = [(a, b) for a, b in tokens if b <= start and text[a:b] not in ("-", ",")]
        after = [(a, b) for a, b in tokens if a >= end and text[a:b] not in ("-", ",")]
        touched = [*before[-1:], *after[:1], *((a, b) for a, b in tokens if a < start < b)]
    return min(a for a, _ in touched), max(b for _, b in touched)


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    for match in _TOKEN.finditer(re.sub(r"#[^\n]*", lambda m: " " * len(m[0]), text)):
        yield match.start(), match.end()
