"""`archdsl check` of each spec of the zoo, the whole process: CPU time, the slowest last.

    python benchmarks/check_zoo.py

The aim is 150 ms for the slowest of specs/torchvision. The least of the runs counts, since all else that the machine
does only adds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from processes import cpu_seconds

SPECS = Path(__file__).parent.parent / "specs" / "torchvision"


def main() -> None:
    """Print a line for each of the slowest."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--shown", type=int, default=10)
    given = options.parse_args()
    found = {}
    for spec in sorted(SPECS.glob("*.arch")):
        check = [sys.executable, "-m", "archdsl", "check", str(spec)]
        found[spec.stem] = min(cpu_seconds(check) for _ in range(given.runs))
    for name, seconds in sorted(found.items(), key=lambda item: item[1])[-given.shown :]:
        print(f"{seconds * 1000:6.1f} ms  {name}")


if __name__ == "__main__":
    main()
