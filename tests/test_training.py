"""Emitted modules in training: plain, autocast, compiled, on several processes, channels last, on meta, copied."""

from __future__ import annotations

import copy
import io
import os
import pickle
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed
import torch.multiprocessing
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

import archdsl

ONE_LINER = "[(CONV-RELU)*N-POOL]*M-(FC-RELU)*K-SOFTMAX"
RESIDUAL = """
model SmallResNet
classes = 10
block Bottleneck(width, stride = 1, expansion = 4) {
  ADD{
    conv1: CONV(width, 1) - bn1: BN - RELU
    conv2: CONV(width, 3, stride) - bn2: BN - RELU
    conv3: CONV(expansion*width, 1) - bn3: BN
  |
    if stride > 1 or in.channels != expansion*width { downsample: [CONV(expansion*width, 1, stride) - BN] }
  }
  RELU
}
conv1: CONV(8) - bn1: BN - RELU - POOL
for i, width, depth, stride in [(1, 8, 2, 1), (2, 16, 3, 2)] {
  layer{i}: [Bottleneck(width, stride) - Bottleneck(width)*(depth - 1)]
}
GAP - DROPOUT(0.2) - fc: FC(classes) - SOFTMAX
"""
NETS: dict[str, dict[str, Any]] = {
    "one-liner": {"text": ONE_LINER, "input": "3x16x16", "N": 2, "M": 3, "K": 1, "classes": 10},
    "residual": {"text": RESIDUAL, "input": "3x16x16"},
}
NAMES = sorted(NETS)


def made(name: str) -> Any:
    """A net, the same weights each time."""
    torch.manual_seed(0)
    return archdsl.load(**NETS[name])


def batch() -> tuple[Tensor, Tensor]:
    """Images and their classes."""
    torch.manual_seed(1)
    return torch.randn(4, 3, 16, 16), torch.tensor([1, 5, 0, 9])


class Scores(nn.Module):
    """What a training loop wraps: the scores of a net as the result of forward."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.net.logits(x)
        return result


def steps(net: Any, forward: Any = None, count: int = 3) -> list[float]:
    """The losses of some steps of training on one batch."""
    x, y = batch()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    losses = []
    net.train()
    for _ in range(count):
        torch.manual_seed(2)  # of dropout
        optimizer.zero_grad()
        loss = F.cross_entropy((forward or net.logits)(x).float(), y)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("name", NAMES)
def test_a_step_trains_every_weight(name: str) -> None:
    """The loss falls, and every parameter gets a gradient."""
    net = made(name)
    losses = steps(net)
    assert losses[-1] < losses[0]
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in net.parameters())
    assert sum(float(p.grad.abs().sum()) > 0 for p in net.parameters()) == len(list(net.parameters()))


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_what_the_softmax_takes(name: str) -> None:
    """`net(x)` is the softmax of `net.logits(x)`, so that cross-entropy can have the scores."""
    net = made(name).eval()
    x, _ = batch()
    with torch.no_grad():
        scores = net.logits(x)
        assert torch.equal(net(x), F.softmax(scores, 1))
        assert not torch.allclose(net(x), scores)


@pytest.mark.parametrize("name", NAMES)
def test_autocast(name: str) -> None:
    """A step in bfloat16: the scores are of that type, the weights stay floats, and the loss falls."""
    net = made(name)

    def forward(x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores: Tensor = net.logits(x)
        assert scores.dtype == torch.bfloat16
        return scores

    losses = steps(net, forward)
    assert losses[-1] < losses[0]
    assert {p.dtype for p in net.parameters()} == {torch.float32}


@pytest.mark.parametrize("name", NAMES)
def test_compiled(name: str) -> None:
    """torch.compile takes forward and logits as one graph each, and trains to the same losses."""
    torch._dynamo.reset()
    net = made(name)
    compiled = torch.compile(net.logits, backend="eager", fullgraph=True)
    assert steps(net, compiled) == steps(made(name))
    x, _ = batch()
    with torch.no_grad():
        assert torch.equal(torch.compile(net.eval(), backend="eager", fullgraph=True)(x), net(x))


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("g++") is None and shutil.which("clang++") is None, reason="inductor needs a C++ compiler"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", NAMES)
def test_compiled_by_inductor(name: str) -> None:
    """What inductor makes of it trains to nearly the same losses."""
    torch._dynamo.reset()
    net = made(name)
    for module in net.modules():  # inductor draws other random numbers
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    plain = copy.deepcopy(net)
    assert steps(net, torch.compile(net.logits)) == pytest.approx(steps(plain), rel=1e-3)


def _process(rank: int, port: int, name: str, folder: str) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo")
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    try:
        net = made(name)
        for module in net.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        parallel = DistributedDataParallel(Scores(net))
        x, y = batch()
        half = slice(2 * rank, 2 * rank + 2)
        F.cross_entropy(parallel(x[half]), y[half]).backward()
        torch.save({key: p.grad for key, p in net.named_parameters()}, Path(folder) / f"{rank}.pt")
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_distributed(name: str, tmp_path: Path) -> None:
    """Two processes with half of the batch each come to one gradient, that of the whole where no norm mixes samples."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_process, (port, name, str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(first[key], second[key]) for key in first)
    net = made(name)
    assert first.keys() == dict(net.named_parameters()).keys()
    if name == "one-liner":
        x, y = batch()
        F.cross_entropy(net.logits(x), y).backward()
        for key, parameter in net.named_parameters():
            torch.testing.assert_close(first[key], parameter.grad)


@pytest.mark.parametrize("name", NAMES)
def test_channels_last(name: str) -> None:
    """In the other memory format the numbers are the same."""
    net = made(name).eval()
    other = copy.deepcopy(net).to(memory_format=torch.channels_last)
    x, _ = batch()
    with torch.no_grad():
        torch.testing.assert_close(other(x.to(memory_format=torch.channels_last)), net(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_on_meta(name: str) -> None:
    """Built, and moved, without memory."""
    with torch.device("meta"):
        built = archdsl.load(**NETS[name])
    moved = made(name).to("meta")
    for net in (built, moved):
        assert {t.device.type for t in (*net.parameters(), *net.buffers())} == {"meta"}
        assert net(torch.empty(2, 3, 16, 16, device="meta")).shape == (2, 10)


@pytest.mark.parametrize("name", NAMES)
def test_copies_train_alike(name: str) -> None:
    """A deep copy, a pickled one and one that loads the state_dict train to the original's losses, apart from it."""
    net = made(name)
    stream = io.BytesIO()
    torch.save(net.state_dict(), stream)
    stream.seek(0)
    torch.manual_seed(7)
    loaded = archdsl.load(**NETS[name])
    loaded.load_state_dict(torch.load(stream), strict=True)
    copies = [copy.deepcopy(net), pickle.loads(pickle.dumps(net)), loaded]
    wanted = steps(net)
    assert [steps(other) for other in copies] == [wanted] * 3
