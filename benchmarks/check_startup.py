"""`archdsl check specs/resnet50.arch`, the whole process, against one that runs torchvision's on the meta device.

    python benchmarks/check_startup.py

Needs torch and torchvision: pip install -e '.[test]'. The aim is a ratio of 60, and at least 30.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from processes import compare, python

SPEC = str(Path(__file__).parent.parent / "specs" / "resnet50.arch")
TORCHVISION = """
import torch, torchvision
with torch.device("meta"):
    net = torchvision.models.resnet50(weights=None)
    net(torch.empty(1, 3, 224, 224))
"""


def main() -> None:
    """Print both times, bare Python's, and the ratio."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=7)
    runs = options.parse_args().runs
    check = [sys.executable, "-m", "archdsl", "check", SPEC]
    ours, theirs, _ = compare(
        {"archdsl check": check, "torchvision on meta": python(TORCHVISION), "bare Python": python("")}, runs
    )
    print(f"ratio {theirs / ours:.1f}")


if __name__ == "__main__":
    main()
