"""A step more where the order of the steps or of their labels has a hole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, product

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.layers.registry import LAYERS
from archdsl.repair.candidates import Candidate, short, within
from archdsl.repair.gaps import Gap, bare, gaps, head
from archdsl.repair.lost import fitting
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

_MAPS = frozenset(("CONV", "LINEAR", "FC", "UPCONV"))
_ARGUMENTS = frozenset(("kernel", "stride", "groups", "dilation", "padding", "act", "norm", "init", "expand"))
_MOST_STEMS = 12  # kinds of labels in a definition
_MOST_GAPS = 400  # places in a definition that are looked at
_MOST = 120  # candidates for each definition
_NUMBERED = re.compile(r"(.*?)([0-9]+|(?<![A-Za-z])[a-z])$")


def step_more(statements: Iterable[Any], near: Span | None, told: Iterable[Span] = ()) -> Iterator[Candidate]:
    """A step more in a gap, made of the arguments that such steps have in the same definition.

    A gap is where two stand that are seldom neighbours, or where a label is missing: `conv2` behind `bn1`, `b` without
    `a`; or before a step at one of the places that are `told`. With `near` in the chains of that stretch alone, and of
    the steps of the definition that holds it.
    """
    statements, told = list(statements), list(told)
    every = [node for node in nodes(statements) if isinstance(node, tree.Call)]
    parts: list[list[Any]] = [[s for s in statements if isinstance(s, tree.Chain)]]
    parts += [[s] for s in statements if isinstance(s, tree.Block)]
    for part in parts:
        if near is not None and not any(within(near, s.span) for s in part):
            continue
        found = list(islice(gaps(part), _MOST_GAPS))
        holes = {gap.at for gap in _holes(found)}
        odd = [gap for gap in found if gap.at in holes or _seldom(head(gap.before), head(gap.after))]
        odd = [gap for gap in odd if near is None or within(gap.at, near)]
        before_told = [gap for gap in found if _meant(gap, told)]
        odd += [gap for gap in before_told if gap not in odd]
        if not odd:
            continue
        calls = [node for node in nodes(part) if isinstance(node, tree.Call) and node.name.id[:1].isupper()]
        names = [word for node in nodes(part) for word in _values(node)]
        own = {s.name.id for s in part if isinstance(s, tree.Block)}
        made = dict.fromkeys(
            text for name in ("CONV", "LINEAR", *_blocks(calls, own)) for text in _made(name, calls, every, names)
        )
        for gap in sorted(odd, key=lambda gap: gap.at not in holes):
            before, after = head(gap.before), head(gap.after)
            stem = _stems(part) if gap.before is None and not gap.around and after in ("BN", "RELU") else []
            mapped = after in _MAPS or gap.after is None or gap in before_told
            tails = _tails(part) if mapped or (after not in LAYERS and after not in ("BN", "RELU")) else [""]
            texts = [*stem, *(f"{text}{tail}" for text in made for tail in tails)]
            for text in texts[: _MOST // len(odd)]:
                sure = gap.at in holes or before == after == "RELU" or text in stem
                rank = 0 if sure else 2 if gap in before_told else 1
                yield Candidate(gap.filled(text), f"write {short(text)} here", rank=rank, gain=fitting(gap, text))


def _stems(part: list[Any]) -> list[str]:
    """What networks for images usually begin with."""
    widths = [node.value for node in nodes(part) if isinstance(node, tree.Number) and node.value in (16, 24, 32, 64)]
    first = [*dict.fromkeys([*widths[:1], 64, 32])]
    return [f"CONV({width}, {rest})" for width in first for rest in ("7, stride=2", "3, stride=2", "3")]


def _tails(part: list[Any]) -> list[str]:
    """What follows a convolution or a linear layer until the next one: what most often does, an activation, nothing."""
    found = list(islice(gaps(part), _MOST_GAPS))
    norms = Counter(bare(gap.after).span.text for gap in found if head(gap.before) in _MAPS and head(gap.after) == "BN")
    acts = Counter(bare(gap.after).span.text for gap in found if head(gap.after) == "RELU")
    norm = "".join(f" - {text}" for text, _ in norms.most_common(1))
    act = "".join(f" - {text}" for text, _ in acts.most_common(1))
    return list(dict.fromkeys((norm + act, act, norm, "")))


def _meant(gap: Gap, told: Iterable[Span]) -> bool:
    """Whether one of these places is the step behind a gap, or in it and the gap is in no block."""
    if gap.after is None:
        return False
    at = bare(gap.after).span
    return any(at.start == span.start or (not gap.around and within(span, gap.after.span)) for span in told)


def adapters(statements: Iterable[Any], at: Span) -> Iterator[Candidate]:
    """Steps that change the number of axes, before the one that is at fault and behind the one before it."""
    for gap in gaps(statements):
        if gap.after is not None and within(at, gap.after.span):
            if head(gap.before) == "RESHAPE" and bare(gap.before).span.text == "RESHAPE(-1)":
                start = bare(gap.before).span.end - 3
                at = Span(gap.at.source, start, start)
                yield Candidate(Edit(at, "in.channels, "), "write in.channels before -1")
            texts = ["RESHAPE(in.channels, -1)", "FLATTEN", "PERMUTE(1, 0)", "PERMUTE(1, 2, 0)", "PERMUTE(2, 0, 1)"]
            yield from (Candidate(gap.filled(text), f"write {text} here", rank=1) for text in texts)


def _holes(found: list[Gap]) -> Iterator[Gap]:
    """Gaps in which a label is missing that its neighbours count on, such as conv2 between bn1 and conv3."""
    labels = [_numbered(gap.before) for gap in found if gap.before is not None]
    have: dict[str, set[int]] = {}
    for stem, number in filter(None, labels):
        have.setdefault(stem, set()).add(number)
    for gap in found if len(have) < _MOST_STEMS else ():
        if not gap.after:
            continue
        after, before = _numbered(gap.after), _numbered(gap.before)
        for numbers in have.values():
            lost = set(range(1 if min(numbers) < 4 else min(numbers), max(numbers))) - numbers
            beside = [other for other in have.values() if numbers < other and 1 < len(numbers) == len(other) - 1]
            lost |= set().union(*beside) - numbers
            if len(lost) != 1:
                continue
            (number,) = lost
            if after is not None and after[1] in (number, number + 1) and _behind(before, number):
                yield gap
            elif before is not None and before[1] in (number, number - 1) and after is None:
                yield gap


def holes(statements: Iterable[Any]) -> Iterator[Candidate]:
    """A label that is missing between two steps of the same kind, conv4b between conv4a and conv4c.

    What stood there is not known: one like the next step comes nearer to what is wanted.
    """
    for gap in gaps(statements):
        before, after = _numbered(gap.before), _numbered(gap.after)
        if before is None or after is None or before[0] != after[0] or after[1] != before[1] + 2:
            continue
        if head(gap.before) == head(gap.after) and isinstance(bare(gap.after), tree.Call):
            last = gap.before.label.span.text[len(before[0]) :]
            label = before[0] + (str(before[1] + 1) if last.isdigit() else chr(ord(last) + 1))
            title = f"{label} is missing between {gap.before.label.span.text} and {gap.after.label.span.text}"
            edit = gap.filled(bare(gap.after).span.text)
            yield Candidate(edit, title, guess=True, near=True, rank=-1, place=gap.after.label.span)


def _behind(before: tuple[str, int] | None, number: int) -> bool:
    return before is None or before[1] <= number


def _numbered(step: Any) -> tuple[str, int] | None:
    """The stem and the number of a label: conv2, inception4b, or b alone."""
    if not isinstance(step, tree.Labelled) or not all(isinstance(part, str) for part in step.label.parts):
        return None
    match = _NUMBERED.match("".join(map(str, step.label.parts)))
    if match is None:
        return None
    return match[1], int(match[2]) if match[2].isdigit() else ord(match[2]) - ord("a") + 1


def _seldom(before: str, after: str) -> bool:
    """Whether a convolution or a linear layer may be missing between two steps."""
    if before in _MAPS or after in _MAPS:
        return False
    if before == after == "DROPOUT":
        return True
    if after == "BN" and before not in LAYERS:
        return True  # behind a block, which has a norm of its own
    return after in ("BN", "RELU", "DROPOUT", "PERMUTE") and before in ("", "RELU", "LN", "GAP")


def _blocks(calls: Iterable[tree.Call], own: set[str]) -> list[str]:
    return list(dict.fromkeys(call.name.id for call in calls if call.name.id not in LAYERS and call.name.id not in own))


def _values(node: Any) -> Iterator[str]:
    """The names of values that a definition has."""
    if isinstance(node, (tree.Parameter, tree.Constant)):
        name = node.name if isinstance(node, tree.Parameter) else node.name.id
        if name.islower():
            yield name
    elif isinstance(node, tree.Target) and isinstance(node.names, str):
        yield node.names


def _made(name: str, calls: list[tree.Call], every: list[tree.Call], names: list[str]) -> Iterator[str]:
    """Calls of a layer or block, of each mixture of the first three arguments that its calls have, at most a few."""
    same = [[argument.span.text for argument in call.arguments] for call in calls if call.name.id == name]
    yield from (f"{name}({', '.join(row)})" for row in same if row)
    if name == "CONV":
        yield from (f"{name}({', '.join(names[:many])})" for many in (1, 2, 3) if len(names) >= many)
    if not same and not (name == "CONV" and names):
        return
    columns = [list(dict.fromkeys(row[i] for row in same if len(row) > i)) for i in range(3)]
    wide = [word for word in names if word not in _ARGUMENTS]
    columns[0] = [*columns[0][:3], *(word for word in wide if word not in columns[0])][:5]
    if name == "CONV":
        columns[1] = list(dict.fromkeys([*columns[1][:3], "3", "1"]))
        columns[2] = list(dict.fromkeys([*columns[2][:3], *(word for word in names if word == "stride")]))
    others = [call for call in every if call.name.id == name]
    for i in (1, 2):
        more = (c.arguments[i].span.text for c in others if len(c.arguments) > i)
        columns[i] = list(dict.fromkeys([*columns[i], *(text for text in more if text.isdigit())]))
    known = {argument.span.text for call in every for argument in call.arguments if call.name.id == name}
    for row in product(*(column[:5] for column in columns if column)):
        for many in (len(row), 2, 1):
            yield f"{name}({', '.join(row[:many])})"
            if name == "CONV" and many == 2 and any(text.startswith("groups=") for text in known):
                yield f"{name}({', '.join(row[:many])}, groups={row[0]})"
