"""The zoo against its originals: torchvision's models, and what a spec of the same name makes of their weights."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torchvision
from torch import Tensor, nn

import archdsl
from archdsl.analyses.parameters import parameters
from archdsl.analyses.parameters import state_shapes as promised
from archdsl.files import read_spec
from archdsl.graph import Network
from archdsl.pipeline import build
from archdsl.zoo import lines

SPECS = Path(__file__).parent.parent.parent / "specs" / "torchvision"
NAMES = sorted(path.stem for path in SPECS.glob("*.arch"))
MIDDLE = (  # of each family the model in the middle
    "alexnet", "vgg16_bn", "squeezenet1_0", "googlenet", "inception_v3", "resnet50", "resnext50_32x4d",
    "wide_resnet50_2", "densenet169", "mobilenet_v2", "mobilenet_v3_large", "mnasnet1_0", "shufflenet_v2_x1_0",
    "regnet_x_3_2gf", "regnet_y_3_2gf", "efficientnet_b3", "efficientnet_v2_s", "convnext_small", "vit_b_16", "swin_s",
    "swin_v2_s", "maxvit_t", "fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large", "r3d_18",
    "r2plus1d_18", "s3d",
)  # fmt: skip


def spec(name: str) -> str:
    """The path of a model's spec."""
    return str(SPECS / f"{name}.arch")


def network(name: str) -> Network:
    """The checked network of a model's spec."""
    made, findings = build(read_spec(spec(name)), constants={}, inputs={}, fit=None)
    assert made is not None and not findings.found, [d.message for d in findings.found]
    return made


def state_shapes(made: Network) -> dict[str, tuple[int, ...]]:
    """The shapes of the state_dict that a network's layers promise."""
    return {key: entry.weight.shape for key, entry in promised(made).items()}


def original(name: str, device: str = "cpu") -> nn.Module:
    """torchvision's model, auxiliary heads and all, with weights as they come."""
    if device == "meta" and name.startswith("regnet"):
        return _regnet_on_meta(name)
    with torch.device(device):
        made: nn.Module = torchvision.models.get_model(name, weights=None, **arguments(name))
    return made


def arguments(name: str) -> dict[str, Any]:
    """What torchvision has to be told for a model with weights as they come and all of its heads."""
    if name in ("googlenet", "inception_v3"):
        return {"init_weights": False}
    if name.startswith("lraspp"):
        return {"weights_backbone": None}
    return {"weights_backbone": None, "aux_loss": True} if name.startswith(("fcn", "deeplabv3")) else {}


def _regnet_on_meta(name: str) -> nn.Module:
    """A regnet works out its widths with tensors, for which meta has no values."""
    kind: Any = torchvision.models.regnet.BlockParams
    found = kind.from_init_params

    def elsewhere(**given: Any) -> Any:
        with torch.device("cpu"):
            return found(**given)

    kind.from_init_params = elsewhere
    try:
        with torch.device("meta"):
            made: nn.Module = torchvision.models.get_model(name, weights=None)
    finally:
        kind.from_init_params = found
    return made


def shaken(model: nn.Module, seed: int = 0) -> nn.Module:
    """The model with no weight left at 0 or 1, so that each one counts in the numbers."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
        for key, buffer in model.named_buffers():
            if key.endswith("running_mean"):
                buffer.normal_(0, 0.1)
            elif key.endswith("running_var"):
                buffer.uniform_(0.8, 1.25)
    return model


class Parity(NamedTuple):
    """What one comparison found."""

    name: str
    parameters: int
    lines: int  # of the spec, without comments, empty lines and shared blocks
    evaluated: str  # "equal", or the greatest relative difference
    trained: str
    onnx: float  # the greatest relative difference of both batches


def compare(name: str) -> Parity:
    """Load the original's weights into the spec's module and compare numbers in eval and training, and by ONNX."""
    made = network(name)
    shape = made.inputs[0].value.type.shape
    theirs = shaken(original(name))
    ours = archdsl.load(spec(name))
    ours.load_state_dict(theirs.state_dict(), strict=True)
    torch.manual_seed(1)
    x = torch.randn(2, *shape)
    learned = {key for key, _ in theirs.named_parameters()}
    state = {key: value if key in learned else value.clone() for key, value in theirs.state_dict().items()}
    with torch.inference_mode():
        both = theirs.eval()(x)
        evaluated = difference(tensors(ours.eval()(x)), tensors(both))
        expected = [[t.numpy().copy() for t in tensors(given)] for given in (theirs(x[:1]), both)]
        trained = difference(*(_trained(model, x) for model in (ours, theirs)))
    del ours, theirs, both
    gc.collect()
    return Parity(name, parameters(made), lines(spec(name)), evaluated, trained, _onnx(name, state, x, expected))


def _trained(model: nn.Module, x: Tensor) -> list[Tensor]:
    """What training gives, and the buffers that it moved."""
    torch.manual_seed(2)
    given = tensors(model.train()(x))
    moved = {key: b for key, b in model.named_buffers() if key.endswith(("running_mean", "running_var"))}
    return [*given, *(moved[key] for key in sorted(moved))]


def tensors(given: Any) -> list[Tensor]:
    """A model's outputs, one or several, by name or not."""
    if isinstance(given, dict):
        return list(given.values())
    return [given] if isinstance(given, Tensor) else list(given)


def difference(a: list[Tensor], b: list[Tensor]) -> str:
    """ "equal" to the last bit, or the greatest relative difference."""
    assert [x.shape for x in a] == [x.shape for x in b]
    assert all(bool(y.isfinite().all()) for y in b)
    if all(torch.equal(x, y) for x, y in zip(a, b)):
        return "equal"
    return f"{max(float((x - y).abs().max() / y.abs().max().clamp(min=1e-30)) for x, y in zip(a, b)):.1e}"


def _onnx(name: str, state: dict[str, Tensor], x: Tensor, expected: list[list[Any]]) -> float:
    """The greatest relative difference of what onnxruntime computes, over a batch of one and one of two."""
    import onnxruntime
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory() as folder:
        weights, file = os.path.join(folder, "w.safetensors"), os.path.join(folder, "net.onnx")
        save_file(state, weights)
        state.clear()
        archdsl.to_onnx(spec(name), file, weights=weights)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        [given] = [i.name for i in session.get_inputs()]
        worst = 0.0
        for size, wanted in zip((1, 2), expected):
            found = session.run(None, {given: x[:size].numpy()})
            for ours, theirs in zip(found, wanted, strict=True):
                worst = max(worst, float(abs(ours - theirs).max() / abs(theirs).max()))
        return worst
