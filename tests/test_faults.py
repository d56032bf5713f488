"""Seeded faults: where the error stands, what help it has, and whether that help is right.

`python -m tests.test_faults --update [KIND...]` writes the outcomes anew, and prints the shares; read the difference.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from archdsl import check
from tests.support.faults import FOLDER, ROOT, Bench, Seeded, corpus, read, written

CORPUS = corpus()
PART = CORPUS[::5]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A copy of the specs, in which one file at a time is edited."""
    return Bench(tmp_path_factory.mktemp("faults"))


def test_shares() -> None:
    """What the corpus says of itself: of all its faults, how many are told at their place and with help."""
    places = Counter(fault.place for fault in CORPUS)
    help = Counter(fault.help for fault in CORPUS)
    assert len(CORPUS) >= 400 and len({fault.kind for fault in CORPUS}) >= 40
    assert len({fault.spec for fault in CORPUS}) >= 40 and all(fault.code != "-" for fault in CORPUS)
    assert places["at"] >= 0.99 * len(CORPUS)
    assert help["fix"] + help["words"] >= 0.98 * len(CORPUS)
    assert help["wrong"] == 0


@pytest.mark.parametrize("fault", PART, ids=str)
def test_a_fault(bench: Bench, fault: Seeded) -> None:
    """Every fifth fault is told as the corpus says, and each fix that is offered mends it."""
    _held(bench, fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [fault for fault in CORPUS if fault not in PART], ids=str)
def test_the_other_faults(bench: Bench, fault: Seeded) -> None:
    """The same of all others."""
    _held(bench, fault)


def _held(bench: Bench, fault: Seeded) -> None:
    outcome = bench.outcome(fault)
    assert (outcome.code, outcome.place, outcome.help) == (fault.code, fault.place, fault.help), outcome.first


@pytest.mark.parametrize("name", ["alexnet", "multi", "resnet18", "se", "unet", "yolov3"])
def test_a_valid_spec_has_nothing_to_fix(name: str) -> None:
    """No safe fix is offered where nothing is wrong: `--fix` leaves such a file as it is."""
    report = check(ROOT / "specs" / f"{name}.arch")
    assert report.ok and not any(fix.safe for d in report.diagnostics for fix in d.fixes)


def update(kinds: list[str]) -> None:
    """Write what is said of each fault of these kinds, all without any, and print the shares."""
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for path in sorted(path for path in FOLDER.glob("*.txt") if not kinds or path.stem in kinds):
            rows = []
            for fault in read(path):
                outcome = bench.outcome(fault)
                rows.append(written(fault, outcome))
                total.update((outcome.place, outcome.help))
            path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    print(dict(total))


if __name__ == "__main__" and sys.argv[1:2] == ["--update"]:
    update(sys.argv[2:])
