"""Values that may be a slip of another one: numbers and shapes, the items of a tuple, an operator."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from math import isfinite

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.elaborate.mentions import binds, parts_of
from archdsl.repair.candidates import Candidate
from archdsl.syntax import tree
from archdsl.syntax.source import Span

LAST = 9  # the rank of what is tried when nothing else has helped
LARGEST = 10**15  # of numbers that are reckoned with
SMALL = 12  # a number up to this may be any other small one: a stride, a kernel, a depth
COMMON = frozenset(
    (*range(9), 10, 12, 14, 16, 24, 28, 32, 40, 48, 56, 64, 80, 96, 100, 112, 128, 144, 160, 192, 224, 227,
     240, 256, 288, 299, 320, 384, 416, 448, 480, 512, 576, 640, 672, 768, 800, 960, 1000, 1024, 1280, 1536, 2048,
     3072, 4096)
)  # fmt: skip
"""Sizes, widths and counts that networks have."""


def nodes(statements: Iterable[Any]) -> Iterator[Any]:
    """All parts of statements, in the order of the text."""
    waiting = list(statements)[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += list(parts_of(node))[::-1]


def literals(statements: Iterable[Any]) -> list[tree.Number | tree.ShapeLiteral]:
    """The whole numbers and the shapes of statements.

    Those of assertions are what is wanted, and none of them, nor are constants that an assertion goes by.
    """
    statements = list(statements)
    held = {
        node.id
        for s in statements
        if isinstance(s, tree.Assertion)
        for node in nodes([s])
        if isinstance(node, tree.Name)
    }
    kept = [
        s
        for s in statements
        if not isinstance(s, tree.Assertion) and not (isinstance(s, tree.Constant) and s.name.id in held)
    ]
    found = [node for node in nodes(kept) if isinstance(node, (tree.Number, tree.ShapeLiteral))]
    return [node for node in found if isinstance(node, tree.ShapeLiteral) or isinstance(node.value, int)]


def unwrapped(statements: Iterable[Any], message: str) -> Iterator[Candidate]:
    """Values of another kind than they look like: a number in quotes or brackets, with a fraction, a word for one."""
    for node in nodes(s for s in statements if not isinstance(s, tree.Assertion)):
        text = node.span.text if hasattr(node, "span") else ""
        if isinstance(node, tree.Text):
            if re.fullmatch(r"[0-9]+|[a-z]+", node.value):
                yield Candidate(Edit(node.span, node.value), f"write {node.value} without quotes")
        elif isinstance(node, tree.Items) and len(node.items) == 1 and node.bracket == "[":
            inner = node.items[0].span.text
            yield Candidate(Edit(node.span, inner), f"write {inner} without brackets")
        elif isinstance(node, tree.Number) and isinstance(node.value, float) and "e" not in text:
            for other in dict.fromkeys((text.split(".")[0], str(int(node.value) + 1), text.replace(".", ""))):
                yield Candidate(Edit(node.span, other), f"write {other}")
        elif isinstance(node, tree.Name) and node.id in ("true", "false") and re.search(rf"\b{node.id}\b", message):
            for other in ("1", "3", "64", "0"):
                yield Candidate(Edit(node.span, other), f"a number instead of {node.id}", guess=True, rank=1)
        elif isinstance(node, tree.Number) and node.value in (0, 1) and "true nor false" in message:
            word = "true" if node.value else "false"
            yield Candidate(Edit(node.span, word), f"write {word}", rank=1)
        elif isinstance(node, tree.Unary) and node.operator == "-" and isinstance(node.value, tree.Number):
            inner = node.value.span.text
            yield Candidate(Edit(node.span, inner), f"write {inner}")


def counts(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Counts of copies that are names without a value, or 0."""
    statements = list(statements)
    defined = {node.name.id for node in statements if isinstance(node, tree.Constant)}
    defined |= {name for node in nodes(statements) for name in binds(node)}
    for node in nodes(statements):
        if isinstance(node, tree.Repeated):
            zero = isinstance(node.count, tree.Number) and node.count.value == 0
            if zero or (isinstance(node.count, tree.Name) and node.count.id not in defined):
                for other in range(1, 9):
                    yield Candidate(Edit(node.count.span, str(other)), f"write {other}")


def wanted(statement: Any, failed: Iterable[tuple[Any, Any]]) -> Iterator[Candidate]:
    """What an assertion would have to say to hold."""
    for node in nodes([statement]):
        if not isinstance(node, tree.Comparison) or len(node.operators) != 1:
            continue
        left, right = node.operands
        source, gap = node.span.source, node.span.source.text[left.span.end : right.span.start]
        for found, meant in failed:
            if found == meant and gap.strip() in ("!=", "<", ">"):
                at = Span(source, left.span.end, right.span.start)
                yield Candidate(
                    Edit(at, gap.replace(gap.strip(), "==")), f"write == instead of {gap.strip()}", rank=LAST
                )
            text = ""
            if isinstance(right, tree.Number) and right.value == meant and isinstance(found, int):
                text = f"{found:_}" if "_" in right.span.text or found >= 10_000 else str(found)
            if isinstance(right, tree.ShapeLiteral) and isinstance(found, tuple) and len(found) > 1:
                text = "x".join(map(str, found))
            if text and node.operators == ("==",):
                yield Candidate(Edit(right.span, text), f"write {text} if the network is as it should be", rank=LAST)


def slips(n: int, known: frozenset[int]) -> list[int]:
    """The numbers of which `n` may be a slip, those of the file first: one off, one digit, twice, half."""
    if not 0 <= n <= LARGEST:  # an arm's below 0 is no size
        return []
    text = str(n)
    others = {n + 1, n - 1, 2 * n, n // 2 if n % 2 == 0 else 0}
    near = {int(text[:i] + text[i + 1 :] or 0) for i in range(len(text))}
    near |= {int(text[:i] + text[i + 1] + text[i] + text[i + 2 :]) for i in range(len(text) - 1)}
    near |= {int(f"{text[:i]}{digit}{text[i:]}") for i in range(len(text) + 1) for digit in range(10)}
    near |= {int(f"{text[:i]}{digit}{text[i + 1 :]}") for i in range(len(text)) for digit in range(10)}
    if n <= SMALL:
        others |= set(range(8))
    plausible = {m for m in (others | near) - {n} if m in COMMON or (m in known and not _rounder(n, m))}
    if n <= SMALL:
        return sorted(plausible, key=lambda m: (m > SMALL, abs(m - n) + 2 * (m == 0)))
    return sorted(plausible, key=lambda m: (m not in near, m not in known, abs(m - n)))


def _rounder(n: int, m: int) -> bool:
    """Whether a number is far rounder than another one, and so no slip of it: 8000, and not 8001."""
    return n > SMALL and m > 0 and math.gcd(n, 1000) > 4 * math.gcd(m, 1000)


def known_numbers(found: Iterable[tree.Number | tree.ShapeLiteral]) -> frozenset[int]:
    """The numbers that are written somewhere."""
    result: set[int] = set()
    for node in found:
        if isinstance(node, tree.Number):
            result.update([node.value] if isinstance(node.value, int) else [])
        else:
            result.update(size for size in node.sizes if isinstance(size, int))
    return frozenset(result)


def others(node: tree.Number | tree.ShapeLiteral, known: frozenset[int]) -> Iterator[Candidate]:
    """What a literal may have been meant as."""
    if isinstance(node, tree.Number):
        if isinstance(node.value, float) and not isfinite(node.value):  # 1e400
            return
        for m in slips(int(node.value), known):
            yield number_of(node.span, int(node.value), m)
        return
    numbers = list(re.finditer(r"[0-9]+", node.span.text))
    sizes = [size for size in node.sizes if isinstance(size, int)]
    for match, size in zip(numbers, sizes):
        at = Span(node.span.source, node.span.start + match.start(), node.span.start + match.end())
        for m in slips(size, known):
            if m > 0:
                yield number_of(at, size, m)
    for shape in _shapes(node):
        text = "x".join(map(str, shape))
        yield Candidate(Edit(node.span, text), f"write {text}", rank=1)


def number_of(at: Span, before: int, after: int) -> Candidate:
    odd = before not in COMMON
    rank = 0 if odd else 3 if before > SMALL or after <= SMALL else 4
    return Candidate(Edit(at, str(after)), f"write {after}", rank=rank, number=before, other=after)


def odd_shapes(node: tree.ShapeLiteral) -> Iterator[Candidate]:
    """What an input's shape is a slip of: its channels stand last, or it is nearly square."""
    sizes = node.sizes
    if len(sizes) != 3 or not all(isinstance(size, int) for size in sizes):
        return
    c, h, w = (int(size) for size in sizes)
    if w in (1, 3, 4) and min(c, h) > SMALL:
        yield Candidate(Edit(node.span, f"{w}x{c}x{h}"), f"write {w}x{c}x{h}: the channels stand first")
    elif h != w and _close(h, w):
        for size in sorted((h, w), key=lambda n: (n not in COMMON, n)):
            text = f"{c}x{size}x{size}"
            yield Candidate(Edit(node.span, text), f"write {text}", rank=0 if size in COMMON else 1)


def _close(a: int, b: int) -> bool:
    """Whether one number may be a slip of the other."""
    return abs(a - b) <= 10 or max(a, b) == 2 * min(a, b)


def _shapes(node: tree.ShapeLiteral) -> Iterator[tuple[int | str, ...]]:
    """A shape with its channels at the other end, with an axis less or more, as square as it may be."""
    sizes = node.sizes
    if len(sizes) == 3:
        if sizes[2] in (1, 3, 4):
            yield (sizes[2], *sizes[:2])
        if sizes[1] != sizes[2] and isinstance(sizes[0], int):
            yield (sizes[0], sizes[1], sizes[1])
            yield (sizes[0], sizes[2], sizes[2])
    if len(sizes) == 4:
        yield sizes[1:]
    if len(sizes) == 2:
        yield from ((c, *sizes) for c in (3, 1))


def operators(statements: Iterable[Any], *, fraction: bool = False, truth: bool = False) -> Iterator[Candidate]:
    """Another operator where two values are reckoned with; `fraction`: a value has one that may have none.

    `truth`: one is true or false where a number is expected.
    """
    alike = {"-": ",+*", "+": "-*", "*": "+/", "/": "*", "//": "*", "%": "*", "**": "*"}
    contrary = {"==": "!=", "!=": "==", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
    if fraction:
        alike["/"] = "*/"
    for node in nodes(s for s in statements if not isinstance(s, tree.Assertion)):
        if isinstance(node, tree.Binary) and node.operator in alike:
            source, text = node.span.source, node.span.source.text
            gap = text[node.left.span.end : node.right.span.start]
            if gap.strip() != node.operator:
                continue
            at = Span(source, node.left.span.end, node.right.span.start)
            for other in ("//" if o == "/" else o for o in alike[node.operator]):
                mark = ", " if other == "," else gap.replace(node.operator, other)
                rank = (
                    0 if fraction and node.operator == "/" else 3 if other == "," else 2 if node.operator == "**" else 4
                )
                yield Candidate(Edit(at, mark), f"write {other} instead of {node.operator}", rank=rank)
        elif isinstance(node, tree.Comparison) and len(node.operators) == 1:
            gap = node.span.source.text[node.operands[0].span.end : node.operands[1].span.start]
            at = Span(node.span.source, node.operands[0].span.end, node.operands[1].span.start)
            for other in ("==", "!=", "<", ">", "<=", ">=", *("-" if truth else "")):
                if other != node.operators[0] and gap.strip() == node.operators[0]:
                    mark = gap.replace(node.operators[0], other)
                    rank = 1 if other == "-" else 2 if other == contrary.get(node.operators[0]) else 4
                    yield Candidate(Edit(at, mark), f"write {other} instead of {node.operators[0]}", rank=rank)


def attributes(statements: Iterable[Any], at: Span) -> Iterator[Candidate]:
    """A mark instead of the dot between two values."""
    for node in nodes(statements):
        if isinstance(node, tree.Attribute) and node.span == at:
            dot = Span(at.source, node.value.span.end, at.end - len(node.name))
            if dot.text.strip() == ".":
                for mark in ("*", ", "):
                    yield Candidate(Edit(dot, mark), f"write {mark.strip()} instead of the dot")


def orders(statements: Iterable[Any], at: Span) -> Iterator[Candidate]:
    """Equality where an order is asked of what has none."""
    for node in nodes(statements):
        if isinstance(node, tree.Comparison) and len(node.operators) == 1 and node.span == at:
            gap = Span(at.source, node.operands[0].span.end, node.operands[1].span.start)
            for other in ("==", "!="):
                text = gap.text.replace(node.operators[0], other)
                yield Candidate(Edit(gap, text), f"write {other} instead of {node.operators[0]}")
