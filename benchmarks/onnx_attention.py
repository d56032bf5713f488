"""ONNX's own Attention (opset 23) beside its parts (opset 22) in onnxruntime: CPU time, the least of 60 runs each.

    python benchmarks/onnx_attention.py

Needs what the tests need: pip install -e '.[test]'.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import onnxruntime

import archdsl

RUNS = 60
CASES = [(197, 768, 12, False), (128, 768, 12, False), (512, 512, 8, True), (1024, 768, 12, True)]


def session(text: str, opset: int) -> onnxruntime.InferenceSession:
    """One thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    data = archdsl.to_onnx(text=text, opset=opset)
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def main() -> None:
    """Print a line for each length, width and number of heads: both times, taken turn by turn, and the difference."""
    for length, width, heads, causal in CASES:
        text = f"input {length}x{width}\nATTENTION({heads}, causal={str(causal).lower()}){{ ID | ID | ID }}"
        sessions = [session(text, opset) for opset in (22, 23)]
        x = {"input": np.random.default_rng(0).standard_normal((1, length, width), dtype=np.float32)}
        results = [made.run(None, x)[0] for made in sessions]
        times: list[list[float]] = [[], []]
        for _ in range(RUNS):
            for taken, made in zip(times, sessions):
                began = time.thread_time()
                made.run(None, x)
                taken.append(time.thread_time() - began)
        parts, whole = (min(taken) * 1e3 for taken in times)
        difference = np.abs(results[0] - results[1]).max() / np.abs(results[0]).max()
        print(
            f"{length}x{width}, {heads} heads{', causal' if causal else ''}: parts {parts:.2f} ms, Attention "
            f"{whole:.2f} ms, ratio {whole / parts:.2f}, difference {difference:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
