"""Lines of the emitted source beside torchvision's, for each family's middle model: `python -m benchmarks.zoo_source`.

Counted without comments, docstrings and empty lines; of torchvision what its builder of the model reaches in
`torchvision.models` and `torchvision.ops`, weights' tables apart. Needs torchvision.
"""

from __future__ import annotations

import sys

from archdsl.backends.pytorch import emit
from tests.support.source import brevity, code_lines, needed
from tests.support.zoo import MIDDLE, SPECS, network


def main(names: list[str]) -> None:
    """Print a row for each of these models, or each family's, and the lines of all specs."""
    print("| model | archdsl | torchvision | ratio |\n| --- | ---: | ---: | ---: |")
    for name in names or MIDDLE:
        ours, theirs = code_lines(emit(network(name))), needed(name)
        print(f"| {name} | {ours} | {theirs} | {ours / theirs:.2f} |", flush=True)
    specs, originals = brevity(SPECS)
    print(f"\nall specs: {specs:,} lines, torchvision's files: {originals:,} lines, {100 * specs / originals:.1f}%")


if __name__ == "__main__":
    main(sys.argv[1:])
