from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmcore import train, weights
from mmcore.errors import CheckpointError

FILES = ["extra.json", "manifest.json", "model.safetensors", "training.safetensors"]


@pytest.fixture
def saved(kit, tmp_path):
    """A folder with checkpoints of the steps 1 and 2, and the digests of their states."""
    state, checkpointer, digests = kit.state(), train.Checkpointer(tmp_path), []
    for batch in kit.batches(2):
        kit.step(state, batch)
        checkpointer.save(state, extra={"position": [0, int(state.step)]})
        digests.append(kit.digest(state))
    return checkpointer, digests


def restore_first(kit, checkpointer, digests, reason):
    """The newest checkpoint is damaged: a warning, and the one before is loaded."""
    state = kit.state()
    with pytest.warns(UserWarning, match=f"passing over the damaged checkpoint .*step-00000002: {reason}"):
        restored = checkpointer.restore(state)
    assert restored.step == 1 and restored.extra == {"position": [0, 1]}
    assert kit.digest(state) == digests[0]


@pytest.mark.parametrize("k", [1, 4])
def test_resuming_equals_the_run_that_never_stopped(kit, tmp_path, k):
    whole, part, resumed = kit.state(), kit.state(), kit.state(seed=99)
    batches = kit.batches(6)
    for batch in batches:
        kit.step(whole, batch)
    for batch in batches[:k]:
        kit.step(part, batch)
    train.Checkpointer(tmp_path).save(part, extra={"batch": k})
    restored = train.Checkpointer(tmp_path).restore(resumed)
    for batch in batches[restored.extra["batch"] :]:
        kit.step(resumed, batch)
    assert kit.digest(resumed) == kit.digest(whole)


def test_files_and_manifest(kit, saved):
    path = saved[0].paths()[-1]
    assert sorted(file.name for file in path.iterdir()) == FILES
    assert json.loads((path / "manifest.json").read_text())["step"] == 2
    model = weights.read_weights(path / "model.safetensors")
    assert set(model) == set(kit.state().weights)


def test_keeps_last_and_best(kit, tmp_path):
    state, checkpointer = kit.state(), train.Checkpointer(tmp_path, keep_last=2)
    for step, metric in enumerate([0.3, 0.9, None, float("nan"), 0.5, 0.4]):
        state.step.assign(step)
        checkpointer.save(state, metric=metric)
    assert [path.name for path in checkpointer.paths()] == ["step-00000001", "step-00000004", "step-00000005"]
    best = checkpointer.restore(state, which="best")
    assert (best.step, best.metric) == (1, 0.9)
    assert checkpointer.restore(state).step == 5


def test_best_without_metric_is_the_last_and_keep_best_can_be_off(kit, tmp_path):
    state, checkpointer = kit.state(), train.Checkpointer(tmp_path, keep_last=1, keep_best=False)
    checkpointer.save(state, metric=0.9)
    state.step.assign(1)
    checkpointer.save(state)
    assert [path.name for path in checkpointer.paths()] == ["step-00000001"]
    assert checkpointer.restore(state, which="best").step == 1


def test_saving_a_step_twice_gives_the_second(kit, tmp_path):
    state, checkpointer = kit.state(), train.Checkpointer(tmp_path)
    checkpointer.save(state, extra="first")
    checkpointer.save(state, extra="second")
    assert checkpointer.restore(state).extra == "second"


@pytest.mark.parametrize("name", FILES)
def test_flipped_byte_is_detected(kit, saved, name):
    checkpointer, digests = saved
    rng = random.Random(name)
    good = (checkpointer.paths()[-1] / name).read_bytes()
    for position in (rng.randrange(len(good)), len(good) // 2):
        bad = bytearray(good)
        bad[position] ^= 1 << rng.randrange(7)
        (checkpointer.paths()[-1] / name).write_bytes(bad)
        restore_first(kit, checkpointer, digests, "")


@pytest.mark.parametrize("name", FILES)
def test_truncated_file_is_detected(kit, saved, name):
    checkpointer, digests = saved
    file = checkpointer.paths()[-1] / name
    for size in (file.stat().st_size - 1, 0):
        os.truncate(file, size)
        restore_first(
            kit, checkpointer, digests, "manifest.json is not" if "manifest" in name else f"{name} has"
        )


@pytest.mark.parametrize("name", FILES[2:])
def test_file_swapped_with_another_checkpoints_is_detected(kit, saved, name):
    checkpointer, digests = saved
    first, second = checkpointer.paths()
    shutil.copy(first / name, second / name)
    restore_first(kit, checkpointer, digests, f"{name} does not have the checksum")


def test_missing_file_is_detected(kit, saved):
    checkpointer, digests = saved
    (checkpointer.paths()[-1] / "training.safetensors").unlink()
    restore_first(kit, checkpointer, digests, ".*No such file")


def test_checkpoint_without_manifest_is_none(kit, saved):
    checkpointer, digests = saved
    (checkpointer.paths()[-1] / "manifest.json").unlink()
    state = kit.state()
    assert checkpointer.restore(state).step == 1
    assert kit.digest(state) == digests[0]


def test_format_of_another_version_is_named(kit, saved, monkeypatch):
    checkpointer, _ = saved
    with monkeypatch.context() as patch:
        patch.setattr("mmcore.train.checkpoint.FORMAT", 7)
        state = kit.state()
        state.step.assign(2)
        checkpointer.save(state)
    with pytest.warns(UserWarning, match="format 7, this version of mmcore reads format 1"):
        checkpointer.restore(state)


def test_only_damaged_checkpoints(kit, saved):
    checkpointer, _ = saved
    for path in checkpointer.paths():
        (path / "extra.json").write_text("")
    with (
        pytest.warns(UserWarning),
        pytest.raises(CheckpointError, match=r"no whole checkpoint in .* \(2 damaged\)"),
    ):
        checkpointer.restore(kit.state())


def test_no_checkpoints(kit, tmp_path):
    with pytest.raises(CheckpointError, match="no whole checkpoint"):
        train.Checkpointer(tmp_path / "none").restore(kit.state())


def test_checkpoint_of_another_setup_names_paths(kit, saved):
    with pytest.raises(
        CheckpointError, match=r"belongs to another model or setup: .*unexpected: ema\.average"
    ):
        saved[0].restore(kit.state(ema_decay=None))


def test_order_is_sync_files_manifest_last_then_rename_then_folder(kit, tmp_path, monkeypatch):
    calls = []
    real = {name: getattr(os, name) for name in ("fsync", "rename")}

    def fsync(descriptor):
        calls.append(("fsync", Path(os.readlink(f"/proc/self/fd/{descriptor}"))))
        real["fsync"](descriptor)

    def rename(source, target):
        calls.append(("rename", Path(target)))
        real["rename"](source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    path = train.Checkpointer(tmp_path).save(kit.state())
    names = [name for _, file in calls[:4] for name in [file.name]]
    assert set(names[:3]) == set(FILES) - {"manifest.json"} and names[3] == "manifest.json"
    temporary = calls[0][1].parent
    assert calls[4:] == [("fsync", temporary), ("rename", path), ("fsync", tmp_path)]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("nth", [1, 2, 4, 5, 6])
def test_failing_disk_leaves_the_old_checkpoints(kit, saved, monkeypatch, nth, code):
    checkpointer, digests = saved
    state, count = kit.state(), []

    def fail(descriptor):
        count.append(1)
        if len(count) == nth:
            raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(CheckpointError, match=f"of step 0 could not be written to .*{os.strerror(code)}"):
            checkpointer.save(state)
    assert not list(checkpointer.folder.glob(".*"))
    assert checkpointer.restore(state).step == 2
    assert kit.digest(state) == digests[1]


def test_folder_that_cannot_be_made(kit, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="could not be written to"):
        train.Checkpointer(tmp_path / "file" / "checkpoints").save(kit.state())


def test_leftovers_of_a_crash_are_removed_by_the_next_save(kit, tmp_path):
    (tmp_path / ".unfinished-12345678").mkdir(parents=True)
    (tmp_path / ".unfinished-12345678" / "model.safetensors").write_bytes(b"half")
    train.Checkpointer(tmp_path).save(kit.state())
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000000"]


def test_caller_mistakes(kit, tmp_path):
    with pytest.raises(ValueError, match="keep_last must be at least 1"):
        train.Checkpointer(tmp_path, keep_last=0)
    with pytest.raises(ValueError, match='which must be "last" or "best"'):
        train.Checkpointer(tmp_path).restore(kit.state(), which="first")
    with pytest.raises(TypeError):
        train.Checkpointer(tmp_path).save(kit.state(), extra=np.zeros(2))
    assert not list(tmp_path.iterdir())


class Arrays:
    """What a Checkpointer needs of a state, without TensorFlow, so that a process can be forked from it."""

    def __init__(self):
        self.arrays = {}

    def state_dict(self):
        return self.arrays

    def load_state_dict(self, arrays):
        self.arrays = arrays


SAVER = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
from mmcore.train import Checkpointer

class Arrays:
    def state_dict(self):
        value = np.full([200, 100], self.step, "float32")
        return {"step": np.asarray(self.step), "model.kernel": value, "optimizer.mean.kernel": value}

def save_forever(folder, acknowledge):
    state, checkpointer = Arrays(), Checkpointer(folder)
    for state.step in range(1, 10**6):
        checkpointer.save(state)
        os.write(acknowledge, b"%d\\n" % state.step)

rng = random.Random(0)
for attempt in range(15):
    folder = Path(sys.argv[1], str(attempt))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        save_forever(folder, writer)
    os.close(writer)
    with open(reader) as lines:
        last = [int(lines.readline()) for _ in range(2)][-1]
        time.sleep(rng.uniform(0.0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        last = [last, *(int(line) for line in lines)][-1]
    print(folder, last, flush=True)
"""


def test_killed_while_saving_loses_no_acknowledged_step(tmp_path):
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SAVER, str(tmp_path)]
    runs = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, timeout=600
    ).stdout.splitlines()
    assert len(runs) == 15
    for folder, acknowledged in (run.rsplit(" ", 1) for run in runs):
        state = Arrays()
        restored = train.Checkpointer(folder).restore(state)
        assert restored.step >= int(acknowledged)
        assert all(np.all(value == restored.step) for value in state.arrays.values())
        assert len(list(Path(folder).glob(".*"))) <= 1
