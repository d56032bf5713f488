"""Hostile texts: specs and cases of this repository cut and spliced, derivations of the grammar, large texts."""

from __future__ import annotations

import random
import re
import sys
from collections import defaultdict
from pathlib import Path

from fuzz_large import LONGEST, large

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from archdsl.layers.registry import LAYERS  # noqa: E402  # behind the line that finds them
from archdsl.syntax.tables import grammar_text, lark  # noqa: E402
from tests.test_hostile import SEEDS  # noqa: E402

_TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9_.]*[KMG]?|\s+|\*\*|//|->|\.\.|[<>=!]=|.')
_NUMBERS = (
    "0 1 2 3 7 8 16 63 64 255 1000 4096 20000 65536 1000000 2147483647 2147483648 4294967296 4611686018427387904 "
    "9223372036854775807 9223372036854775808 999999999999999999999999 (10**18) (10**100) (2**4000) (-1) (-2) "
    "0.5 1.5 1e18 1e308 1e-320 (0.0) (-0.0) (1/3)"
).split()
_PIECES = [
    *"( ) [ ] { } | - -> , : * ? @ = == != < <= > >= + / // % ** .. . \" \\ # ; ' \0 \u2028 x ~ $ ` ! & é".split(" "),
    *"\u0421 \uff11 e\u0301 \u2212 \ufeff \u200b \xa0 \udc80 \U0001f600".split(" "),  # like others to the eye
    *"in.channels in.shape in.size in.height @input @a share in if for else and or not true false".split(),
    *"range( len( sum( min( linspace( zip( enumerate( reversed( divisible( round( sqrt( log2( floor(".split(),
    *"*N *2 *(10**100) *4000 *20000 [0] [:] .channels a: a{i}: \n \t \r CONCAT{ CHOOSE{ ADD{".split(" "),
    *("for i in 1..3 {", "if true {", "block B(n=1) {", "[i for i in ", "assert ", "use ", "let ", "input "),
]


def corpus() -> list[str]:
    """The specs, the cases and the hostile texts that are kept."""
    files = sorted((ROOT / "specs").rglob("*.arch")) + sorted((ROOT / "tests").rglob("*.arch"))
    return [file.read_text(encoding="utf-8") for file in files] + list(SEEDS.values())


class Texts:
    """An endless draw of texts, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.corpus = corpus()
        self.short = [text for text in self.corpus if len(text) <= 2000]
        self.names = [*LAYERS, *"a b i n x N M H B f classes bottleneck layer1 fc width stride fit floor".split()]
        self.rules: dict[str, list[list[tuple[bool, str]]]] = defaultdict(list)
        for rule in lark(grammar_text()).rules:
            self.rules[rule.origin.name].append([(symbol.is_term, symbol.name) for symbol in rule.expansion])

    def next(self) -> str:
        """A text of at most LONGEST characters."""
        kind = self.draw.random()
        if kind < 0.15:
            text = large(self.draw)
            if self.draw.random() < 0.4:
                text = self.changed(text)
        elif kind < 0.35:
            text = self.derived("file", self.draw.randrange(3, 14))
            text = text if self.draw.random() < 0.3 else f"input {self.shape()}\n{text}"
        else:
            text = self.draw.choice(self.short if kind < 0.9 else self.corpus)
            for _ in range(self.draw.choice((1, 1, 2, 3, 5, 8))):
                text = self.changed(text[:LONGEST])
        if self.draw.random() < 0.05:
            text = self.multiplied(text)
        return text[:LONGEST]

    def shape(self) -> str:
        """An input's."""
        sizes = ("1", "3", "8", "32", "224", "7", "N", "H", "W", "2147483647", "100000")
        return "x".join(self.draw.choice(sizes) for _ in range(self.draw.choice((1, 2, 3, 3, 3, 4, 6))))

    def changed(self, text: str) -> str:
        """The text after one change."""
        draw = self.draw
        parts = _TOKEN.findall(text) or [""]
        at = draw.randrange(len(parts))
        end = min(len(parts), at + int(draw.expovariate(0.15)) + 1)
        kind = draw.randrange(12)
        if kind == 0:  # left out
            del parts[at:end]
        elif kind == 1:  # doubled
            parts[at:at] = parts[at:end]
        elif kind == 2:  # multiplied
            parts[at:end] = parts[at:end] * draw.choice((10, 100, 1000, 20_000))
        elif kind == 3:  # another number, name or text
            same = [i for i, part in enumerate(parts) if part[0:1].isdigit()] or [at]
            parts[draw.choice(same)] = draw.choice(_NUMBERS)
        elif kind == 4:
            same = [i for i, part in enumerate(parts) if part[0:1].isalpha()] or [at]
            parts[draw.choice(same)] = draw.choice(self.names)
        elif kind == 5:
            parts.insert(at, draw.choice(_PIECES))
        elif kind == 6:  # a piece of another text
            other = _TOKEN.findall(draw.choice(self.short)) or [""]
            begin = draw.randrange(len(other))
            parts[at:end] = other[begin : begin + draw.choice((1, 3, 10, 40))]
        elif kind == 7:  # in brackets
            opened, closed = draw.choice(("()", "[]", "{}", ("ADD{", "|}"), ("B(", ")"), ("if true {", "}")))
            depth = draw.choice((1, 1, 2, 30, 1000, 20_000))
            parts[at:end] = [opened * depth, *parts[at:end], closed * depth]
        elif kind == 8:  # repeated by the language
            parts.insert(end, draw.choice(("*2", "*100", "*(10**100)", "*4000", "?", "*n", "*N")))
        elif kind == 9:
            parts.insert(at, self.derived(draw.choice(("step", "expr", "line", "statement")), draw.randrange(2, 9)))
        elif kind == 10:  # lines in another order
            lines = text.split("\n")
            draw.shuffle(lines)
            return "\n".join(lines)
        else:  # any character
            parts[at] = chr(draw.choice((draw.randrange(128), draw.randrange(0x3000), draw.randrange(0xD800))))
        return "".join(parts)

    def multiplied(self, text: str) -> str:
        """One of its lines, or the whole, as often as there is room."""
        line = self.draw.choice([*text.split("\n"), text]) + self.draw.choice(("", "\n", " - ", ", ", " + ", "|"))
        head = text if self.draw.random() < 0.5 else "input 3x8x8\n"
        return head + "\n" + line * (LONGEST // max(1, len(line)))

    def derived(self, rule: str, depth: int) -> str:
        """A random derivation of a rule of the grammar; past the depth the shortest of its productions."""
        out: list[str] = []
        waiting: list[tuple[bool, str, int]] = [(False, rule, depth)]
        while waiting and len(out) < 3000:
            terminal, name, left = waiting.pop()
            if terminal:
                out.append(self.token(name))
                continue
            ways = self.rules[name]
            plain = name.startswith("_")  # of a list: as long as it may get
            way = self.draw.choice(ways if left > 0 or plain else [w for w in ways if len(w) == min(map(len, ways))])
            waiting += [(t, n, left - (len(ways) > 1 and not plain and len(way) > 1)) for t, n in reversed(way)]
        return "".join(out)

    def token(self, name: str) -> str:
        """A text for a terminal of the grammar."""
        draw = self.draw
        if name in _WORDS:
            return _WORDS[name]
        if name == "NUMBER":
            return draw.choice((*"12348160", draw.choice(_NUMBERS).strip("()").replace("**", "")))
        if name in ("NAME", "CALL"):
            own = draw.choice(self.names if draw.random() < 0.8 else "aabbnxiNB")
            return own + "(" * (name == "CALL")
        if name == "SHAPE":
            return self.shape() if draw.random() < 0.5 else "3x3"
        if name == "STRING":
            return draw.choice(('"a"', '"c h w -> (h w) c"', '"../x"', '""', '"parts/blocks.arch"'))
        label = draw.choice(("a", "b", "a{i}", '"b{n}-{i}"', "x", "input", "c"))
        return {"LABEL": label, "REF": "@" + label, "SHARE": "share " + label}.get(name, " ")


_WORDS = {
    "INPUT": "input ", "OUTPUT": "output ", "MODEL": "model ", "LET": "let ", "BLOCK": "block ", "DEFAULT": "default ",
    "USE": "use ", "ASSERT": "assert ", "OF": " of ", "FROM": " from ", "TRAINING": "training", "FOR": "for ",
    "IF": " if ", "ELSE": " else ", "IN": " in ", "AND": " and ", "OR": " or ", "NOT": " not ", "ARROW": " -> ",
    "MINUS": " - ", "PLUS": " + ", "POWER": "**", "STAR": "*", "DOUBLESLASH": "//", "SLASH": "/", "PERCENT": "%",
    "EQEQ": "==", "NOTEQ": "!=", "LESSEQ": "<=", "MOREEQ": ">=", "LESS": "<", "MORE": ">", "EQUAL": " = ",
    "DOTS": "..", "DOT": ".", "COMMA": ", ", "COLON": ": ", "QUESTION": "?", "BAR": " | ", "LPAR": "(", "RPAR": ")",
    "LSQB": "[", "RSQB": "]", "LBRACE": "{ ", "RBRACE": " }", "_NL": "\n",
}  # fmt: skip
