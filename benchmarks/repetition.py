"""A repetition stays one: `(CONV-RELU)*1000000000` is checked in the time of `*2`.

python benchmarks/repetition.py
"""

from __future__ import annotations

import statistics
import time

import archdsl


def seconds(count: int, runs: int = 51) -> float:
    """The median CPU time of a check, in this process."""
    found = []
    for _ in range(runs):
        began = time.process_time()
        report = archdsl.check(text=f"(CONV-RELU)*{count}", input="3x32x32")
        found.append(time.process_time() - began)
        assert report.ok
    return statistics.median(found)


def main() -> None:
    """Print both times and the ratio."""
    seconds(2, 3)
    few, many = seconds(2), seconds(1_000_000_000)
    print(f"{few * 1000:.2f} ms for 2 copies, {many * 1000:.2f} ms for 1,000,000,000: ratio {many / few:.2f}")


if __name__ == "__main__":
    main()
