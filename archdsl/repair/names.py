"""A name that nothing defines: its definition may be misspelt, or what stands beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from archdsl import explain
from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.elaborate.arguments import kinds
from archdsl.elaborate.functions import FUNCTIONS
from archdsl.elaborate.mentions import binds, open_names_of
from archdsl.elaborate.suggest import is_slip, near
from archdsl.layers.registry import LAYERS, layer_class
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import nodes
from archdsl.syntax import tree
from archdsl.syntax.source import Span

_COMMENT = re.compile(r"#[^\n]*")
_THRICE = re.compile(r"([a-z])\1\1")  # no word has a letter three times
_LOOPS = (tree.Loop, tree.Comprehension)
_NAME = re.compile(r"[A-Za-z_]\w*")


def definitions(files: Sequence[tree.File], at: Span, name: str) -> Iterator[Candidate]:
    """Definitions of a name that is near to this one, and that nothing uses; of a negative rank where it is no other.

    Whether the slip is there or where the name is used is told by how often it is used, by which of the two is a word,
    and by a loop around it, which takes its values from no name that it binds.
    """
    uses = Counter(word for file in files for word in _NAME.findall(_COMMENT.sub("", file.span.source.text)))
    bound = _bound_around(files, at)
    for file in files:
        for word, span, scope in _scoped(file):
            if word == name or name in bound or near(name, [word]) != word or _used(word, scope, uses):
                continue
            worded = _is_word(name) - _is_word(word)
            often = uses[name] > (1 if worded == 0 else 2)
            sure = word in bound or is_argument(name) or worded > 0 or often
            if sure or (worded == 0 and _likelier(name, word, _parts(uses, name, word))):
                line, column = span.source.position(span.start)
                title = f"write {name} at {line}:{column}, where it is defined"
                yield Candidate(Edit(span, name), title, rank=-1 if sure else 0)


def _bound_around(files: Iterable[tree.File], at: Span) -> set[str]:
    """The names that a loop binds which takes its values at this place."""
    loops = (node for file in files for node in nodes(file.statements) if isinstance(node, _LOOPS))
    return {word for loop in loops if _holds(loop.values.span, at) for word in binds(loop)}


def _scoped(file: tree.File) -> Iterator[tuple[str, Span, Any]]:
    """All names that a file defines, where, and the block, function or loop that they hold in: None for the file."""
    for statement in file.statements:
        for node in nodes([statement]):
            for word, span in _defines(node):
                holds = isinstance(node, tree.Parameter) and isinstance(statement, (tree.Block, tree.Function))
                yield word, span, statement if holds else None


def _used(word: str, scope: Any, uses: Mapping[str, int]) -> bool:
    """Whether anything uses a name: a parameter in its block, where no loop binds it anew, another one anywhere."""
    if scope is None:
        return uses.get(word, 0) != 1
    return word in open_names_of(scope._replace(parameters=()))


def _is_word(name: str) -> bool:
    """Whether a name is made of words that the explanations of the errors have."""
    return all(part in _vocabulary() or part.rstrip("s") in _vocabulary() for part in name.lower().split("_") if part)


@cache
def _vocabulary() -> frozenset[str]:
    texts = [explain.text(code) for code in explain.codes()] + [layer_class(name).__doc__ or "" for name in LAYERS]
    often = Counter(word for text in texts for word in re.findall(r"[a-z]+", text.lower()))
    return frozenset(word for word, times in often.items() if times > 1)  # what stands there once may be a slip


def _parts(uses: Mapping[str, int], *but: str) -> set[str]:
    """The parts of all names but these: `five` of `five_in`."""
    return {part for word in uses if word not in but for part in word.split("_")}


def _likelier(a: str, b: str, known: set[str]) -> bool:
    """Whether a name is made of parts that other names have as well, or of letters that words have, and another not."""

    def strange(name: str) -> int:
        return sum(part not in known for part in name.split("_")) + 9 * bool(_THRICE.search(name))

    return strange(a) < strange(b)


def alike(files: Iterable[tree.File], told: Span) -> Iterator[Candidate]:
    """Names and labels of which the one at fault may be a slip, several as well."""
    stem = re.match(r"(?:@|share[ \t]+)?\"?([A-Za-z_]\w*)", told.text)
    if stem is None:
        return
    known = {word for file in files for node in nodes(file.statements) for word, _ in _defines(node)}
    known |= {str(word) for file in files for node in nodes(file.statements) for word in _stems(node)}
    known |= LAYERS.keys() | FUNCTIONS.keys()
    at = Span(told.source, told.start + stem.start(1), told.start + stem.end(1))
    for word in sorted(known):
        if word != stem[1] and (is_slip(stem[1], word) or near(stem[1], [word]) == word):
            yield Candidate(Edit(at, word), f"did you mean {word}?")


def _stems(node: Any) -> Iterator[Any]:
    """How a label with values in it begins."""
    if isinstance(node, tree.Labelled) and isinstance(node.label.parts[0], str):
        yield node.label.parts[0]


def _defines(node: Any) -> Iterator[tuple[str, Span]]:
    if isinstance(node, (tree.Constant, tree.Function, tree.Block)):
        yield node.name.id, node.name.span
    elif isinstance(node, tree.Parameter):
        yield node.name, Span(node.span.source, node.span.start, node.span.start + len(node.name))
    elif isinstance(node, tree.Target) and isinstance(node.names, str):
        yield node.names, node.span
    elif isinstance(node, tree.Labelled) and all(isinstance(part, str) for part in node.label.parts):
        start = node.label.span.start
        yield str(node.label.parts[0]), Span(node.span.source, start, start + len(str(node.label.parts[0])))
    elif isinstance(node, tree.Input) and node.name:
        start = node.span.source.text.index(node.name, node.span.start + len("input"))
        yield node.name, Span(node.span.source, start, start + len(node.name))


def target_more(statements: Iterable[Any], name: str) -> Iterator[Candidate]:
    """A name more that a loop binds, where what it repeats uses one that nothing defines; "" for any such name."""
    statements = list(statements)
    known = {word for node in nodes(statements) for word, _ in _defines(node)} | of_the_language()
    for node in nodes(statements):
        if not isinstance(node, (tree.Loop, tree.Comprehension)):
            continue
        missing = {name} & open_names_of(node) if name else open_names_of(node) - known
        for word in sorted(missing)[:2]:
            for target in node.targets:
                at = Span(target.span.source, target.span.start, target.span.start)
                yield Candidate(Edit(at, f"{word}, "), f"write {word} among the names of the loop")
            end = node.targets[-1].span.end
            at = Span(node.span.source, end, end)
            yield Candidate(Edit(at, f", {word}"), f"write {word} among the names of the loop")


def label_more(statements: Iterable[Any], at: Span) -> Iterator[Candidate]:
    """A label for a group in a loop, without which the steps of all passes are of one module."""
    for loop in nodes(statements):
        if not isinstance(loop, tree.Loop) or not isinstance(loop.targets[0].names, str):
            continue
        for chain in nodes([loop]):
            for step in chain.steps if isinstance(chain, tree.Chain) else ():
                if isinstance(step, tree.Group) and step.span.text[:1] == "[" and _holds(step.span, at):
                    start = Span(at.source, step.span.start, step.span.start)
                    label = f"group{{{loop.targets[0].names}}}: "
                    yield Candidate(Edit(start, label), f"give the group a label: {label}[…]")


def label_other(statements: Iterable[Any], written: str) -> Iterator[Candidate]:
    """The label that is missing, instead of one that is there twice."""
    name = re.search(r"[A-Za-z_]\w*$", written)
    labelled: dict[str, list[tree.Labelled]] = {}
    for node in nodes(statements):
        if isinstance(node, tree.Labelled):
            labelled.setdefault(node.label.span.text, []).append(node)
    for node in (node for same in labelled.values() if name and len(same) > 1 for node in same):
        at = node.label.span
        if name:
            inside = any(_holds(other.span, at) for other in labelled[at.text] if other is not node)
            title = f"write {name[0]}: {at.text} is a label already"
            yield Candidate(Edit(at, name[0]), title, rank=0 if inside else 1)


def _holds(whole: Span, part: Span) -> bool:
    return whole.source is part.source and whole.start <= part.start and part.end <= whole.end


def is_argument(name: str) -> bool:
    """Whether some layer has an argument of this name."""
    return name in _arguments()


@cache
def _arguments() -> frozenset[str]:
    return frozenset(name for layer in LAYERS for name in kinds(layer_class(layer)))


def of_the_language() -> frozenset[str]:
    """All names that a spec need not define."""
    return frozenset(("true", "false", *LAYERS, *FUNCTIONS)) | _words()


@cache
def _words() -> frozenset[str]:
    """The bare words that arguments take."""
    return frozenset(word for layer in LAYERS for kind in kinds(layer_class(layer)).values() for word in kind.words)
