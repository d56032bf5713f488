"""The lines of a forward: variables get names, steps of one line of the spec are folded into one."""

from __future__ import annotations

from collections import Counter

from archdsl.annotations import Any
from archdsl.backends.pytorch.body import Body, Line
from archdsl.backends.pytorch.code import Kid, Outer, Val, change, walk
from archdsl.backends.pytorch.layout import INDENT, WIDTH, block, commented, text
from archdsl.backends.pytorch.parameters import identifier
from archdsl.layers.code import Call, Infix, Name

SHORTEST = 2  # so many layers in a row of a Sequential are gone through in a loop


def reads(code: Any) -> list[int]:
    """The numbers of the tensors that a code reads, one for each time."""
    return [part.number for part in walk(code) if isinstance(part, Val)]


def fold(lines: list[Line], gives: tuple[int, ...]) -> list[Line]:
    """Put a step into the next one where that alone reads it, both stand on one line of the spec, and it fits."""
    uses = Counter([n for line in lines for n in reads(line.code)] + list(gives))
    result: list[Line] = []
    for line in lines:
        last = result[-1] if result else None
        if last is not None and len(last.makes) == 1 and _follows(last, line):
            number = last.makes[0]
            if uses[number] == 1 and reads(line.code).count(number) == 1:
                code = _put(line.code, number, last.code)
                if len(text(change(code, _short))) <= WIDTH - 24:
                    result[-1] = line._replace(code=code)
                    continue
        result.append(line)
    return result


def _put(code: Any, number: int, inner: Any) -> Any:
    """The code with one tensor replaced by what makes it."""
    return change(code, lambda c: inner if isinstance(c, Val) and c.number == number else c)


def _follows(last: Line, line: Line) -> bool:
    """Whether a step stands behind another on one line of the spec, or behind a mere sum; each pass of a loop
    is apart.
    """
    if last.training != line.training:
        return False
    small = isinstance(last.code, Infix) and all(isinstance(part, Val) for part in (last.code.left, last.code.right))
    return small or (last.place[0] == line.place[0] and last.place[1] < line.place[1])


def _short(code: Any) -> Any:
    return Name("xx") if isinstance(code, (Val, Outer)) else code


class Names:
    """Gives each tensor of a body the name of a variable: `x` for what flows, a label's for what is kept."""

    def __init__(
        self, lines: list[Line], gives: tuple[int, ...], body: Body, inputs: list[str], outer: tuple[str, ...]
    ) -> None:
        self.hints = dict(body.hints)
        self.last: dict[int, int] = {n: len(lines) for n in gives}
        for index, line in reversed(list(enumerate(lines))):
            for number in reads(line.code):
                self.last.setdefault(number, index)
        self.uses = Counter([n for line in lines for n in reads(line.code)] + list(gives))
        self.several = gives if len(gives) > 1 else ()  # results with names of their own
        self.names: dict[int, str] = dict(zip(body.takes, inputs))
        self._plain = ["x", "y", "z"]
        self._outer = outer

    def name(self, line: Line, index: int) -> str:
        """The targets of a line."""
        targets: list[str] = []
        for number in line.makes:
            self.names[number] = self._target(number, line, index, targets)
            targets.append(self.names[number])
        return ", ".join(targets)

    def _target(self, number: int, line: Line, index: int, targets: list[str]) -> str:
        if number not in self.last:
            return "_"
        busy = {self.names[n] for n, last in self.last.items() if n in self.names and last > index and n != number}
        busy |= {*targets, *self._outer}
        kept = self.last[number] > index + 1 or number in self.several
        label = self.hints.get(number, "") if kept else ""
        hint = identifier(label) if label and not label.isdigit() else ""
        if not hint.isidentifier() or hint in busy:
            hint = ""
        if hint and (self.uses[number] > 1 or number in self.several):
            return hint
        for n in reads(line.code):
            if self.names[n] not in busy and self.names[n] in self._plain:
                return self.names[n]
        if hint:
            return hint
        for name in self._plain:
            if name not in busy:
                return name
        kids = [part.path[-1] for part in walk(line.code) if isinstance(part, Kid)]
        base = identifier(kids[0]).strip("_") if kids and not kids[0].isdigit() else "x"
        count, name = 2, base
        while name in busy or not name.isidentifier():
            name = f"{base}{count}" if not base[-1:].isdigit() else f"{base}_{count}"
            count += 1
        return name


def write(
    body: Body, lines: list[Line], gives: tuple[int, ...], inputs: list[str], outer: tuple[str, ...],
    training: tuple[int, ...] = (), *, folded: bool = True, named: str = "",
) -> list[str]:  # fmt: skip
    """The lines of a method's body, `return` at their end; `training` are tensors given in training mode besides.

    `named` is the class of what it gives in training then.
    """
    lines = fold(lines, gives + training) if folded and not body.positional else list(lines)
    names = Names(lines, gives + training, body, inputs, outer)
    shown: list[str] = []
    used_list = False
    guarded = False
    index = 0
    while index < len(lines):
        run = _run(lines, index, names.last) if body.positional else 0
        if run >= SHORTEST:
            start = int(lines[index].code.name.path[0])
            source = text(change(lines[index].code.args[0], lambda c: _variable(c, names, outer)))
            for i in range(index, index + run):
                target = names.name(lines[i], i)
            if not used_list:
                shown.append(f"{INDENT * 2}layers = list(self)")
                used_list = True
            if source != target:
                shown.append(f"{INDENT * 2}{target} = {source}")
            end = commented(
                f"{INDENT * 2}for layer in layers[{start or ''}:{start + run}]:", lines[index + run - 1].comment
            )
            shown += [end, f"{INDENT * 3}{target} = layer({target})"]
            index += run
            continue
        line = lines[index]
        indent = 3 if line.training else 2
        if line.training and not guarded:
            shown.append(f"{INDENT * 2}if self.training:")
        guarded = line.training
        code = change(line.code, lambda c: _variable(c, names, outer))
        last = index == len(lines) - 1
        if last and line.makes == gives and not training and not line.training:
            return [*shown, *block("return ", code, "", 2, line.comment)]
        target = names.name(line, index)
        shown += block(f"{target} = ", code, "", indent, line.comment)
        index += 1
    values = [names.names[n] for n in gives]
    if training:
        extra = [names.names[n] for n in training]
        result = f"{named}({', '.join([*values, *extra])})"
        shown += [f"{INDENT * 2}if self.training:", f"{INDENT * 3}return {result}"]
    return [*shown, f"{INDENT * 2}return {', '.join(values)}"]


def _variable(code: Any, names: Names, outer: tuple[str, ...]) -> Any:
    if isinstance(code, Val):
        return Name(names.names[code.number])
    if isinstance(code, Outer):
        return Name(outer[code.number])
    if isinstance(code, Call) and isinstance(code.name, Outer):
        return change(code._replace(name=outer[code.name.number]), lambda c: _variable(c, names, outer))
    return code


def _run(lines: list[Line], index: int, last: dict[int, int]) -> int:
    """How many lines from here on put what arrives through the layers of a Sequential, one after the other."""
    length, position, current = 0, -1, -1
    for i in range(index, len(lines)):
        code = lines[i].code
        plain = (
            isinstance(code, Call) and isinstance(code.name, Kid) and len(code.name.path) == 1
            and len(code.args) == 1 and isinstance(code.args[0], Val) and not code.kwargs and not lines[i].training
        )  # fmt: skip
        if not plain or not code.name.path[0].isdigit():
            break
        here, read = int(code.name.path[0]), code.args[0].number
        if length and (here != position + 1 or read != current or last.get(current, -1) != i):
            break
        position, current = here, lines[i].makes[0]
        length += 1
    return length
