"""Writing an ONNX file: seconds and memory, against onnx.helper and torch.onnx.export, and a model of many gigabytes.

    python benchmarks/onnx_write.py                 # ResNet-50: in process, and whole processes
    python benchmarks/onnx_write.py --gigabytes 20  # a transformer of that size, weights beside the file

Needs what the tests need: pip install -e '.[test]'. The large file is removed afterwards.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "specs" / "resnet50.arch"
sys.path.insert(0, str(ROOT))

LARGE = """\
# A decoder of GPT's form: each layer has 12*width*width weights.
input 128 of int
width = 4096
depth = 24
block Layer(heads = 32) {
  ADD{ LN - MHA(heads, causal=true) |  }
  ADD{ LN - LINEAR(4*width) - GELU - LINEAR(width) |  }
}
embed: EMBEDDING(50_000, width)
layers: [Layer*depth]
LN - head: LINEAR(50_000, bias=false)
"""

OURS = """
from archdsl.cli import main
main()
"""

TORCH = """
import sys, torch, torchvision
net = torchvision.models.resnet50().eval()
torch.onnx.export(net, (torch.randn(2, 3, 224, 224),), sys.argv[1], dynamo=True, verbose=False)
"""


def peak(kind: int = resource.RUSAGE_SELF) -> float:
    """The greatest resident memory so far, in MiB."""
    return resource.getrusage(kind).ru_maxrss / 1024


def process(code: str, *arguments: str) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak memory of a fresh process."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPATH"] = str(ROOT)
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", code, *arguments], env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"the process ended with status {status}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def best(function: Callable[[], object], output: str, times: int = 5) -> float:
    """The least seconds of CPU of several runs, each to a new file: to free an old one is no work of a writer."""
    found = []
    for _ in range(times):
        Path(output).unlink(missing_ok=True)
        began = time.process_time()
        function()
        found.append(time.process_time() - began)
    return min(found)


def in_process(folder: str) -> None:
    """The same weights written by us and by onnx's own classes, and the memory that each takes above them."""
    import numpy as np

    from archdsl.api import open_source
    from archdsl.backends.onnx import write
    from archdsl.pipeline import build

    network, _ = build(open_source(str(SPEC), None), constants={}, inputs={}, fit=None)
    assert network is not None
    path = os.path.join(folder, "w.onnx")

    def ours() -> None:
        with open(path, "wb") as stream:
            write(network, stream, weights=weights)

    from safetensors.numpy import save_file

    from archdsl.analyses.parameters import state_shapes

    state = state_shapes(network)
    random = np.random.default_rng(0)
    arrays = {
        key: random.standard_normal(entry.weight.shape).astype("<f4" if entry.weight.dtype == "float" else "<i8")
        for key, entry in state.items()
    }
    weights = os.path.join(folder, "w.safetensors")
    save_file(arrays, weights)
    held = peak()
    mine = best(ours, path)
    print(
        f"in process, ResNet-50's weights from a file: archdsl {mine:.3f} s of CPU, "
        f"{peak() - held:.0f} MiB above the weights"
    )
    import onnx
    from onnx import helper, numpy_helper

    structure = onnx.load(path)
    infos = list(structure.graph.input), list(structure.graph.output)
    nodes = list(structure.graph.node)
    names = [tensor.name for tensor in structure.graph.initializer if tensor.name in arrays]
    del structure
    held = peak()

    def theirs() -> None:
        tensors = [numpy_helper.from_array(arrays[name], name) for name in names]
        model = helper.make_model(helper.make_graph(nodes, "ResNet50", *infos, tensors))
        with open(path, "wb") as stream:
            stream.write(model.SerializeToString())

    other = best(theirs, path)
    print(
        f"onnx.helper of ready nodes: {other:.3f} s of CPU, {peak() - held:.0f} MiB above; "
        f"{other / mine:.1f} times ours"
    )


def whole(folder: str) -> None:
    """A whole process each: a spec compiled, the one of least CPU of five, and torch's exporter."""
    target = os.path.join(folder, "ours.onnx")
    ours = min((process(OURS, "compile", str(SPEC), "-o", target) for _ in range(5)), key=lambda used: used[1])
    print("whole process, archdsl: {:.2f} s, {:.2f} s of CPU, {:.0f} MiB".format(*ours))
    theirs = process(TORCH, os.path.join(folder, "torch.onnx"))
    print("whole process, torch.onnx.export(dynamo=True): {:.2f} s, {:.2f} s of CPU, {:.0f} MiB".format(*theirs))
    print(f"CPU {theirs[1] / ours[1]:.0f} times ours")


def large(folder: str, gigabytes: float) -> None:
    """A transformer of so many gigabytes, beside the disk's own speed."""
    depth = max(1, round((gigabytes * 1e9 / 4 - 2 * 50_000 * 4096) / (12 * 4096**2)))
    spec = Path(folder, "large.arch")
    spec.write_text(LARGE)
    took, cpu, memory = process(
        OURS, "compile", str(spec), "-D", f"depth={depth}", "-o", os.path.join(folder, "large.onnx")
    )
    size = sum(path.stat().st_size for path in Path(folder).glob("large.onnx*"))
    print(f"{size / 1e9:.1f} GB in {took:.0f} s ({size / took / 1e6:.0f} MB/s), {cpu:.0f} s of CPU, {memory:.0f} MiB")
    for path in Path(folder).glob("large.onnx*"):
        path.unlink()
    began = time.perf_counter()
    with open(Path(folder, "plain"), "wb") as stream:
        part = os.urandom(1 << 24)
        for _ in range(size // len(part)):
            stream.write(part)
        stream.flush()
        os.fsync(stream.fileno())
    plain = time.perf_counter() - began
    print(
        f"the same many bytes alone: {plain:.0f} s ({size / plain / 1e6:.0f} MB/s); ours took {took / plain:.2f} of it"
    )


def main() -> None:
    """Run what is asked for."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--gigabytes", type=float, default=0, help="write a model of this size instead")
    options.add_argument("--folder", help="where to write; it needs room twice for a large model")
    given = options.parse_args()
    folder = tempfile.mkdtemp(dir=given.folder)
    try:
        if given.gigabytes:
            large(folder, given.gigabytes)
        else:
            whole(folder)
            in_process(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
