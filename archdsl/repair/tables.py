"""Lists of rows and columns: a row with an item too many or too few, a column that would go on evenly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archdsl.annotations import Any
from archdsl.diagnostics import Edit
from archdsl.repair.candidates import Candidate
from archdsl.repair.values import nodes, number_of
from archdsl.syntax import tree

LONGEST = 100  # rows of a list in which a column that goes on evenly is looked for


def series(statements: Iterable[Any]) -> Iterator[Candidate]:
    """Numbers that would make a column of a list of rows go on evenly: 1, 2, 3, 4 or 64, 128, 256."""
    for node in nodes(statements):
        if not isinstance(node, tree.Items) or node.bracket != "[" or not 3 <= len(node.items) <= LONGEST:
            continue
        table = [row.items if isinstance(row, tree.Items) else (row,) for row in node.items]
        for column in zip(*table):
            values = [item.value for item in column if isinstance(item, tree.Number) and isinstance(item.value, int)]
            if len(values) != len(column):
                continue
            for i, item in enumerate(column):
                for m in _even(values, i) - {item.value}:
                    yield number_of(item.span, item.value, m)._replace(rank=0)


def _even(values: list[int], i: int) -> set[int]:
    """What the others want at a place, in steps of one size or one factor."""
    j, k = (1, 2) if i == 0 else (0, 2) if i == 1 else (i - 2, i - 1)
    found = set()
    for added in (True, False):
        a, b = values[j], values[k]
        if added:
            step = (b - a) // (k - j)
            wanted = [a + (n - j) * step for n in range(len(values))]
        else:
            step = round((b / a) ** (1 / (k - j))) if a > 0 and b > a else 0
            wanted = [round(a * step ** (n - j)) for n in range(len(values))] if step > 1 else []
        rest = [n for n in range(len(wanted)) if n != i]
        if wanted and step and all(wanted[n] == values[n] for n in rest):
            found.add(wanted[i])
    return found


def odd_rows(statements: Iterable[Any]) -> Iterator[Candidate]:
    """The one tuple of a list that has not as many items as all others."""
    for node in nodes(statements):
        if not isinstance(node, tree.Items) or len(node.items) < 3:
            continue
        table = [row.items if isinstance(row, tree.Items) and row.bracket == "(" else () for row in node.items]
        many = Counter(map(len, table)).most_common(1)[0][0]
        odd = [i for i, row in enumerate(table) if len(row) != many]
        if len(odd) != 1 or many < 2 or not table[odd[0]]:
            continue
        row = [item.span.text for item in table[odd[0]]]
        beside = [item.span.text for item in table[odd[0] - 1 if odd[0] else 1]]
        for i in range(max(len(row), many)):
            changed = [*row[:i], *beside[i : i + 1], *row[i:]] if len(row) < many else [*row[:i], *row[i + 1 :]]
            text = f"({', '.join(changed)})"
            yield Candidate(Edit(node.items[odd[0]].span, text), f"the other rows have {many} items", guess=True)


def odd_kinds(statements: Iterable[Any]) -> Iterator[Candidate]:
    """The one value of a column, or of a plain list, that is of another kind than all others."""
    for node in nodes(statements):
        if not isinstance(node, tree.Items) or node.bracket != "[" or not 3 <= len(node.items) <= LONGEST:
            continue
        table = [row.items if isinstance(row, tree.Items) else (row,) for row in node.items]
        for column in zip(*table):
            kinds = [_kind(item) for item in column]
            (usual, often), *others = Counter(kinds).most_common(2)
            if usual == "" or often != len(column) - 1 or not others or others[0][0] == "":
                continue
            odd = kinds.index(others[0][0])
            beside = column[odd - 1 if odd else 1].span.text
            title = f"the others of this column are {usual}, as {beside} is"
            yield Candidate(Edit(column[odd].span, beside), title, guess=True, rank=-1)


def _kind(item: Any) -> str:
    """What kind of value is written, "" for what has to be worked out."""
    if isinstance(item, tree.Number):
        return "whole numbers" if isinstance(item.value, int) else "numbers with a fraction"
    if isinstance(item, tree.Name) and item.id in ("true", "false"):
        return "true or false"
    return {tree.Text: "texts", tree.Items: "lists"}.get(type(item), "")


def rows(statements: Iterable[Any], wanted: int) -> Iterator[Candidate]:
    """Tuples in a list that have not as many items as wanted, with one less or one more."""
    for node in nodes(statements):
        if not isinstance(node, tree.Items) or node.bracket != "[":
            continue
        lengths = {len(row.items) for row in node.items if isinstance(row, tree.Items) and row.bracket == "("}
        if len(lengths) == 1 and len(node.items) > 2 and wanted not in lengths and _among_rows(node):
            continue  # all rows are alike: what goes through them is at fault
        for row in node.items:
            items = row.items if isinstance(row, tree.Items) and row.bracket == "(" else (row,)
            if len(items) == wanted or (len(items) == 1 and wanted != len(items) and not _among_rows(node)):
                continue
            inner = [item.span.text for item in items]
            less, more = inner[: wanted - 1] + inner[-1:], inner + inner[-1:] * (wanted - len(inner))
            text = f"({', '.join(less if len(inner) > wanted else more)})"
            whole = row.span
            yield Candidate(Edit(whole, text), f"a row has {wanted} items", guess=True)


def _among_rows(node: tree.Items) -> bool:
    return any(isinstance(item, tree.Items) and item.bracket == "(" for item in node.items)
