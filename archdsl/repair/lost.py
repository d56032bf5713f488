"""A step that was lost, told by what it leaves behind: a name or a block that nothing uses, weights that are missing.

A parameter that its block does not use was an argument of what is missing: of a convolution by the names of its
arguments, of a block that has a parameter of that name. Where an assertion counts the weights, those of a BN or of a
last layer are reckoned for each place without a trial.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from archdsl.analyses.uses import uses
from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.elaborate.arguments import kinds
from archdsl.graph import Network
from archdsl.layers.registry import layer_class
from archdsl.repair.candidates import Candidate, short
from archdsl.repair.gaps import Gap, bare, bound, gaps, head, unused, used_names
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Source, Span
from archdsl.tensor import TensorType, product

EXACT = -2  # the rank of what is reckoned to give what an assertion wants
_MOST = 300  # candidates
_MOST_GAPS = 400  # places for a step
_MOST_BINDERS = 60  # blocks, loops and comprehensions of which the names that nothing uses are looked for
_MAPS = frozenset(("CONV", "LINEAR", "FC", "UPCONV"))
_ACTS = ("act", "activation")
_COUNTS = ("depth", "i", "j", "n")  # names that no width has
_NO_WEIGHTS = frozenset(("SOFTMAX", "SIGMOID", "DROPOUT"))


def left_behind(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Steps made of names and blocks that nothing uses, where these could be used; the usual order first."""
    statements = list(statements)
    blocks = {s.name.id: s for s in statements if isinstance(s, tree.Block)}
    words = Counter(w for s in statements if not isinstance(s, tree.Model) for w in re.findall(r"\w+", s.span.text))
    lonely = [block for block in blocks.values() if words[block.name.id] == 1]
    loose = [s.name.id for s in statements if isinstance(s, tree.Constant) and words[s.name.id] == 1]
    widths = _first_numbers(statements, blocks)
    inside = {block.name.id: used_names([block.body]) for block in lonely}
    left: dict[Span, list[str]] = {}  # by the place of a block or loop
    many = 0
    for gap in islice(gaps(statements), _MOST_GAPS):
        owner = gap.around[0] if gap.around and isinstance(gap.around[0], tree.Block) else None
        for binder in gap.around:
            if binder.span not in left:
                left[binder.span] = unused(binder)
        free = [name for binder in gap.around for name in left[binder.span]]
        names = [name for binder in gap.around for name in bound(binder)]
        made: dict[str, int] = {}
        if free:
            for text in _layers(free, names):
                made.setdefault(text, 0)
                if gap.before is gap.after is None:
                    act = next((name for name in free if name in _ACTS), "RELU")
                    made.setdefault(f"{text} - BN - {act}", 0)
            for block in blocks.values():
                if block is not owner:
                    for text in _calls(block, free, names, []):
                        made.setdefault(text, 0)
                    for number in widths.get(block.name.id, ()):
                        made.setdefault(f"{block.name.id}({free[0]}, {number})", 0)
        for block in lonely:
            if block is not owner and (owner is None or owner.name.id not in inside[block.name.id]):
                for constants in (loose, []) if loose else ([],):
                    for text in _calls(block, free, names, constants, alone=True):
                        made.setdefault(text, 0)
        for text in made:
            many += 1
            if many > _MOST:
                return
            title = f"write {text} here" if gap.after is None else f"write {text} before {short(gap.after.span.text)}"
            score = fitting(gap, text)
            yield Candidate(gap.filled(text), title, rank=-1 if score > 2 else 0, gain=score)


def arguments_left(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Names that nothing uses as an argument more of a call where they hold, first where it has none."""
    binders = [node for node in nodes(statements) if isinstance(node, (tree.Block, tree.Loop, tree.Comprehension))]
    for binder in binders[:_MOST_BINDERS]:
        free = [name for name in unused(binder) if name not in ("i", "j")]
        for call in (node for node in nodes([binder]) if isinstance(node, tree.Call)) if free else ():
            end = call.arguments[-1].span.end if call.arguments else call.span.end - 1
            at = Span(call.span.source, end, end)
            for name in (name for name in free if not call.arguments or name not in _COUNTS):
                text = f", {name}" if call.arguments else name
                rank = 1 if call.arguments else -1
                yield Candidate(Edit(at, text), f"write {name} in {call.name.id}", rank=rank)


def _layers(free: list[str], names: list[str]) -> Iterator[str]:
    """Layers that take names which nothing uses."""
    known = kinds(layer_class("CONV"))
    for name in free:
        if name in (*_ACTS, "norm"):
            yield name
    wide = [name for name in free if name == "filters" or name not in known]
    wide = [name for name in wide if name not in (*_ACTS, *_COUNTS, "norm")]
    rest = [name for name in free if name in ("stride", "groups", "dilation", "padding")]
    if not wide and not rest and "kernel" not in free:
        return
    firsts = wide[:2] or [*(name for name in names if name not in known or name == "filters"), "in.channels"][:4]
    for first in firsts:
        if not rest and "kernel" not in free:
            yield from (f"CONV({first})", f"CONV({first}, 1)", f"FC({first})", f"LINEAR({first})")
            continue
        for kernel in ("kernel",) if "kernel" in free else ("3", "1"):
            given = [first, kernel, *(["stride"] if "stride" in rest else [])]
            named = [f"{name}={name}" for name in rest if name != "stride"]
            yield f"CONV({', '.join([*given, *named])})"
            if "groups" not in rest:
                yield f"CONV({', '.join([*given, *named, f'groups={first}'])})"


def _first_numbers(statements: list[Any], blocks: dict[str, tree.Block]) -> dict[str, list[str]]:
    """The numbers that calls have behind a width, of blocks that need two arguments; the usual ones first."""
    found: dict[str, Counter[str]] = {}
    for call in nodes(statements):
        block = blocks.get(call.name.id) if isinstance(call, tree.Call) else None
        if block is not None and len(call.arguments) > 1 and isinstance(call.arguments[1].value, tree.Number):
            if [p.default is None for p in block.parameters].count(True) == 2:
                found.setdefault(call.name.id, Counter())[call.arguments[1].span.text] += 1
    return {name: [text for text, _ in often.most_common(2)] for name, often in found.items()}


def _calls(
    block: tree.Block, free: list[str], names: list[str], loose: list[str], *, alone: bool = False
) -> Iterator[str]:
    """Calls of a block with names that nothing uses, or with those that its parameters have.

    `loose` are constants that come before such names, `alone` says that nothing else calls the block.
    """
    spare = [name for name in free if name not in (*bound(block), *_COUNTS)]
    constants = list(loose)
    given: list[str] = []
    used = skipped = False
    for parameter in block.parameters:
        name = parameter.name
        if name in names and (parameter.default is None or name in free):
            given.append(f"{name}={name}" if skipped else name)
            used |= name in free
        elif parameter.default is not None:
            skipped = True
        elif constants or spare:
            given.append(constants.pop(0) if constants else spare.pop(0))
            used = True
        else:
            return
    if not used and not alone:
        return
    text = f"{block.name.id}({', '.join(given)})" if given else block.name.id
    for name in free:
        if name in (*spare, *_COUNTS) and name not in ("i", "j"):
            yield f"{text}*{name}"
    yield text
    for ratio in (4, 16):  # of an excitation, by which its first layer is narrower
        if re.match("squeez|reduc", block.parameters[0].name if block.parameters else ""):
            yield f"{block.name.id}({', '.join([f'{given[0]}//{ratio}', *given[1:]])})"


def fitting(gap: Gap, text: str) -> int:
    """How usual it is, 0 to 5, that such a step stands between what stands there."""
    name = re.match(r"\w+", text)
    word = name[0] if name else ""
    before, after = head(gap.before), head(gap.after)
    apart = before == after != ""  # two that are alike, of which one would not follow the other
    if word in _MAPS:
        return 2 * (after in ("BN", "RELU", "LN")) + (after == "BN") + (before not in (*_MAPS, "BN")) + apart
    if word in (*_ACTS, "norm"):
        return 4 if before in ("BN", "CONV", "LINEAR") else 0
    return 3 if word in (before, after) else 2


def reckoned(statements: Iterable[Any], network: Network, missing: float) -> Iterator[Candidate]:
    """A BN more, a last layer more, or a BN on the other side of its convolution, of just as many weights as wanted."""
    statements = list(statements)
    made: dict[tuple[Source, int], list[tuple[TensorType, TensorType, int, int]]] = {}
    for use in uses(network):
        if use.apply.inputs and not use.shared:
            apply = use.apply
            bias = int(getattr(apply.layer, "bias", False) is True and "bias" not in apply.given)
            place = apply.span.source, apply.span.start
            made.setdefault(place, []).append((apply.types[0], apply.output.type, use.times, bias))
    norms = Counter(node.span.text for node in _steps(statements) if head(node) == "BN")
    norm = norms.most_common(1)[0][0] if norms else "BN"
    for gap in gaps(statements):
        before, after = bare(gap.before), bare(gap.after)
        behind = made.get((before.span.source, before.span.start)) if before is not None else None
        ahead = made.get((after.span.source, after.span.start)) if after is not None else None
        if behind:
            more = sum(times * _channels(out) * (2 - bias) for _, out, times, bias in behind)
        elif ahead:
            more = sum(times * _channels(arriving) * 2 for arriving, _, times, _ in ahead)
        else:
            continue
        if more == missing and "BN" not in (head(before), head(after)):
            yield Candidate(gap.filled(norm), f"write {norm} {_where(gap)}", rank=EXACT)
        if behind and ahead and gap.before is not None and gap.after is not None:
            yield from _other_side(gap, behind, ahead, missing)
        if behind and _last(gap, statements):
            width, rest = divmod(missing, sum(times for _, _, times, _ in behind) * (product(behind[0][1].shape) + 1))
            if not rest and 0 < width < 100_000 and len({out.shape for _, out, _, _ in behind}) == 1:
                yield Candidate(gap.filled(f"FC({int(width)})"), f"write FC({int(width)}) {_where(gap)}", rank=EXACT)


def _other_side(gap: Gap, behind: list[Any], ahead: list[Any], missing: float) -> Iterator[Candidate]:
    """Two steps the other way round, of which one is a BN and the other one changes the channels."""
    if head(gap.before) == "BN" and head(gap.after) in _MAPS:
        more = sum(times * ((2 - bias) * _channels(out) - 2 * _channels(x)) for x, out, times, bias in ahead)
    elif head(gap.before) in _MAPS and head(gap.after) == "BN":
        more = sum(times * 2 * (_channels(x) - _channels(out)) for x, out, times, _ in behind)
    else:
        return
    if more == missing:
        a, b = gap.before.span, gap.after.span
        between = a.source.text[a.end : b.start]
        edit = gap.filled("")._replace(span=Span(a.source, a.start, b.end), text=f"{b.text}{between}{a.text}")
        yield Candidate(edit, f"write {short(b.text)} before {short(a.text)}", rank=EXACT)


def _steps(statements: list[Any]) -> Iterator[Any]:
    for gap in gaps(statements):
        if gap.after is not None:
            yield bare(gap.after)


def _channels(type: TensorType) -> int:
    return int(type.shape[0]) if type.shape else 0


def _last(gap: Gap, statements: list[Any]) -> bool:
    """Whether nothing with weights follows in the file."""
    if gap.around or (gap.after is not None and head(gap.after) not in _NO_WEIGHTS):
        return False
    chains = [s for s in statements if isinstance(s, tree.Chain)]
    return bool(chains) and gap.at.start >= chains[-1].span.start


def _where(gap: Gap) -> str:
    if gap.after is None:
        return f"behind {short(gap.before.span.text)}"
    return f"before {short(gap.after.span.text)}"
