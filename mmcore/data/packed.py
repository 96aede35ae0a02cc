"""Images that lie inside a larger file: where they are, and how their bytes are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmcore.errors import DataError


@dataclass(frozen=True)
class Packed:
    """The bytes of one image inside a shard, read when they are wanted and never written anywhere.

    Args:
        path: the shard, or the name of another source.
        name: what the image is called in it, for messages; never opened as a path.
        load: reads the bytes; any number of threads may call it at once.
    """

    path: Path
    name: str
    load: Callable[[], bytes | None]

    def __str__(self) -> str:
        return f"{self.path}:{self.name}"

    def read(self) -> bytes | None:
        """The bytes of the image; None where a source of one's own has none for this row.

        Raises:
            DataError: the shard cannot be read, was cut short since it was opened, or holds other bytes there
                than its checksum says.
        """
        return self.load()


def read_at(path: Path, offset: int, size: int) -> bytes:
    """`size` bytes of a file from `offset` on.

    The file is opened for each read: no limit on open files is met with thousands of shards, and opening
    costs microseconds beside a decode of milliseconds.

    Raises:
        DataError: the file cannot be read or ends before.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            raw = os.pread(descriptor, size, offset)
            while len(raw) < size and (more := os.pread(descriptor, size - len(raw), offset + len(raw))):
                raw += more
        finally:
            os.close(descriptor)
    except OSError as error:
        raise DataError(str(path), f"the file cannot be read ({error.strerror}); check it", offset) from error
    if len(raw) < size:
        raise DataError(
            str(path),
            f"the file is cut short: expected {size} bytes here, found {len(raw)}; copy it again",
            offset,
        )
    return raw
