"""Writing files so that a crash leaves the old one or the new one, whole."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def atomic_write(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file so that after a crash at any moment the old one or the new one is there, whole.

    Temporary file in the same folder, fsync, rename, fsync of the folder.

    Raises:
        OSError: it cannot be written; the old file is untouched and the temporary one removed.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with errors_name(path):
        try:
            write_synced(temporary, data)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


@contextmanager
def errors_name(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within the context an OSError names this file: a full disk names none, and a temporary name says little."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def write_synced(path: Path, data: bytes) -> None:
    """Writes a new file and waits until its bytes are on the disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
