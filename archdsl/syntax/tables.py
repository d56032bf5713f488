"""The parser's tables: made from the grammar by Lark when the package is built, loaded when it runs.

Making them takes some 170 ms, loading them 5. They are kept as a Python module, so that loading is an import
and never an unpickling; where they are missing or of another grammar they are made in memory.
"""

from __future__ import annotations

import hashlib
import os
import pprint
from importlib import import_module
from typing import Any

GRAMMAR = "arch.lark"
STARTS = ["file", "expr"]


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


def fingerprint(grammar: str) -> str:
    """What tells whether tables belong to a grammar and to this Lark."""
    import lark

    return hashlib.sha256(f"{lark.__version__}\n{grammar}".encode()).hexdigest()


def make(grammar: str) -> Any:
    """A Lark made from the grammar's text; it serves to make tables, and for parsing where there are none."""
    from lark import Lark

    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=STARTS,
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


def source_of_tables(grammar: str) -> str:
    """The text of the module `archdsl/syntax/_tables.py`."""
    shown = pprint.pformat(_serialized(grammar), width=2000, compact=True, sort_dicts=False)
    return (
        '"""The parser\'s tables. Made from grammars/arch.lark by archdsl/syntax/tables.py when the package is built."""\n\n'
        f'FINGERPRINT = "{fingerprint(grammar)}"\nTABLES = {shown}\n'
    )


def load(transformer: object, postlex: object) -> Any:
    """A Lark with the transformer and postlex given: from the tables, or made anew where they do not fit the grammar."""
    from lark import Lark

    grammar = grammar_text()
    try:
        module = import_module("archdsl.syntax._tables")
        found = module.FINGERPRINT == fingerprint(grammar)
    except ImportError:
        found = False
    tables = module.TABLES if found else _serialized(grammar)
    # What Lark's own standalone parsers call; Lark's version is pinned, and its Lark.load takes no transformer.
    return Lark._load_from_dict(tables["data"], tables["memo"], transformer=transformer, postlex=postlex)


def _serialized(grammar: str) -> dict[str, Any]:
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = make(grammar).memo_serialize([TerminalDef, Rule])
    return {"data": data, "memo": memo}


if __name__ == "__main__":
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_tables.py")
    with open(target, "w", encoding="utf-8") as out:
        out.write(source_of_tables(grammar_text()))
