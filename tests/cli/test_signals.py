"""A run of the command line in a process of its own, stopped by real signals, goes on bit for bit."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = [sys.executable, "-m", "mmcore", "train"]
OPTIONS = ["--image", "", "--text-encoder", "transformer", "--jit", "off", "--epochs", "3", "--seed", "3"]
FIRST_STEPS_S = 120


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> str:
    """The digest of a run that nobody stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run([*RUN, *OPTIONS, "--out", str(out)], check=True, capture_output=True)
    return digest(out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_stopped_by_a_signal_and_resumed(whole, tmp_path, number, exit_code):
    out = tmp_path / "run"
    process = subprocess.Popen(
        [*RUN, *OPTIONS, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        await_epoch(out, process)
        process.send_signal(number)
        stopped = time.monotonic()
        answer, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == exit_code
    assert time.monotonic() - stopped < 30
    if exit_code > 0:  # the checkpoint is of the very step
        figures = json.loads(answer.splitlines()[-1])
        assert figures["stopped"] and (out / "checkpoints" / f"step-{figures['steps']:08d}").exists()
    assert not (out / "model.safetensors").exists()
    subprocess.run([*RUN, "--out", str(out), "--resume"], check=True, capture_output=True)
    assert digest(out) == whole


def await_epoch(out: Path, process: subprocess.Popen) -> None:
    """Until the log has the figures of the first epoch."""
    log = out / "metrics.jsonl"
    end = time.monotonic() + FIRST_STEPS_S
    while time.monotonic() < end:
        assert process.poll() is None, f"the run ended early with {process.returncode}"
        if log.exists() and "val_accuracy" in log.read_text():
            return
        time.sleep(0.02)
    pytest.fail(f"no epoch within {FIRST_STEPS_S} s")


def digest(out: Path) -> str:
    """SHA-256 of the final weights."""
    return hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
