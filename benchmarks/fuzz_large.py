"""Large texts: lines of a few kinds, as many as there is room for, each of which costs something."""

from __future__ import annotations

import random
from collections.abc import Callable

LONGEST = 1 << 16  # characters of a text
INPUT = "input 3x8x8"
LINES = {
    INPUT: (
        "RELU|CONV|CONV({i} + 1)|CONV({n}, {w})|CONV(8, {w}, {w}, padding=0)|POOL(3, stride=1, padding=1)|UPSAMPLE({w})"
        "|POOL - UPSAMPLE(2)|a{i}: CONV - BN - RELU|a{i}: [CONV - [RELU]]|(CONV - RELU)*{n}|(CONV({w}))*N|CONV?"
        "|@input|CONV(3) - @input|CONV(3) - LINEAR(8)|CONV(8, 99, padding=0)|CONV({i}, 2)|Conv2d{i}|@b{i}|share c{i}"
        "|CONV(3,|[CONV(3)|CONV(3)]|{{ RELU|RELU }}|CONV(3) )|if in.channels == {w} {{ CONV({w}) }}"
        "|for i in range({n}) {{ CONV({w}) }}|for i in range({n}) {{ a{i}{{i}}: CONV(i) }}|INSTANCENORM|GAP|FC({w})"
        "|CONV(in.channels + {w}, 1)|(CONV(in.channels + 1, 1))*{n}|DROPOUT({n})|RESHAPE(-1, {w})|PERMUTE(2, 0, 1)"
        "|c{i} = {n}|c{i} = c{i} + 1|n{i} = [a*b for a in range({n}) for b in range({w})]|n{i} = (10**{n})//7"
        "|assert memory < {n} or macs > 1|assert receptive_field > {i}|assert params == {n}|assert @a{i}.channels == 3"
        '|n{i} = "aaa"*{n}|default CONV(kernel={w})|output a{i}|output a{i} in training|block B{i}(n) {{ CONV(n) }}'
        "|block D{i}() {{ D{j} - D{j} }}|B{i}({n})|D{i}|let f{i}(x) = f{j}(x) + f{j}(x)|CONV(f{i}(1))"
        '|use "part{i}.arch"|use P{i} from "part{w}.arch"|P{i}|# archdsl: ignore W401|RELU # archdsl: ignore|x = ID|x'
    ).split("|"),
    "input 3xHxW": (
        "CONV|CONV(3, {w}, {w}, padding=0, fit=floor)|POOL - CONV|UPSAMPLE({w})|INSTANCENORM|CHUNK(0, {w}, axis=0)"
        "|CONV(8, {w})*N|input a{i}: 3x{c}x{c}|input a{i}: {c}|assert macs < {n}|GAP|FC(3)|SLICE(0, {w}, axis=1)"
        "|PAD({w})|RESHAPE(3, -1)|CONV(in.height)|a{i}: RELU|ROLL({w}, axis=1)"
    ).split("|"),
    "input 8x8": ["MHA({w})", "LSTM({w})", "GRU(8)", "LINEAR({i} + 1)", "LN", "SOFTMAX", "RELU", "CONV", "SELECT({w})"],
    "input a: 3x8x8\ninput b: 3x8x8": ["input a{i}: 3x8x8", "input c{i}: {n}", "a{i}: @a", "@b", "RELU"],
    "input 2x2x2x2x2x2": ['REARRANGE("a b c d e f -> f e d c b a")', "PERMUTE(5, 4, 3, 2, 1, 0)", "RELU", "SOFTMAX"],
}
JOINS = (
    "ADD{ ID | CONV(3) };CONCAT{ ID | CONV(3) };MUL{ ID | GAP - CONV(in.channels, 1) - SIGMOID };CHOOSE{ CONV | ID };"
    "ADD{ ID | PARAM(3, 8, 8) };ADD{ ID | CONST([[[1]]]) };ATTENTION{ ID | ID | ID };MATMUL{ ID | ID }"
    ";MAX{ ID | 1e308 }"
).split(";")
NUMBERS = (
    "0 1 2 3 4 7 16 60 300 1000 4000 11_990 100_000 1_000_000_000 9223372036854775808 (10**30) 1e308 0.5 -1".split()
)
LONG: tuple[Callable[[int], str], ...] = (
    lambda n: "a" * n + ": CONV",
    lambda n: "A" * n,
    lambda n: '"' + "é" * n + '": RELU',
    lambda n: "# " + "x" * n,
    lambda n: "input " + "x".join(["1"] * (n // 2)),
    lambda n: "RESHAPE(" + "1, " * (n // 3) + "192)",
    lambda n: "ADD{" + "RELU | " * (n // 7) + "ID }",
    lambda n: 'REARRANGE("(' + " ".join(f"a{i}" for i in range(n // 12)) + ') -> c h w")',
    lambda n: 'REARRANGE("' + "c h w " * (n // 6) + '-> c")',
    lambda n: "n = [" + "1, " * (n // 3) + "1]\nADD{ ID | CONST(n) }",
    lambda n: "for a, b in [" + "(1, 2), " * (n // 8) + "(2, 3)] { CONV(a) }",
    lambda n: "if true { " * (n // 11) + "RELU" + " }" * (n // 11),
    lambda n: "if false { RELU } else " * (n // 24) + "{ RELU }",
    lambda n: "a: [" * (n // 5) + "RELU" + "]" * (n // 5),
    lambda n: "n = " + "[" * (n // 2) + "]" * (n // 2),
    lambda n: "n = " + "f(" * (n // 3) + "1" + ")" * (n // 3),
    lambda n: "\r" * n,
    lambda n: "\0" * n,
    lambda n: "\ufeff" * n,
    lambda n: "(RELU" + "*2)" * (n // 3),
)


def large(draw: random.Random) -> str:
    """Lines of one to four kinds, one after the other or in turns, with a long line among them now and then."""
    head = draw.choice([*[INPUT] * 5, *LINES])
    kinds = [draw.choice(JOINS if draw.random() < 0.2 else LINES[head]) for _ in range(draw.choice((1, 1, 2, 3, 4)))]
    room = int(2 ** draw.uniform(7, 16))
    lines = [head]
    if draw.random() < 0.15:
        lines.append(draw.choice(LONG)(int(2 ** draw.uniform(7, 16))))
        room = room // 8
    size = draw.choice((1, 1, 5, 500))  # of a stretch of one kind
    most = draw.choice((["3"], ["3", "4", "7", "16"], NUMBERS))  # how wild the numbers are
    number = 0
    while room > 0:
        kind = kinds[number // size % len(kinds)]
        values = {"n": draw.choice(most), "w": draw.choice((1, 2, 3, 5, 8)), "c": draw.choice("HWNABCXYZ")}
        line = kind.format(i=number, j=number + 1, **values) if kind not in JOINS else kind
        lines.append(line)
        room -= len(line) + 1
        number += 1
    if draw.random() < 0.1:
        draw.shuffle(lines)
    return (draw.choice((" - ", ", ", "\r\n")) if draw.random() < 0.1 else "\n").join(lines)[:LONGEST]
