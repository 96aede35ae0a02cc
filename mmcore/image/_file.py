"""What an image file is, from its first bytes: format, size, orientation; and what is refused for it."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import NamedTuple

from mmcore._load import native
from mmcore.errors import DataError, FormatError, LimitError

MAX_PIXELS = 64_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
# Formats whose decoders run inside this process and read pixels only: EPS, for one, would start Ghostscript.
KNOWN_FORMATS = (*FORMATS, "AVIF", "TIFF", "PPM")
FileSource = bytes | bytearray | memoryview | str | os.PathLike


class Header(NamedTuple):
    """Of an image file. JPEG alone has components, precision (bits a sample) and a frame marker.

    `complete` is False where only the decoder can tell: TIFF, AVIF, PPM, and JPEG that is damaged or unusual.
    `orientation` is what EXIF or XMP say (1 to 8 if it is right), 0 where they say nothing, -1 where only
    Pillow can read them.
    """

    format: str
    complete: bool
    height: int
    width: int
    orientation: int
    components: int
    precision: int
    frame: int
    several_scans: bool


def read_bytes(source: FileSource, key: str | None) -> tuple[bytes, str]:
    """The bytes of a file, and what to call it in errors.

    Raises:
        DataError: there is no such file, it cannot be read, or it is empty.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, key = bytes(source), key or "image"
    else:
        path = os.fspath(source)
        key = key or str(path)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DataError(key, f"the image file cannot be read: {reason}") from error
    if not data:
        raise DataError(key, "the image file is empty")
    return data, key


def read_header(data: bytes, formats: Sequence[str], max_pixels: int, key: str) -> Header:
    """The header of a file that is allowed and not too large.

    Raises:
        DataError: it is damaged, cut short, or not of one of `formats`.
        LimitError: it has more than max_pixels pixels or, as a JPEG, too many scans.
        ValueError: one of `formats` is unknown.
    """
    allowed = check_formats(tuple(formats))
    try:
        return Header(*native().image_file_header(data, allowed, max_pixels))
    except FormatError as error:
        raise DataError(key, str(error)) from error
    except LimitError as error:
        raise LimitError(f"{key}: {error}") from error


@functools.cache
def check_formats(formats: tuple[str, ...]) -> str:
    """The names separated by commas. Raises ValueError for an unknown one."""
    if not formats or not set(formats) <= set(KNOWN_FORMATS):
        raise ValueError(f"formats must be some of {', '.join(KNOWN_FORMATS)}, got {formats!r}")
    return ", ".join(formats)
