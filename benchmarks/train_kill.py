"""Trainings killed with -9 at random moments, and whether they end with the weights of one that was left alone.

    python benchmarks/train_kill.py --workers 0 2 --nproc 1 2

With dropout, batch normalisation, augmentation, accumulation, and a checkpoint every third step, so that many kills
fall into one. A run is killed, process group and all, up to a second after it has gone on; then it is resumed. At the
end weights, optimizer, random state and the losses in metrics.jsonl are compared bit by bit. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.training import same

SPEC = """input 1x8x8
CONV(8) - BN - RELU - POOL - CONV(16) - BN - RELU - POOL
FC(32) - RELU - DROPOUT(0.3) - FC(10) - SOFTMAX
"""
SETTINGS = ["--batch", "32", "--accumulate", "2", "--augment", "crop", "--every", "3", "--optimizer", "sgd"]


def words(folder: Path, run: str, options: list[str], nproc: int) -> list[str]:
    """The words that begin the run, or go on with it."""
    given = ["train", str(folder / "net.arch"), "--data", "builtin:digits", "-o", str(folder / run), "--resume"]
    return [*given, *SETTINGS, *options, "--nproc", str(nproc)]


def start(given: list[str]) -> int:
    """Run archdsl with these words in a process group of its own; forked, so that torch is imported but once."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    sys.argv[0] = "archdsl"
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    from archdsl.cli.commands import run

    os._exit(run(given))


def ended(pid: int) -> bool:
    """Whether it has ended; raises SystemExit where it has failed."""
    found, status = os.waitpid(pid, os.WNOHANG)
    if found and status:
        sys.exit(f"a run has ended with status {os.waitstatus_to_exitcode(status)}")
    return bool(found)


def left_alone(given: list[str]) -> None:
    """Run it to its end."""
    pid = start(given)
    while not ended(pid):
        time.sleep(0.05)


def lines(run: Path) -> int:
    """How many lines metrics.jsonl has."""
    try:
        return (run / "metrics.jsonl").read_bytes().count(b"\n")
    except OSError:
        return 0


def killed(given: list[str], run: Path, most: float) -> bool:
    """Start it, and kill it some time after it has written a line; whether it had not ended before that."""
    had = lines(run)
    pid = start(given)
    over = False
    while not over and lines(run) <= had:
        time.sleep(0.002)
        over = ended(pid)
    until = time.monotonic() + random.uniform(0, most)
    while not over and time.monotonic() < until:
        time.sleep(0.001)
        over = ended(pid)
    if not over:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return not over


def end(run: Path) -> tuple[dict[str, Any], list[tuple[int, float, float | None]]]:
    """The last checkpoint, and the epochs' losses in metrics.jsonl."""
    path = max((run / "checkpoints").glob("*.pt"))
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    told = [(e["step"], e["loss"], e.get("valid_loss")) for e in events if e["event"] == "epoch"]
    return torch.load(path, weights_only=True), told


def trial(folder: Path, workers: int, nproc: int, kills: int, epochs: int, most: float) -> bool:
    """Print what came of one combination."""
    options = ["--epochs", str(epochs), "--workers", str(workers)]
    calm, shot = folder / "calm", folder / "shot"
    left_alone(words(folder, calm.name, options, nproc))
    given = words(folder, shot.name, options, nproc)
    count = saving = 0
    while count < kills and killed(given, shot, most):
        count += 1
        saving += any(shot.rglob(".*.tmp"))
    left_alone(given)
    (state, told), (expected, told_calmly) = end(shot), end(calm)
    best = [(run / "best.safetensors").read_bytes() for run in (shot, calm)]
    right = same(state, expected) and told == told_calmly and best[0] == best[1]
    print(
        f"{nproc} processes, {workers} workers: {count} kills, {saving} of them during a save, "
        f"{state['progress']['step']} steps: " + ("bit-identical" if right else "DIFFERENT"),
        flush=True,
    )
    return right and count == kills


def main() -> None:
    """Try each combination; exit status 1 where one differs, or was over before all kills."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    options.add_argument("--nproc", type=int, nargs="+", default=[1, 2])
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--epochs", type=int, default=8)
    options.add_argument("--seconds", type=float, default=1.0, help="the most that a run gets before it is killed")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    random.seed(given.seed)
    right = True
    for nproc in given.nproc:
        for workers in given.workers:
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "net.arch").write_text(SPEC)
                right &= trial(Path(folder), workers, nproc, given.kills, given.epochs, given.seconds)
    sys.exit(not right)


if __name__ == "__main__":
    main()
