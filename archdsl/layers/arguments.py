"""The kinds of arguments that layers take: what a value must be, and what is said where it is not."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.annotations import Any
from archdsl.records import NamedTuple, field

Sizes = "int | tuple[int, ...]"

MOST_SHOWN = 200
"""Characters of a value that is told to be wrong."""

FLOAT32 = (2 - 2**-23) * 2.0**127
"""The largest float32. torch refuses a larger number for one, or takes it for infinite."""


class Mismatch(Exception):
    """A value is not of the kind that an argument takes; the message says what is expected and what came."""


class Kind(NamedTuple):
    """A kind of argument: `expects` in words, `convert` raises Mismatch, `words` are bare names that it takes."""

    expects: str
    accepts: Callable[[Any], Any]
    words: tuple[str, ...] = ()

    def convert(self, value: Any) -> Any:
        """The value as the layer's field holds it; raises Mismatch."""
        if self.words and type(value) is not int:
            word = getattr(value, "word", value)  # a function's name, such as floor, where a word is expected
            if isinstance(word, str):
                if word in self.words:
                    return word
                import difflib  # only here: a start without a misspelt word does without it

                near = difflib.get_close_matches(word, self.words, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise Mismatch(f"expects {self.expects}, not {show(value)}{hint}")
        converted = self.accepts(value)
        if converted is None:
            raise Mismatch(f"expects {self.expects}, not {brief(value, MOST_SHOWN)}")
        return converted


def show(value: Any) -> str:
    """A value the way that a spec would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if value is None:
        return "nothing"
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        if len(value) > 1 and all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in value):
            return "x".join(map(str, value))
        return "(" + ", ".join(map(show, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    return str(value)


def brief(value: Any, most: int) -> str:
    """What `show` gives, cut off behind `most` characters, in a time that does not hang on how large the value is."""
    if not isinstance(value, (tuple, list)) or hasattr(value, "_fields") or len(value) <= 8:
        text = show(value)
    elif isinstance(value, tuple):
        text = show(value[: most + 1])
    else:
        text = "["
        for item in value:
            text += brief(item, most) + ", "
            if len(text) > most + 2:
                break
        text = text[:-2] + "]"
    return text if len(text) <= most else text[: most - 1] + "…"


def arg(kind: Kind, default: Any = ...) -> Any:
    """A field of a layer: an argument of this kind, required where no default is given."""
    if default is ...:
        return field(metadata={"kind": kind})
    return field(default=default, metadata={"kind": kind})


def _integer(least: int) -> Callable[[Any], Any]:
    def accepts(value: Any) -> Any:
        if type(value) is not int:
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int):
                return None
        return value if least <= value < 2**63 else None

    return accepts


def _sizes(least: int) -> Callable[[Any], Any]:
    one = _integer(least)

    def accepts(value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            values = tuple(one(v) for v in value)
            return values if 1 <= len(values) <= 3 and None not in values else None
        return one(value)

    return accepts


def _pads(value: Any) -> Any:
    one = _integer(0)
    if not isinstance(value, (tuple, list)):
        return one(value)
    pairs = [tuple(map(one, v)) if isinstance(v, (tuple, list)) else (one(v),) * 2 for v in value]
    return tuple(pairs) if pairs and all(len(p) == 2 and None not in p for p in pairs) else None


def real(value: Any) -> Any:
    """A number that float32 holds, None for what is no number; raises Mismatch for one that is too large."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if abs(value) > FLOAT32:
        raise Mismatch(f"expects a number that float32 holds, up to {FLOAT32:.1e}, not {brief(value, 40)}")
    return value


def _tuple(least: int) -> Callable[[Any], Any]:
    one = _integer(least)

    def accepts(value: Any) -> Any:
        values = tuple(one(v) for v in (value if isinstance(value, (tuple, list)) else (value,)))
        return values if None not in values else None

    return accepts


WIDTH = Kind("a whole number above 0", _integer(1))
COUNT = Kind("a whole number, 0 or more", _integer(0))
INTEGER = Kind("a whole number", _integer(-(2**63)))
SIZES = Kind("a whole number above 0, or one for each axis (3x5)", _sizes(1))
SHIFTS = Kind("a whole number, 0 or more, or one for each axis (0x1)", _sizes(0))
REAL = Kind("a number", real)
RATE = Kind("a number from 0 to 1", lambda v: v if real(v) is not None and 0 <= v <= 1 else None)
FLAG = Kind("true or false", lambda v: v if isinstance(v, bool) else None)
TEXT = Kind('a text in quotes ("…")', lambda v: v if isinstance(v, str) else None)
SHAPE = Kind("a shape such as 3x7x7 or (3, n, n)", _tuple(0))
OFFSETS = Kind("a whole number, or several in parentheses", _tuple(-(2**63)))
PADS = Kind("a whole number, 0 or more, or for each axis one or a pair: ((0, 1), (2, 2))", _pads)
AXES = Kind("an axis, or several in parentheses, counted without the batch", _tuple(-8))
ANYTHING = Kind("a value", lambda v: v)


def word(*words: str) -> Kind:
    """A kind that takes one of the words, written bare or in quotes."""
    return Kind("one of " + ", ".join(words), lambda v: None, words)


def or_word(kind: Kind, *words: str) -> Kind:
    """What the kind takes, or one of the words."""
    return Kind(f"{kind.expects}, or one of {', '.join(words)}", kind.accepts, words)


def per_axis(value: Any, rank: int) -> tuple[int, ...]:
    """One value for each of `rank` axes; raises Mismatch where another number of them was given."""
    if isinstance(value, tuple):
        if len(value) != rank:
            raise Mismatch(f"has {len(value)} sizes for a map of {rank} axes")
        return value
    return (value,) * rank
