"""What repairs reckon with: numbers with slopes, what a spec does elsewhere, brackets, and a budget that is held."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archdsl.diagnostics import Edit, Findings
from archdsl.elaborate import elaborate
from archdsl.elaborate.place import Run
from archdsl.layers.learned import Const
from archdsl.repair import trials
from archdsl.repair.candidates import Candidate, pieces_of
from archdsl.repair.duals import Broken, Whole, with_slopes
from archdsl.repair.habits import Habits
from archdsl.repair.layout import unbalanced
from archdsl.repair.values import nodes, slips
from archdsl.syntax import tree
from archdsl.syntax.parser import parse
from archdsl.syntax.source import Source, Span

PLACES = [Span(Source("x y"), 0, 1), Span(Source("x y"), 2, 3)]
LAWS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda x, y: x + 3 * y + 1,
    "difference": lambda x, y: 7 - x - (-y),
    "product": lambda x, y: x * y * 2 * x,
    "quotient": lambda x, y: 1 / x + x / y,
    "power": lambda x, y: x**3 + (x * y) ** 2 + y**0 + y**1,
    "convolution": lambda x, y: (x * y * 9 + y) * 3 + 2 * y,
    "chained": lambda x, y: (1 + x / (y + 2)) ** 2 / (x + 1),
}
NUMBERS = st.floats(0.5, 8)


def file_of(text: str) -> tree.File:
    file = parse(Source(text), Findings())
    assert file is not None
    return file


def dual(value: float, place: Span) -> Any:
    """The number as a spec has it that writes it there."""
    node = tree.Number(place, 1)
    made = with_slopes(node).value
    assert made.slopes == {place: (1.0, 0.0)}
    return made - 1 + value


@pytest.mark.parametrize("name", LAWS)
@given(NUMBERS, NUMBERS)
def test_slopes_are_derivatives(name: str, x: float, y: float) -> None:
    """The first and the second by each number, against differences of the plain values."""
    law = LAWS[name]
    found = law(dual(x, PLACES[0]), dual(y, PLACES[1]))
    assert math.isclose(found, law(x, y))
    for place, at in zip(PLACES, (lambda h: law(x + h, y), lambda h: law(x, y + h))):
        first, second = found.slopes.get(place, (0.0, 0.0))
        h = 1e-3
        near = max(1.0, abs(law(x, y)))
        assert math.isclose(first, (at(h) - at(-h)) / (2 * h), rel_tol=1e-3, abs_tol=1e-3 * near)
        assert math.isclose(second, (at(h) - 2 * at(0) + at(-h)) / h**2, rel_tol=1e-2, abs_tol=1e-2 * near)


@given(st.integers(-99, 99), st.integers(-99, 99))
def test_duals_reckon_as_numbers_do(a: int, b: int) -> None:
    """Whole ones stay whole, on either side of a plain one, and are the same as the plain ones."""
    x, y = dual(a, PLACES[0]), dual(b, PLACES[1])
    assert type(x) is Whole and x == a and int(repr(x)) == a and -x == -a
    for found, plain in ((x + y, a + b), (x - b, a - b), (a * y, a * b)):
        assert type(found) is Whole and found == plain
    assume(b != 0)
    assert x // y == a // b and type(x / y) is Broken and x / y == a / b and x % y == a % b


def test_rounding_keeps_slopes_and_huge_numbers_lose_them() -> None:
    """A width that is rounded still hangs on the number; past what a float holds nothing is known."""
    x = dual(7, PLACES[0])
    for rounded in (math.floor(x / 2), math.ceil(x / 2), round(x / 2)):
        assert type(rounded) is Whole and rounded.slopes == {PLACES[0]: (0.5, 0.0)}
    assert (x * 10**400).slopes == {}
    assert (2**x) == 128 and (2**x).slopes == {}


def test_equal_duals_are_not_one() -> None:
    """A cache would hand one's slopes to another."""
    a, b = dual(3, PLACES[0]), dual(3, PLACES[1])
    assert a == b == 3 and hash(a) != hash(b)


def test_each_number_of_a_file_is_known_by_its_place() -> None:
    """Numbers and the sizes of shapes; fractions and names are as they were."""
    text = "input 3xHx8\nCONV(16, init=normal(0.5))"
    found = list(nodes([with_slopes(file_of(text))]))
    (shape,) = (node for node in found if isinstance(node, tree.ShapeLiteral))
    places = [place.text for size in shape.sizes if isinstance(size, Whole) for place in size.slopes]
    assert places == ["3", "8"] and shape.sizes[1] == "H"
    numbers = [node.value for node in found if isinstance(node, tree.Number)]
    assert [type(value) for value in numbers] == [Whole, float]


def test_a_dual_is_a_number_to_a_layer() -> None:
    """CONST tells its type by its numbers' own."""
    whole, broken = dual(3, PLACES[0]), dual(3, PLACES[0]) / 2
    assert Const([[whole, 1]]).shape().dtype == "int" and Const(whole).shape().dtype == "int"
    assert Const([broken, whole]).shape().dtype == "float" and Const([True]).shape().dtype == "bool"


def test_an_exception_among_slopes_is_none_of_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are tried all the same, and the error is told."""
    asked = []

    def fails(node: Any) -> Any:
        asked.append(node)
        raise TypeError("a dual")

    monkeypatch.setattr(trials, "with_slopes", fails)
    findings = Findings()
    elaborate(Source("input 3x8x8\nCONV(81)\nassert params == 224"), constants={}, inputs={}, findings=findings)
    (error,) = findings.errors
    assert asked and error.code == "E301" and [fix.title for fix in error.fixes] == ["write 8"]


def test_a_habit_is_found() -> None:
    """A width that all other calls have gains by their number; in a list of rows the column counts."""
    text = "n = [(1, 7), (2, 7), (3, 8)]\ninput 3x8x8\nCONV(64, 3) - CONV(64, 3) - CONV(65, 3) - POOL(65)"
    source = Source(text)
    file = parse(source, Findings())
    assert file is not None
    habits = Habits(file.statements)

    def gain(written: str, after: str, start: int = 0) -> int:
        at = text.index(written, start) + written.index("(") + 1 if "(" in written else text.index(written, start)
        length = len(re_number(text[at:]))
        return habits.weighed(Candidate(Edit(Span(source, at, at + length), after), "")).gain

    assert gain("CONV(65", "64") == 2 and gain("CONV(65", "66") == 0 and gain("CONV(64", "65") == 0
    assert gain("POOL(65", "64") == 0
    assert gain("8)]", "7") == 2
    assert gain("3x8", "4") == 0  # an input is no argument


def re_number(text: str) -> str:
    """The digits that a text begins with."""
    return text[: next(i for i, mark in enumerate(text) if not mark.isdigit())]


@given(st.text("()[]{}", max_size=40))
def test_what_is_left_without_the_unbalanced_is_balanced(text: str) -> None:
    """Each bracket that is kept has its partner."""
    pieces = pieces_of(Source(text), 0, len(text))
    odd = {index for found in unbalanced(pieces) for index in found}
    rest = "".join(piece.text for index, piece in enumerate(pieces) if index not in odd)
    while any(pair in rest for pair in ("()", "[]", "{}")):
        rest = rest.replace("()", "").replace("[]", "").replace("{}", "")
    assert rest == ""


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_digit_less_or_more_is_a_slip_both_ways(a: int, b: int) -> None:
    """A number with a digit left out, if the file has the other."""
    text = str(b)
    if a != b and any(str(a) == text[:i] + text[i + 1 :] for i in range(len(text))):
        assert a in slips(b, frozenset((a, b))) and b in slips(a, frozenset((a, b)))


LARGE = {
    "layers": "input 3x8x8\n" + "".join(f"CONV({i % 97 + 1}, {1 + 2 * (i % 3)}) - RELU - RELU\n" for i in range(1_000)),
    "constants": "".join(f"c{i} = 7\n" for i in range(2_000)) + "input 3x8x8\nCONV(8)\n",
    "rows": f"n = [{', '.join(f'({i}, 1)' for i in range(1, 2_000))}]\ninput 3x8x8\nfor a, b in n {{ CONV(a) }}\n",
    "brackets": "input 3x8x8\n" + "[(" * 1_500 + "RELU\n",
    "one step, many copies": "input 3x8x2000\nCONV(1, 1x2, padding=0)*1500\n",
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_text_costs_few_tries(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All elaborations together have a limit, that of the check itself included."""
    steps = []
    plain = trials._cost

    def cost(run: Run, main: tree.File) -> int:
        steps.append(plain(run, main))
        return steps[-1]

    monkeypatch.setattr(trials, "_cost", cost)
    findings = Findings()
    elaborate(Source(LARGE[name] + "assert params == 3"), constants={}, inputs={}, findings=findings)
    assert findings.errors and steps
    assert sum(steps) <= trials.MOST_STEPS + 2 * max(steps)


BLOCK = "input 3x32x32\nblock Unit(filters, kernel = 3, stride = 1) {{ {0} }}\nUnit(8)\n{1}"


@pytest.mark.parametrize(
    ("text", "told", "title"),
    [
        (BLOCK.format("BN - RELU", "Unit(16, 1)\nassert params == 392"), "BN", "write CONV(filters, kernel, stride) "),
        ("input 3x32x32\nconv1: CONV(8) - RELU\nFC(5)\nassert params == 41_197", "RELU", "write BN before RELU"),
        ("input 3x32x32\nCONV(8) - BN - RELU - GAP\nassert params == 277", "GAP", "write FC(5) behind GAP"),
        ("input 3x32x32\nBN - CONV(8)\nassert params == 232", "BN - CONV(8)", "write CONV(8) before BN"),
        (
            BLOCK.replace("stride = 1", "stride = 2").format(
                "CONV(filters, kernel, stride)", "assert output == 8x32x32"
            ),
            "2",
            "write 1",
        ),
    ],
    ids=["unused names", "a norm's weights", "a last layer's weights", "the other side", "what is usual"],
)
def test_what_was_lost_is_told_where_it_stood(text: str, told: str, title: str) -> None:
    """A step, by the names without a use and the weights that are missing; a number by what is usual."""
    findings = Findings()
    elaborate(Source(text), constants={}, inputs={}, findings=findings)
    (error,) = findings.errors
    assert error.span is not None and error.span.text in told and error.fixes[0].title.startswith(title)
