"""Code as lines of Python, broken as a person would break them."""

from __future__ import annotations

from archdsl.annotations import Any
from archdsl.backends.pytorch.code import Attribute, Chain, Item, Kid, Linear, Star, change
from archdsl.backends.pytorch.render import render
from archdsl.backends.pytorch.runs import Progression, compress
from archdsl.backends.pytorch.tables import broken
from archdsl.layers.code import Call, Infix, Method, Name

WIDTH = 100
INDENT = "    "


def text(code: Any) -> str:
    """The code on one line."""
    return render(change(code, _plain))


def _plain(code: Any) -> Any:
    if isinstance(code, Chain):
        return Name(f"nn.Sequential({', '.join(line for line, _ in _arguments(code))})")
    if isinstance(code, Linear):
        return Name(linear(code))
    if isinstance(code, Kid):
        return Name(child(code.path))
    if isinstance(code, Call) and isinstance(code.name, Kid):
        return change(code._replace(name=child(code.name.path)), _plain)
    return code


def linear(code: Linear) -> str:
    """`64 + 32 * i`."""
    if not code.slope:
        return str(code.base)
    product = "i" if code.slope == 1 else f"{code.slope} * i"
    return f"{code.base} + {product}" if code.base else product


def child(path: tuple[str, ...], start: str = "self") -> str:
    """`self.layer1[0].conv1`."""
    for name in path:
        start = (
            f"{start}[{name}]"
            if name.isdigit() and not isinstance(name, Attribute)
            else f"{start}.{name}"
            if name.isidentifier()
            else f"getattr({start}, {text(str(name))})"
        )
    return start


def _arguments(chain: Chain) -> list[tuple[str, str]]:
    """The arguments of nn.Sequential, each with its comment."""
    items = compress(chain.items, chain.named)
    if chain.named:
        return [("OrderedDict(" + ", ".join(entry for entry, _ in _entries(items)) + ")", "")]
    return [_item(item) for item in items]


def _item(item: Any) -> tuple[str, str]:
    if isinstance(item, Progression):
        variable = "i" if _varies(item.code) else "_"
        return f"*({text(item.code)} for {variable} in range({item.times}))", ""
    if isinstance(item, Star):
        return _star(item), ""
    if item.condition is not None:
        return f"*([{text(item.code)}] if {text(item.condition)} else [])", item.comment
    return text(item.code), item.comment


def _varies(code: Any) -> bool:
    from archdsl.backends.pytorch.code import walk

    return any(isinstance(part, Linear) and part.slope for part in walk(code))


def _star(star: Star) -> str:
    inner = [text(i.code) if isinstance(i, Item) else _star(i) for i in star.items]
    count = text(star.times)
    if len(inner) == 1 and isinstance(star.items[0], Item):
        return f"*({inner[0]} for _ in range({count}))"
    return f"*(layer for _ in range({count}) for layer in ({', '.join(inner)}{',' * (len(inner) == 1)}))"


def _entries(items: list[Any]) -> list[tuple[str, str]]:
    """The entries of an OrderedDict, as arguments of its constructor."""
    if len(items) == 1 and isinstance(items[0], Progression):
        return [(_pairs(items[0]), "")]
    entries = []
    for item in items:
        if isinstance(item, Progression):
            entries.append((f"*({_pairs(item)})", ""))
        else:
            entries.append((f"({item.name!r}, {text(item.code)})".replace("'", '"', 2), item.comment))
    inner = ", ".join(entry for entry, _ in entries)
    return [(f"[{inner}]", "")]


def _pairs(run: Progression) -> str:
    number = "i" if not run.first else f"i + {run.first}"
    return f'(f"{run.prefix}{{{number}}}", {text(run.code)}) for i in range({run.times})'


def block(head: str, code: Any, tail: str, indent: int, comment: str = "") -> list[str]:
    """`head`, the code and `tail` on one line if it fits, else broken at the arguments."""
    margin = INDENT * indent
    line = f"{margin}{head}{text(code)}{tail}"
    short = not (isinstance(code, Chain) and len(compress(code.items, code.named)) > 2)
    if len(line) <= WIDTH and short:
        return [commented(line, comment)]
    if isinstance(code, Chain):
        return _sequential(head, code, tail, indent)
    if isinstance(code, Call) and (code.args or code.kwargs):
        name = text(Name(code.name)) if isinstance(code.name, str) else text(code.name)
        lines = [f"{margin}{head}{name}("]
        inside = f"{margin}{INDENT}{', '.join([*map(text, code.args), *(f'{k}={text(v)}' for k, v in code.kwargs)])}"
        if len(inside) <= WIDTH:
            return [*lines, inside, commented(f"{margin}){tail}", comment)]
        for arg in code.args:
            lines += block("", arg, ",", indent + 1)
        for key, value in code.kwargs:
            lines += block(f"{key}=", value, ",", indent + 1)
        return [*lines, f"{margin}){tail}"]
    if isinstance(code, Name):
        first, *rest = broken(code.name)
        lines = [f"{margin}{head}{first}", *(margin + part for part in rest)]
        return [*lines[:-1], lines[-1] + tail]
    links = _links(code)
    if len(links) > 1:
        shown = [f"{margin}{INDENT}{link}" for link in links]
        return [f"{margin}{head}(", *shown, commented(f"{margin}){tail}", comment)]
    return [commented(line, comment)]


def _links(code: Any) -> list[str]:
    """A chain of methods as the lines of its calls, a chain of operators as those of its operands."""
    if isinstance(code, Method) and isinstance(code.value, Method):
        return [*_links(code.value), text(code._replace(value=Name("")))]
    if isinstance(code, Infix):
        return [text(code.left), f"{code.operator} {text(Infix('', Name(''), code.right)).strip()}"]
    return [text(code)]


def commented(line: str, comment: str) -> str:
    """A line with a comment behind, if there is one."""
    return f"{line}  # {comment}" if comment else line


def _sequential(head: str, chain: Chain, tail: str, indent: int) -> list[str]:
    margin = INDENT * indent
    if not chain.named:
        return [f"{margin}{head}nn.Sequential(", *items(chain, indent + 1), f"{margin}){tail}"]
    entries = compress(chain.items, True)
    if len(entries) == 1 and isinstance(entries[0], Progression):
        inner = f"{margin}{INDENT}OrderedDict({_pairs(entries[0])})"
        if len(inner) > WIDTH:
            pair, loop = _pairs(entries[0]).rsplit(" for i in ", 1)
            deep = margin + INDENT * 2
            return [
                f"{margin}{head}nn.Sequential(", f"{margin}{INDENT}OrderedDict(", f"{deep}{pair}",
                f"{deep}for i in {loop}", f"{margin}{INDENT})", f"{margin}){tail}",
            ]  # fmt: skip
        return [f"{margin}{head}nn.Sequential(", inner, f"{margin}){tail}"]
    lines = [f"{margin}{head}nn.Sequential(", f"{margin}{INDENT}OrderedDict(", f"{margin}{INDENT * 2}["]
    for item in entries:
        if isinstance(item, Progression):
            lines.append(f"{margin}{INDENT * 3}*({_pairs(item)}),")
        else:
            entry = block(f'("{item.name}", ', item.code, "),", indent + 3, item.comment)
            deep = INDENT * (indent + 3)
            broken = [f"{deep}(", f'{deep}{INDENT}"{item.name}",', *block("", item.code, ",", indent + 4), f"{deep}),"]
            lines += entry if len(entry) == 1 else broken
    return [*lines, f"{margin}{INDENT * 2}]", f"{margin}{INDENT})", f"{margin}){tail}"]


def items(chain: Chain, indent: int) -> list[str]:
    """The items of a Sequential by position, one a line."""
    lines = []
    for item in compress(chain.items, False):
        if isinstance(item, Item) and item.condition is None:
            lines += block("", item.code, ",", indent, item.comment)
            continue
        shown, _ = _item(item)
        line = f"{INDENT * indent}{shown},"
        if len(line) > WIDTH and isinstance(item, Star):
            lines += _long_star(item, indent)
        elif len(line) > WIDTH and isinstance(item, Item):
            made, deep = block("", item.code, "", indent + 2), INDENT * (indent + 1)
            lines += [
                f"{INDENT * indent}*(",
                f"{deep}[",
                *made,
                f"{deep}]",
                f"{deep}if {text(item.condition)}",
                f"{deep}else []",
                f"{INDENT * indent}),",
            ]
        elif len(line) > WIDTH:
            deep = INDENT * (indent + 1)
            variable = "i" if _varies(item.code) else "_"
            lines += [
                f"{INDENT * indent}*(",
                *block("", item.code, "", indent + 1),
                f"{deep}for {variable} in range({item.times})",
                f"{INDENT * indent}),",
            ]
        else:
            lines.append(line)
    return lines


def _long_star(star: Star, indent: int) -> list[str]:
    margin, deep = INDENT * indent, INDENT * (indent + 1)
    count = text(star.times)
    if len(star.items) == 1 and isinstance(star.items[0], Item):
        return [
            f"{margin}*(",
            *block("", star.items[0].code, "", indent + 1),
            f"{deep}for _ in range({count})",
            f"{margin}),",
        ]
    inner = []
    for item in star.items:
        inner += block("", item.code, ",", indent + 2) if isinstance(item, Item) else [f"{deep}{INDENT}{_star(item)},"]
    return [
        f"{margin}*(",
        f"{deep}layer",
        f"{deep}for _ in range({count})",
        f"{deep}for layer in (",
        *inner,
        f"{deep})",
        f"{margin}),",
    ]
