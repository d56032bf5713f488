"""`archdsl show`: folding, blocks and the measures of the whole network, and the analyses behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archdsl import check
from archdsl.analyses import all as analyses
from archdsl.cli.commands import run
from archdsl.cli.tables import fold
from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.report import describe
from archdsl.syntax.source import Source

ROOT = Path(__file__).parent.parent
RESNET = ROOT / "specs" / "resnet50.arch"


def network(text: str) -> Network:
    found, findings = build(Source(text), constants={}, inputs={}, fit=None)
    assert found is not None, findings.found
    return found


def test_resnet50(capfd: Any) -> None:
    """The published figures, in words and in JSON."""
    assert run(["show", str(RESNET)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "buffers      53,173" in lines and "depth        50 layers with weights" in lines
    assert "FLOPs        8,178,368,512 (two for each MAC); 39,263,720 elementwise" in lines
    assert run(["show", "--json", str(RESNET)]) == 0
    [entry] = json.loads(capfd.readouterr().out)["files"]
    found = entry["analyses"]
    assert (found["parameters"], found["buffers"]) == (25_557_032, 53_173)
    assert (found["macs"], found["flops"], found["depth"]) == (4_089_184_256, 8_178_368_512, 50)
    assert found["intensity"] == pytest.approx(found["flops"] / found["traffic"], abs=1e-3)


@pytest.mark.parametrize("depth", [1, 2, 3, 9])
def test_folding_keeps_the_sums(depth: int) -> None:
    """Whatever the depth, parameters, MACs and the last output stay; at most that many names are in a path."""
    model = check(RESNET).model
    assert model is not None
    rows = fold(model.layers, depth)
    assert sum(row.parameters * row.repeats for row in rows) == model.parameters
    assert sum(row.macs * row.repeats for row in rows) == model.macs
    assert rows[-1].output == model.layers[-1].output
    assert max(row.path.count(".") for row in rows) == min(depth - 1, 3)
    assert len({row.path for row in rows}) == len(rows)


def test_a_folded_table(capfd: Any) -> None:
    """A stage is a row, and its number of layers stands in it."""
    assert run(["show", "--depth", "1", str(RESNET)]) == 0
    [line] = [line for line in capfd.readouterr().out.splitlines() if line.startswith("layer3")]
    assert line.split() == "layer3 62 layers 1024x14x14 7,098,368 1,464,336,384 267x267".split()


def test_by_block(capfd: Any) -> None:
    """Every use of a block in a row; blocks inside count for both; what is shared holds its weights once."""
    text = "input 3x8x8\nblock A() { CONV(3) - B }\nblock B() { CONV(3, 1) - RELU }\nCONV(3) - A*5 - b: B - share b\n"
    parts = {part.name: part for part in analyses.by_block(network(text))}
    three, one = 3 * 3 * 9 + 3, 3 * 3 + 3
    work = 64 * 3 * 3
    assert (parts[""].uses, parts[""].layers, parts[""].parameters, parts[""].macs) == (0, 1, three, 9 * work)
    assert (parts["A"].uses, parts["A"].layers) == (5, 15)
    assert (parts["A"].parameters, parts["A"].macs) == (5 * (three + one), 5 * 10 * work)
    assert (parts["B"].uses, parts["B"].layers) == (7, 14)
    assert (parts["B"].parameters, parts["B"].macs) == (6 * one, 7 * work)
    assert run(["show", "--by", "block", str(RESNET)]) == 0
    [line] = [line for line in capfd.readouterr().out.splitlines() if line.startswith("Bottleneck")]
    assert line.split() == "Bottleneck 16 168 23,498,496 91.9% 3,969,122,304 97.1%".split()


def test_traffic() -> None:
    """By hand: what each layer reads and writes, its weights among it, times the copies."""
    conv = 4 * (3 * 64 + 3 * 64 + 3 * 3 * 9 + 3)
    relu = 4 * 2 * 3 * 64
    assert analyses.traffic(network("input 3x8x8\nCONV(3) - RELU\n")) == conv + relu
    assert analyses.traffic(network("input 3x8x8\n(CONV(3) - RELU)*7\n")) == 7 * (conv + relu)
    assert analyses.intensity(network("input 3x8x8\nCONV(3) - RELU\n")) == 2 * 64 * 81 / (conv + relu)
    assert analyses.intensity(network("input 3x8x8\nRELU\n")) == 0
    aux = "input 3x8x8\na: CONV(3) - b: CONV(3) - @a - RELU\noutput b in training\n"
    assert analyses.traffic(network(aux)) == conv + relu


def test_strides_past_doubles(tmp_path: Path, capfd: Any) -> None:
    """A stride that no double holds is shown as the whole number that it is."""
    spec = tmp_path / "net.arch"
    spec.write_text("input 3x8x8\nCONV(8, 3, 4611686018427387904)*20\n")
    assert run(["show", "--json", str(spec)]) == 0
    field = json.loads(capfd.readouterr().out)["files"][0]["analyses"]["receptive_field"]
    assert field["stride"] == [4611686018427387904**20] * 2
    assert run(["show", str(spec)]) == 0 and f"every {4611686018427387904**20}x" in capfd.readouterr().out


@pytest.mark.parametrize("text", ["(CONV(3) - RELU)*4 - GAP - FC(5)", "ADD{ CONV(3)*3 | } - (RELU - CONV(3))*2"])
def test_copies_are_multiplied(text: str) -> None:
    """A repetition moves what its copies move when they are written out."""
    import re

    def written_out(match: re.Match[str]) -> str:
        return " - ".join([match[1]] * int(match[2]))

    long = re.sub(r"(\([A-Z()\d -]*\)|CONV\(3\))\*(\d)", written_out, text)
    assert long != text and "*" not in long
    short_, long_ = network(f"input 3x8x8\n{text}\n"), network(f"input 3x8x8\n{long}\n")
    assert analyses.traffic(short_) == analyses.traffic(long_)
    assert describe(short_).macs == describe(long_).macs


def test_numbers_of_open_sizes(tmp_path: Path, capfd: Any) -> None:
    """Where sizes are open, the point whose numbers are shown stands with them."""
    spec = tmp_path / "net.arch"
    spec.write_text("input 3xHxW\nCONV(4) - POOL\n")
    assert run(["show", str(spec)]) == 0
    assert "at H = 256, W = 256; valid for H, W: multiples of 2" in capfd.readouterr().out
    assert run(["show", "--json", str(spec)]) == 0
    assert json.loads(capfd.readouterr().out)["files"][0]["model"]["at"] == {"H": 256, "W": 256}


def test_a_field_past_a_million(tmp_path: Path, capfd: Any) -> None:
    """Places are told to the last digit."""
    spec = tmp_path / "net.arch"
    spec.write_text("input 3x8x8\nCONV(3)*12345678\n")
    assert run(["show", str(spec)]) == 0
    assert "the first from -12345678x-12345678 on" in capfd.readouterr().out


def test_calls_that_are_wrong(capfd: Any) -> None:
    """Options that would be ignored are refused."""
    for wrong in (["--depth", "0"], ["--depth", "1", "--by", "block"], ["--depth", "1", "--json"], ["--by", "x"]):
        assert run(["show", str(RESNET), *wrong]) == 2
    assert run(["show", str(RESNET), "--by", "block", "--json"]) == 2
    assert capfd.readouterr().out == ""
