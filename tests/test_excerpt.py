"""Places drawn in the text: which lines are shown, what hangs below what, and what is left out."""

from __future__ import annotations

from archdsl.diagnostics import MOST_PLACES, Diagnostic, Related, render
from archdsl.excerpt import WIDEST, Ansi
from archdsl.syntax.source import Source, Span


def place(source: Source, text: str, after: str = "") -> Span:
    """Where a stretch stands first behind another."""
    start = source.text.index(text, source.text.index(after) if after else 0)
    return Span(source, start, start + len(text))


def shown(span: Span, *others: Related, label: str = "") -> list[str]:
    """The excerpt's lines, without those of the message and the file."""
    return render(Diagnostic("E201", "wrong", span, label, related=others)).split("\n")[3:]


def test_marks_of_one_line() -> None:
    """The rightmost mark has its text beside it, the others below, each under a bar of its own."""
    source = Source("AAA - BB - C")
    others = (Related(place(source, "AAA"), "first"), Related(place(source, "C"), "third"))
    assert shown(place(source, "BB"), *others, label="second") == [
        " 1 | AAA - BB - C",
        "   | ---   ^^   - third",
        "   | |     |",
        "   | |     second",
        "   | first",
    ]


def test_marks_of_one_place() -> None:
    """The texts of one place hang below one bar, and the finding's own mark lies over the others."""
    source = Source("ADD{ A | B }")
    whole = Span(source, 0, len(source.text))
    others = (Related(whole, "one"), Related(whole, "two"), Related(whole, "three"))
    assert shown(place(source, "B"), *others) == [
        " 1 | ADD{ A | B }",
        "   | ---------^-- one",
        "   | |",
        "   | two",
        "   | three",
    ]


def test_lines_between() -> None:
    """A single line between two places is shown, more are dots; numbers stand at one margin."""
    source = Source("\n".join(f"L{n}" for n in range(1, 12)))
    others = (Related(place(source, "L3"), "here"), Related(place(source, "L9"), "there"))
    assert shown(place(source, "L11"), *others) == [
        "  3 | L3",
        "    | -- here",
        "...",
        "  9 | L9",
        "    | -- there",
        " 10 | L10",
        " 11 | L11",
        "    | ^^^",
    ]


def test_other_files() -> None:
    """Places of another file stand below its name."""
    main, other = Source("B(8)", "main.arch"), Source("\nblock B(w) { CONV(w) }", "blocks.arch")
    found = Diagnostic("E201", "wrong", place(other, "CONV"), related=(Related(place(main, "B(8)"), "in B, w = 8"),))
    assert render(found).split("\n")[1:] == [
        " --> blocks.arch:2:14",
        "   |",
        " 2 | block B(w) { CONV(w) }",
        "   |              ^^^^",
        " ::: main.arch:1:1",
        "   |",
        " 1 | B(8)",
        "   | ---- in B, w = 8",
    ]


def test_a_place_of_several_lines() -> None:
    """It is marked to the end of its first line."""
    source = Source("x: [\n  A\n]")
    assert shown(Span(source, 3, len(source.text))) == [" 1 | x: [", "   |    ^"]


def test_long_lines() -> None:
    """A long line is cut around its first mark; a place outside of what is shown is marked at the edge."""
    source = Source(" - ".join(f"L{n}" for n in range(1000)))
    lines = shown(place(source, "L500"), Related(place(source, "L900"), "far"), label="here")
    assert len(lines[0]) <= WIDEST + len(" 1 | ")
    at = lines[0].index("L500")
    assert lines[1][at : at + 4] == "^^^^" and lines[1].endswith("- far") and lines[-1].endswith("here")


def test_many_places() -> None:
    """Those further out are counted."""
    source = Source("\n".join("AB"))
    others = [Related(place(source, "B"), f"number {n}") for n in range(MOST_PLACES + 3)]
    assert shown(place(source, "A"), *others)[-1] == "   = and 3 places more around it"


def test_colours() -> None:
    """The finding's own mark has its colour, the others that of the margin."""
    source = Source("A B")
    found = Diagnostic("W401", "wrong", place(source, "B"), related=(Related(place(source, "A"), "first"),))
    lines = render(found, Ansi()).split("\n")
    assert "\x1b[34m-\x1b[0m \x1b[1;33m^\x1b[0m" in lines[4]
    assert "\x1b[34m|\x1b[0m" in lines[5]
