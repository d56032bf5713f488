"""Hostile texts: each ends in a network or in located diagnostics, within about a second, and in nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl.cli.commands import run
from archdsl.diagnostics import MOST, ArchError, Findings, render
from archdsl.elaborate import elaborate
from archdsl.files import LIMIT, read_spec
from archdsl.graph import Network
from archdsl.syntax.parser import LONGEST
from archdsl.syntax.source import Source
from tests.support.cases import FOLDER, cases, read

SEEDS = {
    "empty": "",
    "a new line": "\n",
    "NUL": "CONV\x00(8)",
    "control characters": "\x01\x02\x1b[31m CONV(8)\x7f",
    "only a comment": "# CONV(8)",
    "no new line at the end of a comment": "input 3x8x8\nRELU # x",
    "carriage returns": "input 3x8x8\r\nCONV(8)\r- RELU\r",
    "surrogates": "input 3x8x8\nCONV(8) - \ud800",
    "right to left": "input 3x8x8\n\u202e: CONV(8)",
    "parentheses": "input 3x8x8\n" + "(" * 100_000,
    "closed parentheses": "input 3x8x8\n" + "(" * 20_000 + "RELU" + ")" * 20_000,
    "closing": ")" * 100_000,
    "closing behind names": "modelzeros)\n" * 5_000,
    "brackets in a value": "n = " + "[" * 50_000 + "]" * 50_000,
    "braces": "input 3x8x8\n" + "ADD{" * 50_000,
    "arms": "input 3x8x8\nADD{" + "RELU|" * 20_000 + "RELU}",
    "blocks in blocks": "input 3x8x8\n"
    + "".join(f"block B{i}() {{ B{i + 1} - B{i + 1} }}\n" for i in range(60))
    + "block B60() { RELU }\nB0",
    "blocks that double": "input 3x8x8\n"
    + "".join(f"block B{i}() {{ B{i + 1} - x: B{i + 1} }}\n" for i in range(30))
    + "block B30() { RELU }\nB0",
    "minus signs": "n = " + "-" * 100_000 + "1",
    "nots": "n = " + "not " * 50_000 + "true",
    "powers": "n = " + "2**" * 50_000 + "2",
    "power of powers": "n = 9**9**9**9",
    "square of squares": "\n".join(["n0 = 10"] + [f"n{i + 1} = n{i}*n{i}" for i in range(60)]),
    "a long sum": "n = " + "1+" * 50_000 + "1",
    "a long comparison": "n = " + "1 < " * 50_000 + "1",
    "a long and": "input 3x8x8\nassert " + "true and " * 50_000 + "true\nRELU",
    "ternaries": "n = " + "1 if true else " * 20_000 + "1",
    "indexing": "n = [1]" + "[0]" * 50_000,
    "attributes": "input 3x8x8\nCONV(in" + ".channels" * 50_000 + ")",
    "a long name": "input 3x8x8\n" + "A" * 1_000_000,
    "a long label": "input 3x8x8\n" + "a" * 100_000 + ": RELU",
    "a long number": "n = " + "9" * 100_000,
    "a long float": "n = 1." + "9" * 100_000 + "e999999999",
    "a huge exponent": "input 3x8x8\nDROPOUT(1e999)",
    "a long string": 'n = "' + "a" * 1_000_000 + '"',
    "a long chain": "input 3x8x8\n" + "RELU-" * 20_000 + "RELU",
    "a longer chain": "input 3x8x8\n" + "RELU-" * 50_000 + "RELU",
    "many lines": "input 3x8x8\n" + "RELU\n" * 20_000,
    "many blocks": "".join(f"block B{i}() {{ RELU }}\n" for i in range(10_000)) + "input 3x8x8\nB1",
    "many inputs": "".join(f"input a{i}: 3x8x8\n" for i in range(5_000)) + "RELU",
    "many faults": "input 3x8x8\n" + "NOSUCH\n" * 10_000,
    "many faults of syntax": "input 3x8x8\n" + "RELU - )\n" * 5_000,
    "many fallen heads": "let f( = 3\n" * 5_000,
    "one wrong step, many copies": "input 3x9x9\n(CONV(8) - POOL - NOSUCH)*" + "9" * 30,
    "10^100 layers": "input 3x8x8\n(CONV - BN - RELU)*(10**100)",
    "10^100 layers in 10^100": "input 3x8x8\n(((CONV - RELU)*(10**100) - BN)*(10**100))*(10**100)",
    "10^100 widening layers": "input 3x8x8\n(CONV(in.channels + 1, 1))*(10**100)",
    "10^100 doubling layers": "input 3x8x8\n(CONV(in.channels*2, 1))*(10**100)",
    "10^100 layers that grow": "input 3x8x8\nUPSAMPLE(2)*(10**100)",
    "10^100 layers that shrink": "input 3x8x1000000\nCONV(1, 1x2, padding=0)*(10**100)",
    "copies of copies that differ": "input 3x8x1000000\n(CONV(1, 1x2, padding=0)*4000)*4000",
    "a count past the limit of values": "input 3x8x8\nRELU*(10**2000)",
    "optional copies": "input 3x8x8\n" + "RELU" + "?" * 50_000,
    "copies of copies": "input 3x8x8\n" + "RELU" + "*2" * 50_000,
    "sizes past 2^63": "input 3x8x8\nUPSAMPLE(9999999999) - CONV(9999999999, 1)",
    "a width past 2^63": "input 3x8x8\nCONV(99999999999999999999)",
    "a kernel past 2^63": "input 3x8x8\nCONV(8, 99999999999999999999)",
    "a large kernel": "input 3x8x8\nCONV(8, 4611686018427387905)",
    "a large stride": "input 3x8x8\nCONV(8, 3, 4611686018427387904)",
    "a large padding": "input 3x8x8\nCONV(8, 3, padding=9223372036854775807)",
    "a large dilation": "input 3x8x8\nCONV(8, 3, dilation=9223372036854775807)",
    "an input past 2^31": "input 3x99999999999x8\nRELU",
    "a large input": "input 1000000x1000000x1000000\nCONV(8) - FC(1000000000)",
    "a large reshape": "input 3x8x8\nRESHAPE(" + "1," * 10_000 + "192)",
    "a large rearrangement": 'input 3x8x8\nREARRANGE("' + "c h w " * 10_000 + '-> c")',
    "a large CONST": "input 3\nADD{ ID | CONST([[i*j for j in range(300)] for i in range(300)]) }",
    "a ragged CONST": "input 3\nADD{ ID | CONST([[1, 2], [3]]) }",
    "a deep CONST": "n0 = [1]\n"
    + "".join(f"n{i + 1} = [n{i}]\n" for i in range(3000))
    + "input 3\nADD{ ID | CONST(n3000) }",
    "a list of itself": "n0 = [1]\n"
    + "".join(f"n{i + 1} = [n{i}, n{i}]\n" for i in range(100))
    + "input 3\nCONST(n100) - RELU",
    "a deep list in a message": "n0 = [1]\n"
    + "".join(f"n{i + 1} = [n{i}, n{i}]\n" for i in range(60))
    + "input 3x8x8\nCONV(n60)",
    "a deep list compared": "n0 = [1]\nm0 = [1]\n"
    + "".join(f"n{i + 1} = [n{i}, n{i}]\nm{i + 1} = [m{i}, m{i}]\n" for i in range(60))
    + "input 3x8x8\nassert n60 == m60\nRELU",
    "a deep list added": "n0 = [1]\n" + "".join(f"n{i + 1} = n{i} + n{i}\n" for i in range(60)) + "input 3\nRELU",
    "a deep list in a block's arguments": "n0 = [1]\n"
    + "".join(f"n{i + 1} = [n{i}, n{i}]\n" for i in range(60))
    + "block B(n) { RELU }\ninput 3\nB(n60)*3",
    "a range of 10^18": "input 3x8x8\nfor i in range(10**18) { RELU }",
    "a range of 10^18 in a comprehension": "n = [i for i in 1..10**18]",
    "a sum of 10^18": "n = sum(1..10**18)",
    "the length of 10^100": "n = len(1..10**100)\nm = (1..10**100)[10**99]\ninput 3\nRELU",
    "min of 10^18": "n = min(1..10**18)",
    "reversed 10^18": "n = reversed(1..10**18)",
    "enumerate and zip of 10^18": "n = enumerate(1..10**18)\nm = zip(1..10**18, 1..10**18)",
    "linspace of 10^18": "n = linspace(0, 1, 10**18)",
    "list times 10^18": "n = [1]*10**18",
    "text times 10^18": 'n = "a"*10**18',
    "a range compared": "assert (1..10**18) == [1]\ninput 3\nRELU",
    "a range sliced": "n = (1..10**18)[1:]",
    "comprehension bomb": "n = [[[[0 for d in 1..1000] for c in 1..1000] for b in 1..1000] for a in 1..1000]",
    "comprehension of nothing": "n = [0 for a in range(100000) if [1 for b in range(100000) if false] == [1]]",
    "label bomb": "input 3x8x8\nfor i in range(100000) { a{i}: RELU }",
    "label of a huge number": "input 3x8x8\na{10**1000}: RELU",
    "label of a long text": 'n = "a"\n'
    + "".join(f"n{i} = n{i - 1 or ''} + n{i - 1 or ''}\n" for i in range(1, 17))
    + "x{n16}: RELU",
    "text bomb": 'n0 = "aaaaaaaaaa"\n' + "".join(f"n{i + 1} = n{i} + n{i}\n" for i in range(60)),
    "label within label": 'input 3x8x8\na{"b{1}"}: RELU',
    "braces in a label": "input 3x8x8\n" + '"' + "{1}" * 20_000 + '": RELU',
    "references": "input 3x8x8\na0: RELU\n" + "".join(f"a{i + 1}: ADD{{ @a{i} | @a{i} }}\n" for i in range(3000)),
    "shared sharing": "input 3x8x8\na0: [RELU]\n"
    + "".join(f"a{i + 1}: [share a{i} - share a{i}]\n" for i in range(40)),
    "share of itself": "input 3x8x8\na: [RELU - share a]",
    "a share of copies": "input 3x8x8\na: [RELU*(10**100)]\nshare a",
    "recursion": "let f(x) = f(x)\nn = f(1)",
    "mutual recursion": "let f(x) = g(x)\nlet g(x) = f(x)\nn = f(1)",
    "recursion that doubles": "let f(x) = f(x - 1) + f(x - 2)\nn = f(100)",
    "functions that double": "".join(f"let f{i}(x) = f{i + 1}(x) + f{i + 1}(x)\n" for i in range(35))
    + "let f35(x) = x\nn = f0(1)",
    "a function that hands itself on": "let f(g) = g(g)\nn = f(f)",
    "blocks by value": "block A(f) { f(f) }\ninput 3\nA(A)",
    "a block as its own argument": "block A(f, n) { f(A(f, n), n) }\ninput 3\nA(A, 1)",
    "blocks of blocks": "block A(b) { b - b }\ninput 3\n" + "A(" * 50 + "RELU" + ")" * 50,
    "choices": "input 3x8x8\n" + "CHOOSE{ RELU | TANH }?\n" * 3000,
    "conditions": "input 3x8x8\n" + "if false { RELU } else " * 3000 + "{ RELU }",
    "a fault in a loop": "input 3x8x8\nfor i in range(100000) { CONV(i - 50000) }",
    "warnings in a loop": "input 3x8x8\nfor i in range(3000) { a{i}: CONV(1) - @input }",
    "use of a folder": 'use "."\ninput 3\nRELU',
    "use of a device": 'use "/dev/zero"\ninput 3\nRELU',
    "use of NUL": 'use "a\x00b"\ninput 3\nRELU',
    "use of a long path": 'use "' + "a/" * 5000 + '"\ninput 3\nRELU',
    "use of nothing": 'use ""\ninput 3\nRELU',
    "tabs": "input 3x8x8\n" + "\t" * 100_000 + "NOSUCH" + "\t" * 100_000,
    "not a number": "n = 1e308*10\nm = 0*n\ninput 3\nDROPOUT(m)",
    "negative zero": "input 3x8x8\nRELU*(-0.0)",
    "infinite division": "n = 1/1e-320",
    "numbers past float32": "k = 2**4000\ninput 8x8x8\nMUL{ ID | k } - CONST(k) - LRELU(k) - CONV(8, init=k)",
    "a large float to int": "n = floor(1e308)\nm = round(1e308, 3)\no = round(1.5, 10**10)\np = divisible(1e308, 3)",
    "sqrt of a huge number": "n = sqrt(10**1000)\nm = log2(10**1000)\no = 10**1000/3\np = 10**1000*0.5",
    "a float to a huge power": "n = 1.5**1000000000\nm = 10**-1000000000\no = (-2)**0.5\np = 0**-1",
    "modulo": "n = 5 % 0.0\nm = 5//0.0\no = 5.5 % 10**400",
    "a shape of letters": "A = 3\nn = AxAxAxA\ninput 3\nRELU",
    "assert of everything": "input 3x8x8\nCONV(8)*(10**100)\n"
    "assert params > 0 and macs > 0 and memory > 0 and depth > 0\nassert flops > 0 and receptive_field == 1",
    "int layers": "input 3x8x8 of int\nRELU - CONV(8) - EMBEDDING(3, 4) - SOFTMAX",
    "scalars": "input 3\nSELECT(0) - RELU - SOFTMAX - FC(3) - SELECT(0) - CONV(8)",
    "scalar joins": "input 3\nADD{ 1 | 2 } - CONV(8)",
    "no output": "input 3\n[]\n",
    "spaces": "input 3\nRELU" + " " * 60_000 + "- RELU",
    "blank lines": "input 3\nRELU" + "\n" * 60_000 + "- RELU",
    "blank lines before a fault": "input 3\nRELU )" + "\n" * 60_000 + "RELU",
    "comments before a fault": "input 3\nRELU )\n" + "#\n# ( \n" * 10_000 + "RELU",
    "passes of nothing": "input 3\nfor a in 1..200 { for b in 1..200 { for c in 1..200 { } } }",
    "passes of a constant": "input 3\nfor a in 1..400 { for b in 1..400 { x = a } }\nRELU",
    "a long end": "input 8\nSOFTMAX - " + "DROPOUT - " * 6_000 + "SOFTMAX",
    "a long end of counts": "input 8\nFC(8)\n" + "RELU*0\n" * 3_000,
    "a measure for each assert": "input 3x8x8\n" + "CONV\n" * 500 + "assert memory > 0 and depth > 0\n" * 999,
    "names that nothing is near": "input 3\n" + "".join(f"k{i:04d} = 1\n" for i in range(4_000)) + "k00k\n" * 90,
    "constants of a body": "input 3\n[\n" + "".join(f"c{i} = 1\n" for i in range(6_000)) + "RELU]",
    "a default for each layer": "default CONV(kernel=3)\n" * 1_500 + "input 3x8x8\n" + "CONV\n" * 3_000,
    "labels deeper down": "input 3\n" + "".join(f"a{i}: [b{i}: RELU] - @b{i}\n" for i in range(2_000)),
    "labels that are not there": "input 3\n" + "".join(f"a{i}: [b{i}: RELU]\n" for i in range(2_000)) + "@b\n" * 99,
    "open sizes of a long chain": "input 3xHxW\n" + "CONV - POOL - UPSAMPLE(2)\n" * 1_000,
    "arms of two shapes": "input 3x8x8\nADD(stretch=true){ " + "ID | GAP | " * 400 + "ID }",
    "large values in messages": "n = [2**4000 + i for i in range(100)]\ninput 3x8x8\n" + "CONV(n)\n" * 500,
    "a name that is missed in a loop": "input 3\n"
    + "".join(f"k{i:03d} = 1\n" for i in range(499))
    + "for i in range(9000) { k00q }\n",
    "a label that is missed in a loop": "inpuz 3x8x8\nfor i in range(3000) { a{i}: CONV(1) - @input }\n",
    "an arm for each label": "input 3x8x8\n"
    + "".join(f"a{i}: CONV(3)\n" for i in range(900))
    + "ADD{ "
    + " | ".join(f"@a{i}" for i in range(900))
    + " }",
    "a pattern of many names": "input 3x8x8\n"
    + "".join(f'REARRANGE("({" ".join(f"a{i}" for i in range(8_000))}) -> {n}")\n' for n in "ab"),
    "parts past all": "input 6x8x8\nCHUNK(0, 1e18)\nCHUNK(0, 10**12)",
    "layers past all": "input 20x8\nLSTM(8, layers=1e18) - GRU(8, layers=10**12)",
    "heads of a width past all": "input 2x1999999993x1999999973\nRESHAPE(1,-1) - MHA(7)",
    "parts of an axis past all": "input 2x1999999993x1999999973\nRESHAPE(-1) - CHUNK(0, 7)",
    "an assertion of infinity": "input 3x8x8\nCONV(1e400)\nassert memory < 1e400",
    "infinity among open sizes": "input 3xHxW\nCONV(4)\nassert memory < 1e400",
    "asserts of open sizes": "input 3xHxW\nCONV(4)\n" + "".join(f"assert macs < {i}M\n" for i in range(1, 900)),
    "rests of open sizes": "input 3xHxW\nCONV(4)\n" + "".join(f"assert H % {i} != 1\n" for i in range(1, 400)),
    "a number below zero where another is looked for": "input 3x8x8\nADD{ ID | -1 }\nassert params == 3",
    "many open sizes": "".join(f"input a{c}: 3x{c}x8\n" for c in "ABCDEFGHIJKL")
    + "ADD{ ID | "
    + " | ".join(f"@a{c}" for c in "BCDEFGHIJKL")
    + " }",
    "inputs before many layers": "".join(f"input i{i}: 8\n" for i in range(400))
    + f"ADD{{ ID | {' | '.join(f'@i{i}' for i in range(1, 400))} }}\n"
    + "RELU\n" * 5_000,
    "open sizes of many layers that differ": "input 3xHxW\n" + "PAD(2) - CONCAT{ ID | CONV(3) }\n" * 500,
    "open sizes of many axes": "input 3xHxW\nRESHAPE(" + "1, " * 1_500 + "-1) - RELU\n",
    "a period past all limits": "input 3xHxW\n" + "RESHAPE(3, -1)\n" * 300,
    "strides past all limits": "input 3xH\n" + "CONV(3, 7, 7, padding=0) - UPSAMPLE(7)\n" * 40,
    "labels of a loop that are too long": "input 3x8x8\nfor i in range(3000) { " + "a" * 20_000 + "{i}: CONV }",
    "lists of numbers": "".join(f"n{i} = reversed(range(100000))\n" for i in range(60)) + "input 3\nRELU",
}


def outcome(text: str, path: str | None = None, **given: str) -> tuple[Network | None, Findings]:
    """What the text gives; holds that every fault is told as one, and can be shown."""
    findings = Findings()
    source = Source(text, "hostile.arch", path)
    root = None if path is None else str(Path(path).parent)
    network = elaborate(source, constants=given, inputs={}, findings=findings, root=root)
    assert (network is None) == bool(findings.errors)
    assert len(findings.found) <= 2 * (MOST + 1)
    for diagnostic in findings.found:
        assert diagnostic.span is not None or diagnostic.file, diagnostic
        if diagnostic.span is not None:
            assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(diagnostic.span.source.text)
        shown = render(diagnostic)
        assert "\n" not in diagnostic.message and len(shown) < 20_000, diagnostic.code
        assert all(c.isprintable() or c == "\n" for c in shown), diagnostic.code
        diagnostic.to_dict()
    return network, findings


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_ends_in_an_answer(name: str, tmp_path: Path) -> None:
    """Texts made by hand."""
    outcome(SEEDS[name], str(tmp_path / "hostile.arch"))


def test_many_faults_end_with_one_that_says_so() -> None:
    """No run tells more than a hundred errors."""
    _, findings = outcome("input 3x8x8\n" + "NOSUCH\n" * 1000)
    assert len(findings.errors) == MOST + 1
    assert findings.errors[-1].code == "E104"


def test_many_warnings_end_with_one_that_says_so() -> None:
    """And they do not keep an error that comes later from being told."""
    side = "".join(f"a{i}: CONV(3) - LINEAR(8) - @input\n" for i in range(200))
    network, findings = outcome("input 3x8x8\n" + side + "CONV(1)")
    assert network is not None and len(findings.found) == MOST + 1
    assert findings.found[-1].code == "W404"
    _, findings = outcome("input 3x8x8\n" + side + "NOSUCH")
    assert [found.code for found in findings.errors] == ["E130"]


@pytest.mark.parametrize("target", ["onnx", "torch"])
def test_much_of_nothing(target: str, tmp_path: Path) -> None:
    """Copies without a layer are none; blocks without one are gone through, and therefore counted."""
    path = tmp_path / "hostile.arch"
    call = ["compile", str(path), "--to", target, "-o", str(tmp_path / "out")]
    path.write_text("input 3x8x8\n((INPUT)*2 - INPUT)*(10**100) - a: CONV(8)\n(@a)*(10**100) - RELU\n")
    assert run(call) == 0
    path.write_text("input 3x8x8\nblock B() { INPUT }\n(B - B)*(10**100)\n")
    assert run(call) == 1


def test_a_text_past_the_limit_is_not_parsed(tmp_path: Path) -> None:
    """The place is where the limit is; a file's own limit is held before that."""
    _, findings = outcome("RELU\n" * (LONGEST // 5 + 1))
    (found,) = findings.found
    assert found.code == "E105" and found.span is not None and found.span.start == LONGEST
    path = tmp_path / "large.arch"
    path.write_bytes(b"#" * (LIMIT + 1))
    with pytest.raises(ArchError) as raised:
        read_spec(str(path))
    assert raised.value.diagnostics[0].code == "E003"


def test_arms_have_a_limit() -> None:
    """Joins compare each arm with each."""
    _, findings = outcome("input 3\nADD{" + "ID|" * 1000 + "ID}")
    assert [found.code for found in findings.found] == ["E156"]


def test_paths_have_a_limit() -> None:
    """The analyses look at each input behind each layer; in a repetition at each tensor that it reads from around."""
    _, findings = outcome(SEEDS["inputs before many layers"])
    assert [found.code for found in findings.errors] == ["E157"]
    around = "".join(f"a{i}: RELU\n" for i in range(300))
    body = f"ADD{{ ID | {' | '.join(f'@a{i}' for i in range(300))} }}\n" + "RELU\n" * 1_000
    _, findings = outcome(f"input 3x8x8\n{around}([{body}])*3")
    assert [found.code for found in findings.errors] == ["E157"]


TOKENS = st.sampled_from(
    "input output model let block default use from of in training for if else assert share true and or not "
    "CONV POOL RELU FC BN ADD{ CONCAT{ CHOOSE{ SOFTMAX GAP LSTM(4) MHA(2) UPCONV(4) EMBEDDING(9,4) SELECT(0) FLATTEN "
    "RESHAPE(-1) PERMUTE(1,0) CONV(8 3x8x8 3 0 -1 2.5 1e9 n x a b N ( ) [ ] { } | - -> , : * ? @ = == < + / // % "
    "** .. . "
    '"a-b" "a{n}" a{n}: a: b: @a share in.channels in.shape \n \n \n \\ # ; \' " é'.split(" ")
)
LINES = st.sampled_from(
    """
    n = 3
    x = RELU
    a: CONV(8)
    CONV - POOL
    b: [CONV(4) - BN]
    ADD{ ID | @a }
    share b
    for n in 1..3 {
    }
    if in.channels > 4 {
    [RELU
    ]*2
    block B(w = 3) {
    B
    B(n)
    CONCAT{ ID | CONV }
    FC
    SOFTMAX
    output a
    assert params > 3
    default CONV(kernel=1)
    input y: 4x4
    @y
    let f(n) = n + 1
    CONV(f(n))
    POOL(3, fit=floor)
    UPSAMPLE(like=@input)
    (CONV - RELU)*n
    BN?
    RELU*0
    a{n}: CONV(n)
    LINEAR(4)
    GAP
    """.strip().split("\n    ")
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(st.lists(TOKENS, max_size=60).map(" ".join))
def test_words_of_the_language_in_any_order(text: str) -> None:
    """Most are faults of syntax, at every place that there is."""
    outcome("input 3x8x8\n" + text)


@QUICK
@given(st.lists(LINES, max_size=14).map("\n".join))
def test_lines_in_any_order(text: str) -> None:
    """Most parse, and are faults of meaning."""
    outcome("input 3x8x8\nclasses = 5\n" + text)


@QUICK
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Any characters at all."""
    outcome(text)


@QUICK
@given(st.sampled_from(cases()), st.data())
def test_a_case_with_a_piece_cut_out_or_doubled(path: Path, data: st.DataObject) -> None:
    """Specs that are nearly right."""
    text = read(path).text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    changed = text[:start] + text[end:] if data.draw(st.booleans()) else text[:end] + text[start:end] + text[end:]
    outcome(changed, str(FOLDER / path.parent / "hostile.arch"))


@QUICK
@given(st.text(max_size=30), st.sampled_from(["N", "choice1", "act", "classes"]))
def test_any_value_from_outside(value: str, name: str) -> None:
    """What `-D` gives is hostile text as well."""
    outcome("input 3x8x8\nN = 2\nact = RELU\n(CONV - act?)*N - FC", **{name: value})
