"""How the functions of the language are called: the help of a call that gives them too much or too little."""

from __future__ import annotations

from archdsl.layers.initialization import MAKERS

_ARGUMENTS = {
    "min": "a, b, …",
    "max": "a, b, …",
    "abs": "number",
    "sum": "values",
    "len": "values",
    "round": "number, digits",
    "floor": "number",
    "ceil": "number",
    "sqrt": "number",
    "log2": "number",
    "range": "start, stop, step",
    "reversed": "values",
    "zip": "values, values, …",
    "enumerate": "values, start",
    "linspace": "first, last, count",
    "divisible": "number, divisor",
}


def signature(word: str) -> str:
    """A call with all arguments by their names."""
    if word in _ARGUMENTS:
        return f"it is {word}({_ARGUMENTS[word]})"
    code = MAKERS[word].__code__
    return f"it is {word}({', '.join(code.co_varnames[: code.co_argcount])})"
