"""What an emitted module gives: a tensor, a tuple, or in training a NamedTuple where outputs are for that alone."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl.backends.pytorch import emit
from archdsl.pipeline import build
from archdsl.syntax.source import Source

AUX = """model Net
input 3x8x8
a: CONV(8)
aux: [GAP - FC(3)]
@a - logits: FC(3)
output logits
output aux in training
"""
SEVERAL = AUX.replace("output logits", "output logits, a")
ODD = """model Net
input 3x8x8
block NetOutput(w) { ADD{ CONV(w) | CONV(w, 1) } }
NetOutput(4) - "count": GAP - "b-1": FC(2) - "0": FC(2) - y: FC(5)
output y
output count, "b-1", "0" in training
"""
X = torch.zeros(2, 3, 8, 8)


def fields(value: Any) -> tuple[str, ...]:
    """The names of what a module gives, none of a plain tuple."""
    return getattr(value, "_fields", ())


@pytest.mark.parametrize(
    ("text", "plain", "names"),
    [
        (AUX, 1, ("logits", "aux")),
        (SEVERAL, 2, ("logits", "a", "aux")),
        (ODD, 1, ("y", "count_", "b_1", "output_0")),
    ],
)
def test_training_gives_names(text: str, plain: int, names: tuple[str, ...]) -> None:
    """By the labels where a tuple may have such fields, in the order of the plain ones and then the others."""
    module = archdsl.load(text=text).train()
    given = module(X)
    assert isinstance(given, tuple) and fields(given) == names
    given = module.eval()(X)
    assert not fields(given) and (isinstance(given, torch.Tensor) if plain == 1 else len(given) == plain)


@pytest.mark.filterwarnings("ignore:Guards may run slower on Python 3.13.0")
@pytest.mark.parametrize("text", [AUX, SEVERAL])
def test_it_is_copied_compiled_and_exported(text: str) -> None:
    """Copies of what it gives keep the names, one graph holds it, and evaluation saves as a program of its own."""
    module = archdsl.load(text=text).train()
    given = module(X)
    detached = type(given)(*(value.detach() for value in given))
    for other in (copy.deepcopy(detached), pickle.loads(pickle.dumps(detached))):
        assert type(other) is type(given) and all(map(torch.equal, other, given))
    compiled = torch.compile(module, backend="eager", fullgraph=True)(X)
    assert fields(compiled) == fields(given) and all(map(torch.equal, compiled, given))
    again = pickle.loads(pickle.dumps(module))(X)
    assert fields(again) == fields(given) and all(map(torch.equal, again, given))
    torch.export.save(torch.export.export(module.eval(), (X,)), io.BytesIO())


@pytest.mark.slow
def test_a_type_checker_knows_the_names(tmp_path: Path) -> None:
    """mypy and ruff find no fault in the source, and mypy knows the fields."""
    for name, text in (("aux", AUX), ("several", SEVERAL), ("odd", ODD)):
        graph, findings = build(Source(text), constants={}, inputs={}, fit=None)
        assert graph is not None, findings.found
        (tmp_path / f"{name}.py").write_text(emit(graph, "net.arch"))
    (tmp_path / "use.py").write_text("from aux import NetOutput\n\nprint(NetOutput.logits, NetOutput.aux)\n")
    for tool in (["mypy", "--no-incremental", "--ignore-missing-imports"], ["ruff", "check", "--no-cache"]):
        done = subprocess.run([sys.executable, "-m", *tool, "."], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
