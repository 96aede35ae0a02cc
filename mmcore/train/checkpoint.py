"""Checkpoints that survive a crash, a full disk and a flipped bit."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from mmcore.errors import CheckpointError, MmcoreError
from mmcore.files import sync_folder, write_synced
from mmcore.train.state import TrainState
from mmcore.weights import read_weights, serialize

FORMAT = 1
_MODEL, _TRAINING, _EXTRA, _MANIFEST = (
    "model.safetensors",
    "training.safetensors",
    "extra.json",
    "manifest.json",
)
_FILES = (_MODEL, _TRAINING, _EXTRA)
_PREFIX, _TEMPORARY = "step-", ".unfinished-"


class Restored(NamedTuple):
    """Which checkpoint was loaded, and what the caller had stored beside it."""

    path: Path
    step: int
    metric: float | None
    extra: Any


class Checkpointer:
    """Saves a `TrainState` under `folder/step-00000100` and keeps the last ones and the best one.

    A checkpoint is a folder: `model.safetensors` (weights by path, see `mmcore.weights`),
    `training.safetensors` (step, seed, optimizer, averages), `extra.json`, and `manifest.json` with size and
    SHA-256 of each. All files are written to a temporary folder and synced, the manifest last, and the folder
    is renamed into place: a crash at any moment leaves the earlier checkpoints whole and at most one
    temporary folder, which the next save removes. One process writes to a folder.

    Args:
        folder: made at the first save.
        keep_last: how many of the newest checkpoints to keep.
        keep_best: keep the one of the highest `metric` as well.

    Raises:
        ValueError: keep_last < 1.

    Example:
        >>> import tempfile
        >>> from mmcore import nn, optim
        >>> state = TrainState(nn.Linear(2, 3), optim.AdamW(1e-3))
        >>> checkpointer = Checkpointer(tempfile.mkdtemp())
        >>> checkpointer.save(state, extra={"epoch": 4}, metric=0.9).name
        'step-00000000'
        >>> checkpointer.restore(state).extra
        {'epoch': 4}
    """

    def __init__(self, folder: str | os.PathLike[str], *, keep_last: int = 2, keep_best: bool = True):
        if keep_last < 1:
            raise ValueError(f"keep_last must be at least 1, found {keep_last}")
        self.folder, self.keep_last, self.keep_best = Path(folder), keep_last, keep_best

    def save(self, state: TrainState, *, extra: Any = None, metric: float | None = None) -> Path:
        """Saves the state; when this returns, it is on the disk.

        Args:
            state: what to save, outside of `state.averaged()`.
            extra: anything that JSON can hold, such as the position in the data.
            metric: higher is better; None or NaN never makes a checkpoint the best.

        Raises:
            CheckpointError: the folder cannot be written or the disk is full; earlier checkpoints are intact.
            TypeError: extra is not JSON.
        """
        arrays = state.state_dict()
        files = _encode(arrays, extra)
        step = int(arrays["step"])
        files[_MANIFEST] = _manifest(
            files, step, None if metric is None or math.isnan(metric) else float(metric)
        )
        temporary = self.folder / f"{_TEMPORARY}{uuid.uuid4().hex[:8]}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._remove(self.folder.glob(f"{_TEMPORARY}*"))
            path = self._write(temporary, files, step)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise CheckpointError(
                f"the checkpoint of step {step} could not be written to {self.folder} "
                f"({error.strerror or error}); free space or make the folder writable, and resume: earlier "
                "checkpoints are intact"
            ) from error
        self._remove(set(self.paths()) - self._kept())
        return path

    def restore(self, state: TrainState, *, which: Literal["last", "best"] = "last") -> Restored:
        """Loads the newest whole checkpoint, or the best; a damaged one is passed over with a warning.

        Args:
            state: a state made the same way as the saved one (model, optimizer, ema_decay).
            which: "best" begins at the checkpoint of the highest metric and goes on with the newest.

        Raises:
            CheckpointError: there is no whole checkpoint, or it does not fit the state; the message names
                paths.
            ValueError: which is neither "last" nor "best".
        """
        if which not in ("last", "best"):
            raise ValueError(f'which must be "last" or "best", found {which!r}')
        paths = self.paths()[::-1]
        best = self._best() if which == "best" else None
        for path in [best, *(path for path in paths if path != best)] if best else paths:
            try:
                manifest, arrays, extra = _read(path)
            except (OSError, MmcoreError) as error:
                warnings.warn(f"passing over the damaged checkpoint {path}: {error}", stacklevel=2)
                continue
            try:
                state.load_state_dict(arrays)
            except ValueError as error:
                raise CheckpointError(f"{path} belongs to another model or setup: {error}") from error
            return Restored(path, manifest["step"], manifest["metric"], extra)
        raise CheckpointError(
            f"no whole checkpoint in {self.folder} ({len(paths)} damaged); start without resume"
        )

    def paths(self) -> list[Path]:
        """The checkpoints of the folder, oldest first; they may be damaged."""
        found = [path for path in self.folder.glob(f"{_PREFIX}*") if (path / _MANIFEST).exists()]
        return sorted(found, key=_order)

    def _write(self, temporary: Path, files: Mapping[str, bytes], step: int) -> Path:
        temporary.mkdir()
        for name, data in files.items():
            write_synced(temporary / name, data)
        sync_folder(temporary)
        path = self._free_path(step)
        os.rename(temporary, path)
        sync_folder(self.folder)
        return path

    def _free_path(self, step: int) -> Path:
        """A name for a checkpoint of this step; a second one of the same step never replaces the first."""
        path, attempt = self.folder / f"{_PREFIX}{step:08d}", 1
        while path.exists():
            attempt += 1
            path = self.folder / f"{_PREFIX}{step:08d}-{attempt}"
        return path

    def _kept(self) -> set[Path]:
        best = self._best() if self.keep_best else None
        return {*self.paths()[-self.keep_last :], *([best] if best else [])}

    def _best(self) -> Path | None:
        """The checkpoint of the highest metric, the newest of equals, going by the manifests alone."""
        scored = []
        for path in self.paths():
            try:
                metric = _read_manifest(path)["metric"]
            except (OSError, MmcoreError):
                continue
            if metric is not None:
                scored.append((metric, _order(path), path))
        return max(scored)[-1] if scored else None

    def _remove(self, paths: Any) -> None:
        """Removes checkpoints, under a temporary name first: a half-removed one is never taken for whole."""
        for path in paths:
            doomed = path
            try:
                if not path.name.startswith(_TEMPORARY):
                    doomed = path.with_name(f"{_TEMPORARY}{uuid.uuid4().hex[:8]}")
                    os.rename(path, doomed)
                shutil.rmtree(doomed)
            except OSError as error:
                warnings.warn(f"the old checkpoint {path} could not be removed: {error}", stacklevel=3)


def _encode(arrays: Mapping[str, np.ndarray], extra: Any) -> dict[str, bytes]:
    model = {
        path.removeprefix("model."): value for path, value in arrays.items() if path.startswith("model.")
    }
    training = {path: value for path, value in arrays.items() if not path.startswith("model.")}
    return {_MODEL: serialize(model), _TRAINING: serialize(training), _EXTRA: json.dumps(extra).encode()}


def _manifest(files: Mapping[str, bytes], step: int, metric: float | None) -> bytes:
    content = {
        "format": FORMAT,
        "step": step,
        "metric": metric,
        "files": {name: {"bytes": len(data), "sha256": _digest(data)} for name, data in files.items()},
    }
    return json.dumps({**content, "sha256": _digest(_canonical(content))}, indent=1).encode()


def _read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint, checked against its own checksum.

    Raises:
        OSError: it cannot be read.
        CheckpointError: it is damaged, or of another format version.
    """
    try:
        content = json.loads((path / _MANIFEST).read_bytes())
        digest = content.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{_MANIFEST} is not a manifest ({error!r})") from error
    if digest != _digest(_canonical(content)):
        raise CheckpointError(f"{_MANIFEST} does not have its checksum")
    if content["format"] != FORMAT:
        raise CheckpointError(
            f"it has format {content['format']}, this version of mmcore reads format {FORMAT}"
        )
    return content


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], Any]:
    """Manifest, arrays under the names of `TrainState.state_dict`, and extra, all checked."""
    manifest = _read_manifest(path)
    for name in _FILES:
        expected, data = manifest["files"][name], (path / name).read_bytes()
        if len(data) != expected["bytes"]:
            raise CheckpointError(f"{name} has {len(data)} bytes instead of {expected['bytes']}")
        if _digest(data) != expected["sha256"]:
            raise CheckpointError(f"{name} does not have the checksum in {_MANIFEST}")
    arrays = {f"model.{name}": value for name, value in read_weights(path / _MODEL).items()}
    arrays.update(read_weights(path / _TRAINING))
    return manifest, arrays, json.loads((path / _EXTRA).read_bytes())


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _order(path: Path) -> tuple[int, int]:
    """Step and attempt in a checkpoint's name, -1 where a foreign name has none."""
    step, _, attempt = path.name.removeprefix(_PREFIX).partition("-")
    return (int(step) if step.isdigit() else -1, int(attempt) if attempt.isdigit() else 1)
