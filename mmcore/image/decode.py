"""Image files to uint8 arrays: JPEG by libjpeg-turbo through simplejpeg, everything else by Pillow."""

from __future__ import annotations

import functools
import io
import os
import threading
from typing import NoReturn

import numpy as np
import simplejpeg
from PIL import Image

from mmcore.errors import DataError, LimitError
from mmcore.image import _header
from mmcore.image.geometry import apply_orientation

MAX_PIXELS = 64_000_000
MAX_SCANS = 100
# Formats whose decoders run inside this process and read pixels only: EPS, for one, would start Ghostscript.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
_CHANNELS = {"RGB": 3, "RGBA": 4, "L": 1}
FileSource = bytes | bytearray | memoryview | str | os.PathLike


def decode(
    source: FileSource, mode: str = "RGB", *, max_pixels: int = MAX_PIXELS, key: str | None = None
) -> np.ndarray:
    """The pixels of an image file, upright.

    The pixels are those of Pillow's `convert(mode)`: grey is repeated in the three channels, CMYK and
    palettes are converted, alpha is dropped by "RGB" (the colours under it stay, nothing is composed), 16-bit
    grey is clipped at 255. Animations give their first frame. EXIF (or XMP) orientation is applied. Safe to
    call from any number of threads; the decoders release the GIL.

    Args:
        source: the bytes of a file, or its path.
        mode: "RGB", "RGBA" or "L".
        max_pixels: larger images are refused from their header, before memory is allocated.
        key: what to call this image in errors; by default its path.

    Returns:
        uint8 [H, W, 3], [H, W, 4] or [H, W, 1], C-contiguous.

    Raises:
        DataError: the file cannot be read, is no image of a known format, or is damaged or cut short.
        LimitError: the image has more than max_pixels pixels, or is a progressive JPEG of more than 100
            scans.
        ValueError: mode is none of the three.

    Example:
        >>> buffer = io.BytesIO()
        >>> Image.new("RGB", (4, 2), (255, 0, 0)).save(buffer, "PNG")
        >>> decode(buffer.getvalue()).shape
        (2, 4, 3)
    """
    return decode_in(None, source, mode, max_pixels=max_pixels, key=key)


class PixelMemory(threading.local):
    """Memory for the pixels of one image at a time, one a thread: fresh memory costs a tenth of a JPEG."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)

    def take(self, num_bytes: int) -> np.ndarray:
        """At least that many bytes; what this thread took before is overwritten."""
        if self._bytes.size < num_bytes:
            self._bytes = np.empty(num_bytes, np.uint8)
        return self._bytes


def decode_in(
    memory: PixelMemory | None,
    source: FileSource,
    mode: str = "RGB",
    *,
    max_pixels: int = MAX_PIXELS,
    key: str | None = None,
) -> np.ndarray:
    """`decode` to `memory` where that is possible: the pixels are valid until this thread uses it again."""
    if mode not in _CHANNELS:
        raise ValueError(f"mode must be one of {', '.join(_CHANNELS)}, got {mode!r}")
    data, key = _read(source, key)
    if data.startswith(b"\xff\xd8"):
        pixels = _decode_jpeg(data, mode, max_pixels, key, memory)
        if pixels is not None:
            return pixels
    elif size := _header.read_size(data):
        _check_size(*size, max_pixels, key)
    return _decode_pillow(data, mode, max_pixels, key)


def _read(source: FileSource, key: str | None) -> tuple[bytes, str]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), key or "image"
    path = os.fspath(source)
    try:
        with open(path, "rb") as file:
            return file.read(), key or str(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(key or str(path), f"the image file cannot be read: {reason}") from error


def _check_size(height: int, width: int, max_pixels: int, key: str) -> None:
    if height * width > max_pixels:
        raise LimitError(
            f"{key}: the image has {width} x {height} = {height * width} pixels, more than "
            f"max_pixels={max_pixels}; raise max_pixels to read it"
        )


def _decode_jpeg(
    data: bytes, mode: str, max_pixels: int, key: str, memory: PixelMemory | None
) -> np.ndarray | None:
    """The fast path; None where Pillow has to decide: CMYK, other modes, damaged or unusual files."""
    header = _header.read_jpeg(data)
    if header is not None:
        _check_size(header.height, header.width, max_pixels, key)
        if not header.fits_into(len(data)):
            raise DataError(
                key,
                f"the image is cut short: {len(data)} bytes cannot hold {header.width} x "
                f"{header.height} pixels",
            )
    if header is None or header.progressive:
        _check_scans(data, key)
    if header is None or mode != "RGB" or header.components not in (1, 3) or header.precision != 8:
        return None
    try:
        buffer = memory.take(3 * header.height * header.width) if memory else None
        pixels = simplejpeg.decode_jpeg(data, buffer=buffer)
    except ValueError:
        return None
    return np.ascontiguousarray(apply_orientation(pixels, header.orientation))


def _check_scans(data: bytes, key: str) -> None:
    """Each scan of a progressive JPEG costs a pass over the whole image, for a few bytes of file."""
    scans = data.count(b"\xff\xda")
    if scans > MAX_SCANS:
        raise LimitError(
            f"{key}: the progressive JPEG has {scans} scans, more than {MAX_SCANS}; save it again with fewer"
        )


@functools.cache
def _formats() -> tuple[str, ...]:
    """Those of _FORMATS that the installed Pillow reads: AVIF came with 11.3."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _decode_pillow(data: bytes, mode: str, max_pixels: int, key: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as image:
            _check_size(image.height, image.width, max_pixels, key)
            image.load()
            orientation = _pillow_orientation(image)
            pixels = np.array(convert(image, mode))
    except (LimitError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise LimitError(f"{key}: Pillow refuses the image ({error}); make it smaller") from error
    except Exception as error:  # Pillow's readers raise whatever damaged bytes lead them to.
        _refuse(data, key, error)
    pixels = pixels.reshape(*pixels.shape[:2], _CHANNELS[mode])
    return np.ascontiguousarray(apply_orientation(pixels, orientation))


def convert(image: Image.Image, mode: str) -> Image.Image:
    """Pillow's `convert(mode)`, without its warning about palettes with several transparent colours."""
    if image.mode == "P" and isinstance(image.info.get("transparency"), bytes):
        image = image.convert("RGBA")
    return image.convert(mode)


def _pillow_orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(0x0112, 1)
    except Exception:  # Damaged metadata does not make the pixels unusable.
        return 1


def _refuse(data: bytes, key: str, error: Exception) -> NoReturn:
    if not data:
        raise DataError(key, "the image file is empty") from error
    if isinstance(error, Image.UnidentifiedImageError):
        raise DataError(
            key,
            f"not an image that can be read: expected {', '.join(_formats())}, found a file "
            f"that begins with {data[:8]!r}",
        ) from error
    raise DataError(key, f"the image is damaged or cut short ({type(error).__name__}: {error})") from error
