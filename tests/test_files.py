from __future__ import annotations

import os

import pytest

from mmcore import files


def test_atomic_write_replaces_or_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.atomic_write(path, b"old")
    files.atomic_write(path, b"new")
    assert path.read_bytes() == b"new"

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*file'$"):
        files.atomic_write(path, b"lost")
    assert path.read_bytes() == b"new"
    assert [file.name for file in path.parent.iterdir()] == [path.name]
