"""`archdsl plot`: the curves are where the numbers say, and the picture is sound XML."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl.cli.commands import run
from archdsl.training.chart import HEIGHT, LEFT, WIDTH, Line, Panel, draw
from archdsl.training.curves import MOST_POINTS, picture

SVG = "{http://www.w3.org/2000/svg}"


def metrics(folder: Path, count: int = 40, *, accuracy: bool = True) -> Path:
    """A run's folder with the metrics of two epochs."""
    folder.mkdir()
    lines: list[dict[str, Any]] = [{"event": "start", "steps": count, "epochs": 2, "step": 0}]
    for step in range(1, count + 1):
        told = {"accuracy": step / count} if accuracy else {}
        lines.append({"event": "step", "step": step, "epoch": 1, "loss": 1 / step, **told})
        if step % (count // 2) == 0:
            held = {"valid_accuracy": 0.5} if accuracy else {}
            epoch = step // (count // 2)
            lines.append({"event": "epoch", "step": step, "epoch": epoch, "valid_loss": 0.5 / epoch, **held})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_several_runs(tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs stand in one picture in two colours, with panels for loss and accuracy, and their names."""
    monkeypatch.chdir(tmp_path)
    metrics(tmp_path / "a <&> b")
    metrics(tmp_path / "other")
    assert run(["plot", "a <&> b", "other"]) == 0
    root = ElementTree.parse(tmp_path / "curves.svg").getroot()
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert {"a <&> b", "other", "loss", "accuracy", "epoch", "40%", "1", "2"} <= set(texts)
    curves = [p for p in root.iter(f"{SVG}path") if p.get("class") == "line faint"]
    assert len(curves) == 4 and len({p.get("stroke") for p in curves}) == 2
    assert len(list(root.iter(f"{SVG}circle"))) == 2 * 2 * 2
    assert "wrote curves.svg" in capfd.readouterr().err
    assert run(["plot", "other"]) == 0  # what archdsl wrote it replaces


def test_places() -> None:
    """A point lies where its numbers say: the field's corners for the axes' ends."""
    text = draw([Panel("loss", (Line(((0.0, 0.0), (2.0, 1.0)), "#000"),))], "epoch", [("#000", "run")])
    paths = [p.get("d", "") for p in ElementTree.fromstring(text).iter(f"{SVG}path") if p.get("class") == "line"]
    (x0, y0), (x1, y1) = re.findall(r"([\d.]+) ([\d.]+)", paths[-1])
    assert (float(x0), float(x1)) == (LEFT, LEFT + WIDTH)
    assert float(y0) - float(y1) == HEIGHT


NUMBERS = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=9), st.booleans())
def test_any_numbers(points: list[tuple[float, float]], percent: bool) -> None:
    """Whatever the numbers, every point is drawn inside its field."""
    points = [(abs(x), y) for x, y in points]
    text = draw([Panel("p", (Line(tuple(points), "#000", dots=True),), percent)], "x", [("#000", "r")])
    circles = list(ElementTree.fromstring(text).iter(f"{SVG}circle"))
    assert len(circles) == len(points)
    ys = [float(c.get("cy", "nan")) for c in circles]
    assert all(LEFT - 0.1 <= float(c.get("cx", "nan")) <= LEFT + WIDTH + 0.1 for c in circles)
    assert max(ys) - min(ys) <= HEIGHT + 0.1


def test_long_runs_are_thinned() -> None:
    """A long curve is drawn by means, with the same mean as all of it."""
    lines = [{"event": "step", "step": i, "loss": float(i % 2)} for i in range(1, 10 * MOST_POINTS + 1)]
    root = ElementTree.fromstring(picture([("run", lines)]))
    curve = next(p for p in root.iter(f"{SVG}path") if p.get("class") == "line faint")
    assert curve.get("d", "").count("L") == MOST_POINTS - 1


def test_no_accuracy(tmp_path: Path) -> None:
    """Where there are no classes there is one panel."""
    out = tmp_path / "c.svg"
    assert run(["plot", str(metrics(tmp_path / "run", accuracy=False) / "metrics.jsonl"), "-o", str(out)]) == 0
    titles = [t.text for t in ElementTree.parse(out).getroot().iter(f"{SVG}text") if t.get("class") == "title"]
    assert titles == ["loss"]


def test_what_cannot_be_drawn(tmp_path: Path, capfd: Any) -> None:
    """No run, a run without a step, a broken line, another's file: each is said in a line or by its place."""
    out = tmp_path / "c.svg"
    assert run(["plot", str(tmp_path / "nothing"), "-o", str(out)]) == 2
    assert "cannot read" in capfd.readouterr().err
    (tmp_path / "metrics.jsonl").write_text('{"event": "start"}\n')
    assert run(["plot", str(tmp_path), "-o", str(out)]) == 2
    assert "has no step in it yet" in capfd.readouterr().err
    (tmp_path / "metrics.jsonl").write_text("x\n")
    assert run(["plot", str(tmp_path), "-o", str(out)]) == 2
    assert "E760" in capfd.readouterr().err and not out.exists()
    out.write_text("<svg/>")
    assert run(["plot", str(metrics(tmp_path / "run")), "-o", str(out)]) == 2
    assert "--force replaces it" in capfd.readouterr().err and out.read_text() == "<svg/>"
