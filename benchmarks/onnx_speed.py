"""How fast onnxruntime runs our files beside those of torch.onnx.export: one thread's
CPU time, the median of 20 runs each.

    python benchmarks/onnx_speed.py

Needs what the tests need: pip install -e '.[test]', and onnxscript for torch's exporter.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402

import archdsl  # noqa: E402
from archdsl.analyses.parameters import state_shapes  # noqa: E402
from archdsl.api import open_source  # noqa: E402
from archdsl.pipeline import build  # noqa: E402

RESNET18 = """\
model ResNet18
input 3x224x224
block Basic(width, stride = 1) {
  ADD{
    conv1: CONV(width, 3, stride) - bn1: BN - RELU
    conv2: CONV(width, 3) - bn2: BN
  |
    if stride > 1 or in.channels != width { downsample: [CONV(width, 1, stride) - BN] }
  }
  RELU
}
conv1: CONV(64, 7, stride=2) - bn1: BN - RELU - POOL(3, stride=2, padding=1)
for i, width, stride in [(1, 64, 1), (2, 128, 2), (3, 256, 2), (4, 512, 2)] {
  layer{i}: [Basic(width, stride) - Basic(width)]
}
GAP - fc: FC(1000)
"""

NETS = {
    "resnet18": (RESNET18, torchvision.models.resnet18),
    "mobilenetv2": ("specs/mobilenetv2.arch", torchvision.models.mobilenet_v2),
    "vit": ("specs/vit_b_16.arch", torchvision.models.vit_b_16),
}
RUNS = 20


def session(path: Path) -> onnxruntime.InferenceSession:
    """One thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def main() -> None:
    """Print a line for each network: both medians, taken turn by turn, and the greatest difference."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name, (spec, made) in NETS.items():
        source = open_source(str(ROOT / spec), None) if spec.endswith(".arch") else open_source(None, spec)
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs, weights = (Path(folder, n) for n in ("ours.onnx", "theirs.onnx", "w.pt"))
            net = made().eval()
            network, _ = build(source, constants={}, inputs={}, fit=None)
            assert network is not None
            for parameter in net.parameters():  # a head of zeros would compare nothing
                if not bool(parameter.any()):
                    torch.nn.init.normal_(parameter, std=0.02)
            state = net.state_dict()
            keys = state_shapes(network)
            others = [key for key in state if key not in keys]  # other names, in the same order
            for key, other in zip([key for key in keys if key not in state], others):
                state[key] = state.pop(other)
            state = {key: value.reshape(keys[key].weight.shape) for key, value in state.items()}
            torch.save(state, weights)
            archdsl.to_onnx(None, ours, text=source.text, weights=weights)
            x = torch.randn(1, 3, 224, 224)
            torch.onnx.export(net, (x,), str(theirs), dynamo=True, verbose=False, external_data=False)
            times: tuple[list[float], list[float]] = ([], [])
            sessions = session(ours), session(theirs)
            feeds = [{s.get_inputs()[0].name: x.numpy()} for s in sessions]
            results = [s.run(None, feed)[0] for s, feed in zip(sessions, feeds)]
            for _ in range(RUNS):
                for taken, s, feed in zip(times, sessions, feeds):
                    began = time.thread_time()
                    s.run(None, feed)
                    taken.append(time.thread_time() - began)
            mine, other = (statistics.median(taken) * 1e3 for taken in times)
            difference = np.abs(results[0] - results[1]).max() / np.abs(results[1]).max()
            print(
                f"{name}: archdsl {mine:.1f} ms, torch.onnx.export {other:.1f} ms, ratio {mine / other:.2f}, "
                f"difference {difference:.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
