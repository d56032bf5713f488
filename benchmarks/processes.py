"""CPU time of whole processes, for the benchmarks beside this file."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence


def cpu_seconds(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """User and system time of a process and of all that it starts; raises where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def python(code: str) -> list[str]:
    """A fresh interpreter that runs the code."""
    return [sys.executable, "-c", code]


def compare(
    commands: Mapping[str, Sequence[str]], runs: int, environment: Mapping[str, str] | None = None
) -> list[float]:
    """The medians of alternating runs, printed, in the order of the commands; the first run of each is not counted."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            seconds = cpu_seconds(command, environment)
            if run:
                times[name].append(seconds)
    medians = [statistics.median(found) for found in times.values()]
    for name, median in zip(times, medians):
        print(f"{median * 1000:10.1f} ms of CPU, median of {runs}: {name}")
    return medians
