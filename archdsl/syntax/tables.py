"""The parser's tables: made from the grammar by Lark when the package is built, loaded when it runs.

They are kept as a Python module, so that loading is an import and never an unpickling; where they are missing
or of another grammar, as in a checkout that was not installed, they are made in memory.
"""

from __future__ import annotations

import os
import zlib

from archdsl.annotations import Any
from archdsl.syntax.lexer import END
from archdsl.syntax.machine import Rule, Tables

GRAMMAR = "arch.lark"
STARTS = ["file", "expr"]
FORM = 2  # of the tables: another one makes those on disk void


def grammar_text() -> str:
    """The text of `grammars/arch.lark`, in a checkout and in an installed package alike."""
    here = os.path.dirname(os.path.abspath(__file__))
    package = os.path.dirname(here)
    for folder in (os.path.join(package, "grammars"), os.path.join(os.path.dirname(package), "grammars")):
        path = os.path.join(folder, GRAMMAR)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
    raise FileNotFoundError(f"{GRAMMAR} belongs to the package and is not there; install archdsl anew")


def fingerprint(grammar: str) -> int:
    """What tells whether tables belong to a grammar."""
    return zlib.crc32(grammar.encode(), FORM)


def lark(grammar: str, **options: Any) -> Any:
    """Lark's own parser for the grammar."""
    from lark import Lark

    fixed = {"parser": "lalr", "lexer": "contextual", "keep_all_tokens": True, "maybe_placeholders": False}
    return Lark(grammar, start=STARTS, **fixed, **options)


def make(grammar: str) -> Tables:
    """The tables of a grammar, by Lark; its version is pinned, since this reads what it keeps to itself."""
    from lark.parsers.lalr_analysis import Shift

    made = lark(grammar)
    table = made.parser.parser._parse_table
    rules = list(made.rules)
    numbers = {rule: number for number, rule in enumerate(rules)}
    order = _order(table)
    names = {state: number for number, state in enumerate(order)}

    def actions(state: Any) -> dict[str, int]:
        return {
            END if name == "$END" else name: names[argument] if kind is Shift else -numbers[argument] - 1
            for name, (kind, argument) in sorted(table.states[state].items())
        }

    return Tables(
        tuple((t.name, t.pattern.to_regexp()) for t in sorted(made.terminals, key=_precedence)),
        tuple(made.ignore_tokens),
        tuple(_rule(rule) for rule in rules),
        tuple(actions(state) for state in order),
        {start: names[table.start_states[start]] for start in STARTS},
        {start: names[table.end_states[start]] for start in STARTS},
    )


def _order(table: Any) -> list[Any]:
    """The parser's states in an order that hangs on the grammar alone; Lark's own hangs on the hashes of a process."""
    from lark.parsers.lalr_analysis import Shift

    order = [table.start_states[start] for start in STARTS]
    seen = set(order)
    for state in order:  # it grows while it is gone through
        for name in sorted(table.states[state]):
            kind, argument = table.states[state][name]
            if kind is Shift and argument not in seen:
                seen.add(argument)
                order.append(argument)
    return order


def _precedence(terminal: Any) -> tuple[Any, ...]:
    """Lark's order of terminals: priority, then the longest."""
    return (-terminal.priority, -terminal.pattern.max_width, -len(terminal.pattern.value), terminal.name)


def _rule(rule: Any) -> Rule:
    origin = str(rule.origin.name)
    inline = origin.startswith("_")
    flat = inline or any(not part.is_term and part.name.startswith("_") for part in rule.expansion)
    single = bool(rule.options.expand1) and not rule.alias
    return Rule(origin, len(rule.expansion), str(rule.alias or origin), inline, flat, single)


def source_of_tables(grammar: str) -> str:
    """The text of the module `archdsl/syntax/_tables.py`."""
    import pprint

    tables = make(grammar)._replace(rules=())
    rules = [tuple(rule) for rule in make(grammar).rules]
    return (
        '"""The parser\'s tables. Made from grammars/arch.lark by archdsl/syntax/tables.py at the build."""\n\n'
        "from archdsl.annotations import Any\n\n"
        f"FINGERPRINT = {fingerprint(grammar)}\n"
        f"RULES = {pprint.pformat(rules, width=200, compact=True)}\n"
        f"TABLES: tuple[Any, ...] = {pprint.pformat(tuple(tables), width=2000, compact=True, sort_dicts=False)}\n"
    )


def load() -> Tables:
    """The tables of the grammar: those made when the package was built, or made anew where they do not belong to it."""
    grammar = grammar_text()
    try:
        from archdsl.syntax import _tables  # type: ignore[attr-defined,unused-ignore]  # made when the package is built
    except ImportError:
        return make(grammar)
    if fingerprint(grammar) != _tables.FINGERPRINT:
        return make(grammar)
    return Tables(*_tables.TABLES)._replace(rules=tuple(Rule(*rule) for rule in _tables.RULES))


if __name__ == "__main__":
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_tables.py")
    with open(target, "w", encoding="utf-8") as out:
        out.write(source_of_tables(grammar_text()))
