"""Many devices: processes that share the work out come to what one would, and go on together; half precision too."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from archdsl.training import checkpoint
from archdsl.training.distributed import World, lost_others
from archdsl.training.launch import free_port
from tests.support.training import DIGITS, Crash, same, state_of, trained

PLAIN = "input 1x8x8\nCONV(8) - RELU - POOL - FC(16) - RELU - FC(10) - SOFTMAX\n"
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def _inside(rank: int, size: int, port: int, work: Callable[..., Any], given: tuple[Any, ...]) -> None:
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    os.environ.update(address, RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank))
    torch.set_num_threads(1)
    work(*given)


def processes(size: int, work: Callable[..., Any], *given: Any) -> list[int]:
    """Run it in so many processes, which know of each other as torchrun's do; their exit statuses.

    They are forked from one that has torch and has done nothing with it: where autograd's threads have run, as in
    this one after any other test, torch refuses to go on in a fork.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.training"])
    port = free_port()
    every = [context.Process(target=_inside, args=(rank, size, port, work, given)) for rank in range(size)]
    for one in every:
        one.start()
    for one in every:
        one.join()
    return [one.exitcode or 0 for one in every]


def train(folder: Path, text: str, crash: int | None, settings: dict[str, Any]) -> None:
    """A training, the losses of whose epochs are left in a file beside it."""
    try:
        heard = trained(folder, text, crash=crash, **settings)
    except Crash:
        sys.exit(9)
    if os.environ["RANK"] == "0":
        folder.with_suffix(".json").write_text(json.dumps(heard.epochs))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_two_processes_come_to_what_one_does(tmp_path: Path, accumulate: int) -> None:
    """--batch is what a step learns from: neither processes nor parts change it, but for rounding. Validation, of 359
    samples, counts each once."""
    settings = {"epochs": 1, "batch": 64, "lr": 0.01, "optimizer": "sgd", "schedule": "constant"}
    alone = trained(tmp_path / "one", PLAIN, **settings)
    assert processes(2, train, tmp_path / "two", PLAIN, None, {**settings, "accumulate": accumulate}) == [0, 0]
    one, two = state_of(tmp_path / "one")["model"], state_of(tmp_path / "two")["model"]
    for key in one:
        torch.testing.assert_close(two[key], one[key])
    [told] = json.loads((tmp_path / "two.json").read_text())
    assert told == pytest.approx(alone.epochs[0], rel=1e-5)
    assert told["valid_accuracy"] * 359 == pytest.approx(round(told["valid_accuracy"] * 359))


def test_weights_that_get_no_gradient(tmp_path: Path) -> None:
    """An output in training whose loss weighs nothing: several processes train all the same."""
    text = PLAIN.replace("- FC(16)", "- body: FC(16)").replace(
        "- RELU - FC(10)", "\naux: [@body - FC(10)]\n@body - FC(10)"
    )
    assert processes(2, train, tmp_path / "run", text + "output aux in training\n", None, {"aux_weight": 0.0}) == [0, 0]
    first, last = torch.load(tmp_path / "run" / "checkpoints" / "00000110.pt"), state_of(tmp_path / "run")
    assert any(key.startswith("aux.") for key in first["model"]) and last["progress"]["step"] == 110


def test_two_processes_that_were_cut_off(tmp_path: Path) -> None:
    """Bit-identical with dropout of each rank's own, BN, augmentation, accumulation and workers."""
    settings = {"epochs": 2, "batch": 128, "accumulate": 2, "augment": ["crop"], "every": 4}
    assert processes(2, train, tmp_path / "calm", DIGITS, None, settings) == [0, 0]
    first, other = processes(2, train, tmp_path / "cut", DIGITS, 16, settings)
    assert first == 9 and other != 0
    assert processes(2, train, tmp_path / "cut", DIGITS, None, {}) == [0, 0]
    calm, cut = state_of(tmp_path / "calm"), state_of(tmp_path / "cut")
    assert same(cut, calm)
    assert not torch.equal(calm["random"][0][0], calm["random"][1][0])


def _ended() -> None:
    with World("cpu") as world:
        if world.first:
            os._exit(0)
        try:
            world.sum([1.0])
        except RuntimeError as error:
            os._exit(6 if lost_others(error) else 7)


def test_a_process_that_has_ended_is_known() -> None:
    """What torch raises in the others is taken for that."""
    assert processes(2, _ended) == [0, 6]


def _same() -> None:
    with World("cpu") as world:
        try:
            world.same("the data", "abc" if world.first else "abd")
        except Exception as error:
            sys.exit(3 if "process 1 has another value of the data" in str(error) else 4 if not world.first else 5)


def test_processes_that_see_different_data_say_so() -> None:
    """E744, told by the first."""
    assert processes(2, _same) == [3, 4]


def start(folder: Path, run: str, *more: str, text: str = DIGITS) -> subprocess.Popen[str]:
    """A command line as a process."""
    (folder / "net.arch").write_text(text)
    words = ["train", str(folder / "net.arch"), "--data", "builtin:digits", "-o", str(folder / run), "--batch", "128"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "archdsl", *words, "--device", "cpu", *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def finished(process: subprocess.Popen[str], status: int = 0) -> str:
    """What it said until its end."""
    told = process.communicate()[1]
    assert process.returncode == status, told
    assert "Traceback" not in told
    return told


@pytest.mark.slow
def test_four_processes_by_nproc(tmp_path: Path) -> None:
    """--nproc 4 trains, and torchrun with as many to the same bits."""
    finished(start(tmp_path, "ours", "--nproc", "4", "--epochs", "1"))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "4", "-m", "archdsl", "train"]
    words = [str(tmp_path / "net.arch"), "--data", "builtin:digits", "-o", str(tmp_path / "theirs"), "--batch", "128"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*torchrun, *words, "--device", "cpu", "--epochs", "1"], check=True, env=environment)
    ours, theirs = state_of(tmp_path / "ours"), state_of(tmp_path / "theirs")
    assert len(ours["random"]) == 4 and same(ours, theirs)


@pytest.mark.slow
def test_two_agents_on_the_loopback(tmp_path: Path) -> None:
    """Two machines of one process each, started by --nnodes, come to the bits of one machine of two."""
    finished(start(tmp_path, "one", "--nproc", "2", "--epochs", "1"))
    more = ["--nproc", "1", "--nnodes", "2", "--rendezvous", f"127.0.0.1:{free_port()}", "--epochs", "1"]
    agents = [start(tmp_path, "two", *more, "--node-rank", str(rank)) for rank in (0, 1)]
    for agent in agents:
        finished(agent)
    assert same(state_of(tmp_path / "one"), state_of(tmp_path / "two"))


@pytest.mark.slow
def test_a_signal_to_the_agent_saves(tmp_path: Path) -> None:
    """SIGTERM to the process that --nproc started reaches all; they stop at one step, and go on to the same end."""
    process = start(tmp_path, "run", "--nproc", "2", "--epochs", "30")
    metrics = tmp_path / "run" / "metrics.jsonl"
    while not (metrics.exists() and '"step",' in metrics.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert "stopped by signal 15" in finished(process, 143)
    [(step, _), *_] = checkpoint.found(str(tmp_path / "run" / "checkpoints"))
    assert step < 30 * 11
    finished(start(tmp_path, "run", "--nproc", "2", "--epochs", "30", "--resume"))
    finished(start(tmp_path, "calm", "--nproc", "2", "--epochs", "30"))
    assert same(state_of(tmp_path / "run"), state_of(tmp_path / "calm"))


@pytest.mark.slow
def test_another_number_of_processes_is_an_error(tmp_path: Path) -> None:
    """E735 with the option that mends it, told once; so is a batch that cannot be shared out."""
    finished(start(tmp_path, "run", "--nproc", "2", "--epochs", "1"))
    told = finished(start(tmp_path, "run", "--resume"), 2)
    assert "the number of processes is 1 now, and 2 in the run" in told and "help: --nproc 2" in told
    told = finished(start(tmp_path, "other", "--nproc", "2", "--batch", "63"), 2)
    assert told.count("E738") == 1


@pytest.mark.slow
def test_fsdp_comes_to_what_ddp_does(tmp_path: Path) -> None:
    """Weights shared out over two processes: the same training but for rounding, resumed to the same bits."""
    settings = {"epochs": 2, "batch": 128, "lr": 0.01, "schedule": "constant", "accumulate": 2}
    text = PLAIN.replace("FC(16)", "FC(4000) - RELU - FC(300)")
    assert processes(2, train, tmp_path / "ddp", text, None, settings) == [0, 0]
    assert processes(2, train, tmp_path / "fsdp", text, None, {**settings, "fsdp": True}) == [0, 0]
    ddp, fsdp = state_of(tmp_path / "ddp")["model"], state_of(tmp_path / "fsdp")["model"]
    assert ddp.keys() == fsdp.keys()
    for key in ddp:
        torch.testing.assert_close(fsdp[key], ddp[key], rtol=1e-3, atol=1e-4)
    assert processes(2, train, tmp_path / "cut", text, 21, {**settings, "fsdp": True})[0] == 9
    assert processes(2, train, tmp_path / "cut", text, None, {}) == [0, 0]
    assert same(state_of(tmp_path / "cut"), state_of(tmp_path / "fsdp"))


def test_bf16(tmp_path: Path) -> None:
    """Autocast to bfloat16: another training than without, with float weights, which goes on to the same bits."""
    settings = {"epochs": 2, "batch": 128, "lr": 0.01}
    trained(tmp_path / "plain", **settings)
    calm = trained(tmp_path / "calm", **settings, amp="bf16")
    with pytest.raises(Crash):
        trained(tmp_path / "cut", **settings, amp="bf16", crash=21)
    trained(tmp_path / "cut")
    assert same(state_of(tmp_path / "cut"), state_of(tmp_path / "calm"))
    weights = state_of(tmp_path / "calm")["model"]
    assert not same(weights, state_of(tmp_path / "plain")["model"])
    assert {w.dtype for w in weights.values()} == {torch.float32, torch.int64}
    assert calm.epochs[-1]["loss"] < calm.epochs[0]["loss"]


def test_channels_last(tmp_path: Path) -> None:
    """The other order in memory trains to nearly the same weights, which are saved in the usual one."""
    settings = {"epochs": 1, "batch": 128, "lr": 0.01, "optimizer": "sgd"}
    trained(tmp_path / "plain", PLAIN, **settings)
    trained(tmp_path / "last", PLAIN, **settings, channels_last=True)
    plain, last = state_of(tmp_path / "plain")["model"], state_of(tmp_path / "last")["model"]
    for key in plain:
        assert last[key].is_contiguous()
        torch.testing.assert_close(last[key], plain[key], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled(tmp_path: Path) -> None:
    """--compile compiles, keeps the keys, trains as well as without, and goes on to the same bits."""
    settings = {"epochs": 2, "batch": 128, "lr": 0.01, "optimizer": "sgd"}
    trained(tmp_path / "plain", PLAIN, **settings)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    trained(tmp_path / "calm", PLAIN, **settings, compile=True)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 1
    assert not torch._dynamo.utils.counters["graph_break"]
    with pytest.raises(Crash):
        trained(tmp_path / "cut", PLAIN, **settings, compile=True, crash=21)
    trained(tmp_path / "cut", PLAIN)
    plain, calm = state_of(tmp_path / "plain")["model"], state_of(tmp_path / "calm")["model"]
    assert same(state_of(tmp_path / "cut"), state_of(tmp_path / "calm"))
    assert plain.keys() == calm.keys()
    for key in plain:
        torch.testing.assert_close(calm[key], plain[key], rtol=1e-2, atol=1e-3)


@GPU
@pytest.mark.parametrize("amp", [None, "bf16", "fp16"])
def test_on_a_gpu(tmp_path: Path, amp: str | None) -> None:
    """A run on a GPU, in half precision too, learns."""
    heard = trained(tmp_path / "run", device="cuda", epochs=3, batch=128, lr=0.01, amp=amp)
    assert heard.epochs[-1]["valid_accuracy"] > 0.5
