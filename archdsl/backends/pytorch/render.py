"""From the layers' inert data to Python source: the one place where code is put into text."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.layers.code import Batch, Call, Code, Infix, Item, Itself, Method, Name, Span, X


def render(code: Code, inputs: Sequence[str] = ("x",), itself: str = "self") -> str:
    """The Python expression: `inputs` are the expressions of the layer's inputs, `itself` that of its child."""

    def text(value: Code) -> str:
        return render(value, inputs, itself)

    def arguments(args: Sequence[Code], kwargs: Sequence[tuple[str, Code]]) -> str:
        return ", ".join([*map(text, args), *(f"{name}={text(value)}" for name, value in kwargs)])

    if isinstance(code, X):
        return inputs[code.index]
    if isinstance(code, Itself):
        return itself
    if isinstance(code, Name):
        return code.name
    if isinstance(code, Call):
        name = code.name if isinstance(code.name, str) else itself
        return f"{name}({arguments(code.args, code.kwargs)})"
    if isinstance(code, Method):
        return f"{_operand(code.value, text)}.{code.name}({arguments(code.args, code.kwargs)})"
    if isinstance(code, Infix):
        return f"{_operand(code.left, text)} {code.operator} {_operand(code.right, text)}"
    if isinstance(code, Item):
        index = code.index
        shown = ", ".join(map(text, index)) if isinstance(index, tuple) and _is_tuple(index) and index else text(index)
        return f"{_operand(code.value, text)}[{shown}]"
    if isinstance(code, Span):
        ends = [text(end) if end is not None else "" for end in (code.start, code.stop)]
        return ":".join(ends) + (f":{text(code.step)}" if code.step is not None else "")
    if isinstance(code, Batch):
        return f"{text(code.value)}.shape[0]"
    if isinstance(code, list):
        return "[" + ", ".join(map(text, code)) + "]"
    if isinstance(code, tuple):
        return "(" + ", ".join(map(text, code)) + ("," if len(code) == 1 else "") + ")"
    if isinstance(code, float) and code in (float("inf"), float("-inf")):
        return f'float("{code}")'
    return _quoted(code) if isinstance(code, str) else repr(code)


def _quoted(text: str) -> str:
    """The text in double quotes, where it holds none itself."""
    shown = repr(text)
    return shown if '"' in text or shown[0] == '"' or "\\'" in shown else f'"{shown[1:-1]}"'


def _is_tuple(code: Code) -> bool:
    return isinstance(code, tuple) and not hasattr(code, "_fields")


def _operand(code: Code, text: object) -> str:
    shown: str = text(code)  # type: ignore[operator]  # the closure of render
    negative = isinstance(code, (int, float)) and not isinstance(code, bool) and code < 0
    return f"({shown})" if isinstance(code, Infix) or negative else shown
