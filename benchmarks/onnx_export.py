"""ResNet-50 with random weights as ONNX: `archdsl compile --to onnx` against torch.onnx.export, as whole processes.

    pip install -e '.[test]' onnxscript
    python benchmarks/onnx_export.py

The aim is a ratio of 60, and at least 10.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from processes import compare, python

SPEC = str(Path(__file__).parent.parent / "specs" / "resnet50.arch")
EXPORT = """
import sys, torch, torchvision
net = torchvision.models.resnet50(weights=None).eval()
batch = ({0: torch.export.Dim("N")},)
torch.onnx.export(net, (torch.randn(2, 3, 224, 224),), sys.argv[1], dynamo=True, dynamic_shapes=batch)
"""


def main() -> None:
    """Print both times and the ratio."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=3)
    runs = options.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        ours = [
            sys.executable,
            "-m",
            "archdsl",
            "compile",
            SPEC,
            "--to",
            "onnx",
            "-o",
            f"{folder}/ours.onnx",
            "--force",
        ]
        theirs = [*python(EXPORT), f"{folder}/theirs.onnx"]
        small, large = compare({"archdsl compile --to onnx": ours, "torch.onnx.export(dynamo=True)": theirs}, runs)
    print(f"ratio {large / small:.1f}")


if __name__ == "__main__":
    main()
