"""Files of a spec in onnxruntime, held against torch with the same weights."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

import archdsl


def session(data: bytes) -> onnxruntime.InferenceSession:
    """One thread, and what it warns of is an error to `hold`."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(data, settings, providers=["CPUExecutionProvider"])


def weights_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Random weights for it."""
    made = torch.Generator().manual_seed(0)
    return {
        key: torch.rand(value.shape, generator=made) * 0.5 + 0.1 if value.is_floating_point() else value
        for key, value in module.state_dict().items()
    }


def dimensions(value: onnx.ValueInfoProto) -> list[int | str]:
    """A tensor's sizes and their names."""
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def hold(
    text: str, points: Sequence[Mapping[str, int]], opsets: Sequence[int] = (17, 20, 22), **options: Any
) -> onnx.ModelProto:
    """One file for each opset, run at all points and two batches, must give what torch gives at each; the last one."""
    modules = [archdsl.load(text=text, **point).eval() for point in points]
    state = weights_of(modules[0])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "w.pt")
        torch.save(state, path)
        files = [archdsl.to_onnx(text=text, weights=path, opset=opset, **options) for opset in opsets]
    for data in files:
        onnx.checker.check_model(data, full_check=True)
        run = session(data)
        for module, point in zip(modules, points):
            module.load_state_dict(state)
            for batch in (1, 3):
                given = {}
                for i in run.get_inputs():
                    shape = [batch if n in ("N", "batch") else n for n in i.shape[:1]]
                    shape += [point[n] if isinstance(n, str) else n for n in i.shape[1:]]
                    made = torch.Generator().manual_seed(sum(shape))
                    float_ = i.type == "tensor(float)"
                    given[i.name] = torch.randn(shape, generator=made) if float_ else torch.randint(0, 5, shape)
                with torch.no_grad():
                    wanted = module(*given.values())
                wanted = wanted if isinstance(wanted, tuple) else (wanted,)
                for y, w in zip(run.run(None, {name: x.numpy() for name, x in given.items()}), wanted):
                    assert y.shape == tuple(w.shape), (point, text)
                    near = 1e-5 * max(1e-30, float(w.abs().max()))
                    np.testing.assert_allclose(y, w.numpy(), rtol=0, atol=near, err_msg=f"{point} of {text}")
    return onnx.load_from_string(files[-1])
