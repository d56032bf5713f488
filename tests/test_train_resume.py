"""Never lost: a run that was stopped ends with the weights of one that was not; what cannot go on says why."""

from __future__ import annotations

import errno
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from archdsl.cli.commands import run
from archdsl.diagnostics import ArchError
from archdsl.training import checkpoint
from archdsl.training.run import cut_metrics, open_run
from tests.support.training import DIGITS, Crash, same, state_of, trained

SMALL: dict[str, Any] = {"epochs": 2, "batch": 128, "accumulate": 2, "augment": ["crop"], "lr": 0.01}


@pytest.mark.parametrize("settings", [{}, {"optimizer": "sgd", "schedule": "onecycle", "every": 3}], ids=str)
def test_a_run_that_was_cut_off_ends_as_one_that_was_not(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Weights, optimizer, random state and losses, bit by bit, with dropout, BN, augmentation and accumulation."""
    calm = trained(tmp_path / "calm", **SMALL, **settings)
    with pytest.raises(Crash):
        trained(tmp_path / "cut", **SMALL, **settings, crash=21)
    (tmp_path / "cut" / ".last.safetensors.0123.tmp").write_text("half")
    torch.manual_seed(12345)
    again = trained(tmp_path / "cut")
    assert same(state_of(tmp_path / "cut"), state_of(tmp_path / "calm"))
    assert 11 < again.plan["step"] <= 21 if "every" in settings else again.plan["step"] == 11
    assert again.epochs[-1] == calm.epochs[-1]
    assert not list((tmp_path / "cut").rglob("*.tmp"))
    for name in ("best", "last"):
        weights = [(tmp_path / folder / f"{name}.safetensors").read_bytes() for folder in ("cut", "calm")]
        assert weights[0] == weights[1]


def test_the_test_sees_a_difference(tmp_path: Path) -> None:
    """The test of the test: other random numbers for dropout give other weights."""
    trained(tmp_path / "a", **SMALL)
    with pytest.raises(Crash):
        trained(tmp_path / "b", **SMALL, crash=21)
    folder = tmp_path / "b" / "checkpoints"
    [(step, path)] = checkpoint.found(str(folder))
    state = checkpoint.read(Path(path).read_bytes())
    state["random"][0][0] = torch.random.default_generator.get_state()
    checkpoint.save(str(folder), step, state)
    trained(tmp_path / "b")
    assert not same(state_of(tmp_path / "a")["model"], state_of(tmp_path / "b")["model"])


def test_more_epochs_go_on_as_the_longer_run(tmp_path: Path) -> None:
    """With a constant rate, two epochs and then two more are four; the run's settings say four."""
    settings = {**SMALL, "schedule": "constant"}
    trained(tmp_path / "four", **{**settings, "epochs": 4})
    trained(tmp_path / "two", **settings)
    trained(tmp_path / "two", epochs=4)
    assert same(state_of(tmp_path / "two"), {**state_of(tmp_path / "four")})
    assert open_run(str(tmp_path / "two")).settings.epochs == 4


def words(folder: Path, *more: str) -> list[str]:
    """A command line over the spec in the folder."""
    (folder / "net.arch").write_text(DIGITS)
    spec, where = str(folder / "net.arch"), str(folder / "run")
    return ["train", spec, "--data", "builtin:digits", "-o", where, "--epochs", "1", "--batch", "128", *more]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["--seed", "1"], "--seed is 1 now, and 0 in the run"),
        (["--batch", "64"], "--batch is 64 now, and 128 in the run"),
        (["--lr", "0.5"], "--lr is 0.5 now, and not given in the run"),
        (["--input", "1x9x9"], "what completes the spec is --input 1x9x9 now, and nothing in the run"),
    ],
)
def test_another_run_is_an_error_that_names_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], told: str
) -> None:
    """E735, with both values; nothing is changed."""
    assert run(words(tmp_path)) == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    capsys.readouterr()
    assert run(words(tmp_path, "--resume", *change)) == 2 or change[0] == "--input"
    assert told in capsys.readouterr().err or change[0] == "--input"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


def test_another_spec_is_an_error_that_shows_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """E735 for another layer, and none for another comment."""
    call = words(tmp_path)
    assert run(call) == 0
    (tmp_path / "net.arch").write_text("# the same\n" + DIGITS)
    assert run([*call, "--resume"]) == 0
    (tmp_path / "net.arch").write_text(DIGITS.replace("0.3", "0.4"))
    capsys.readouterr()
    assert run([*call, "--resume"]) == 2
    told = capsys.readouterr().err
    assert "E735" in told and "DROPOUT(0.4)" in told and "DROPOUT(0.3)" in told


def flipped(data: bytes) -> bytes:
    """One bit of the largest tensor turned."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = max(archive.infolist(), key=lambda entry: entry.file_size).filename
        place = data.index(archive.read(name)) + 100
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_broken_checkpoint_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cut off, or a bit of it turned: the one before is taken, with a warning, to the same end."""
    for number, damage in enumerate((lambda b: b[: len(b) // 2], flipped)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert run(words(folder, "--epochs", "2")) == 0
        expected = state_of(folder / "run")
        [newest, (step, _)] = checkpoint.found(str(folder / "run" / "checkpoints"))
        path = Path(newest[1])
        path.write_bytes(damage(path.read_bytes()))
        capsys.readouterr()
        assert run(["train", "--resume", "-o", str(folder / "run")]) == 0
        assert f"{path} is passed over, for it is broken" in capsys.readouterr().err
        assert step == 11 and same(state_of(folder / "run"), expected)


def test_metrics_have_each_step_once(tmp_path: Path) -> None:
    """What will be done again is cut out of metrics.jsonl, and so is a line that was being written."""
    path = tmp_path / "metrics.jsonl"
    kept = [{"event": "start"}, {"event": "step", "step": 10}, {"event": "note"}, {"event": "epoch", "step": 11}]
    later = [{"event": "step", "step": 20}, {"event": "note"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*kept, *later]) + '{"event": "st')
    cut_metrics(str(tmp_path), 11)
    assert [json.loads(line) for line in path.read_text().splitlines()] == kept
    cut_metrics(str(tmp_path), 0)
    assert path.read_text() == ""


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """E741 names the file and the checkpoint that is there; the run can go on from it."""
    trained(tmp_path / "calm", **SMALL)

    def full(state: object, stream: Any) -> None:
        stream.write(b"PK" + bytes(1000))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(Crash):
        trained(tmp_path / "run", **SMALL, crash=21)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(ArchError) as error:
            trained(tmp_path / "run")
    assert "E741" in str(error.value) and "the checkpoint of step 11 is whole" in str(error.value)
    assert "No space left on device" in str(error.value)
    assert not list((tmp_path / "run").rglob("*.tmp"))
    trained(tmp_path / "run")
    assert same(state_of(tmp_path / "run"), state_of(tmp_path / "calm"))


def started(words: list[str], **given: Any) -> subprocess.Popen[str]:
    """The command line as a process."""
    return subprocess.Popen([sys.executable, "-m", "archdsl", *words], stderr=subprocess.PIPE, text=True, **given)


def wait_for_a_step(run: Path, process: subprocess.Popen[str]) -> None:
    """Until metrics.jsonl has a step."""
    while '"step",' not in (text := (run / "metrics.jsonl").read_text() if (run / "metrics.jsonl").exists() else ""):
        assert process.poll() is None, text
        time.sleep(0.01)


def test_a_signal_saves_and_a_kill_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM ends with 143 after the step, in a checkpoint; SIGKILL at once; then on to the end of one left alone."""
    long = words(tmp_path, "--epochs", "10", "--every", "7")
    with started(long) as process:
        wait_for_a_step(tmp_path / "run", process)
        process.send_signal(signal.SIGTERM)
        told = process.communicate()[1]
    assert process.returncode == 143, told
    step = state_of(tmp_path / "run")["progress"]["step"]
    assert f"stopped by signal 15 at step {step}" in told
    with started([*long, "--resume"], start_new_session=True) as process:
        while not any(n > step for n, _ in checkpoint.found(str(tmp_path / "run" / "checkpoints"))):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    assert run([*long, "--resume"]) == 0
    assert run([*long, "-o", str(tmp_path / "calm")]) == 0
    assert same(state_of(tmp_path / "run"), state_of(tmp_path / "calm"))


@pytest.mark.slow
def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """A limit of the system on the size of files stands for a full disk: exit status 2, a message, no traceback."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    with started(words(tmp_path), preexec_fn=limit) as process:
        told = process.communicate()[1]
    assert process.returncode == 2 and "E741" in told and "Traceback" not in told
