"""Makes shards for the tests."""

from __future__ import annotations

import functools
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from mmcore.data import encode_example, write_records


@functools.cache
def png(grey: int, side: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (grey, grey, grey)).save(buffer, "PNG")
    return buffer.getvalue()


@functools.cache
def jpeg(grey: int) -> bytes:
    """Decodes to exactly that grey, and eight times as fast as a PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (grey, grey, grey)).save(buffer, "JPEG", quality=100)
    return buffer.getvalue()


def write_tar(path: Path, members: Mapping[str, bytes], tar_format: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=tar_format) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def sample_members(rows, bad=()) -> dict[str, bytes]:
    """Members of one grey image, its text and its class a row; the images of bad rows are none."""
    members = {}
    for row in rows:
        members[f"{row:05d}.png"] = b"no image" if row in bad else png(row % 256)
        members[f"{row:05d}.txt"] = f"number {row}".encode()
        members[f"{row:05d}.cls"] = str(row % 2).encode()
    return members


def write_sample_records(path: Path, rows, bad=()) -> Path:
    write_records(
        path,
        (
            encode_example(
                {
                    "image/encoded": b"\xff\xfeno image" if row in bad else jpeg(row % 256),
                    "image/caption": f"number {row}",
                    "label": row % 2,
                }
            )
            for row in rows
        ),
    )
    return path
