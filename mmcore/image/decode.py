"""Image files to uint8 arrays: JPEG by libjpeg-turbo through simplejpeg, GIF and BMP here, the rest by Pillow."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import simplejpeg
from PIL import Image

from mmcore._load import native
from mmcore.errors import DataError, FormatError
from mmcore.image._file import FORMATS, MAX_PIXELS, FileSource, Header, read_bytes, read_header
from mmcore.image._pillow import Color, decode_pillow, file_orientation

_CHANNELS = {"RGB": 3, "RGBA": 4, "L": 1}


def decode(
    source: FileSource,
    mode: str = "RGB",
    *,
    max_pixels: int = MAX_PIXELS,
    formats: Sequence[str] = FORMATS,
    background: Color | None = None,
    at_least: tuple[int, int] | None = None,
    key: str | None = None,
) -> np.ndarray:
    """The pixels of an image file, upright: EXIF (or XMP) orientation is applied.

    The pixels are those of Pillow's `convert(mode)`:

    - grey is repeated in the three channels;
    - CMYK and YCCK (JPEG) become (255 - K) (255 - C) / 255, and so on, rounded;
    - palettes are looked up;
    - 16 bits a sample keep their upper 8 bits in colour images, but are clipped at 255 in grey ones;
    - alpha is dropped by "RGB" and "L": the colours under it stay. With a background, transparent pixels are
      put over it: round((alpha colour + (255 - alpha) background) / 255);
    - animations give their first frame, on their whole canvas.

    Only the chunks of a PNG that pixels need are decoded; all its checksums are checked. Safe to call from
    any number of threads; the decoders release the GIL.

    Args:
        source: the bytes of a file, or its path.
        mode: "RGB", "RGBA" or "L".
        max_pixels: larger images are refused from their header, before memory is allocated.
        formats: which may be read, of "JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "TIFF" and "PPM". By
            default the first five.
        background: red, green and blue, 0 to 255, behind transparent pixels; None: alpha is dropped.
        at_least: (height, width); a JPEG that is larger may be decoded at a half, a quarter or an eighth of
            its size, where that divides both sides and leaves at least so many pixels. That is libjpeg's
            scaled decoding: averages of pixels, taken in the frequency domain, and much faster.
        key: what to call this image in errors; by default its path.

    Returns:
        uint8 [H, W, 3], [H, W, 4] or [H, W, 1], C-contiguous.

    Raises:
        DataError: the file cannot be read, is in no allowed format, or is damaged or cut short.
        LimitError: the image has more than max_pixels pixels, or is a progressive JPEG of more than 100
            scans.
        ValueError: mode, formats or background is none of these.

    Example:
        >>> import io
        >>> buffer = io.BytesIO()
        >>> Image.new("RGB", (4, 2), (255, 0, 0)).save(buffer, "PNG")
        >>> decode(buffer.getvalue()).shape
        (2, 4, 3)
    """
    return decode_in(
        None,
        source,
        mode,
        max_pixels=max_pixels,
        formats=formats,
        background=background,
        at_least=at_least,
        key=key,
    )


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
    formats: Sequence[str] = FORMATS,
    background: Color | None = None,
    at_least: tuple[int, int] | None = None,
    key: str | None = None,
) -> np.ndarray:
    """`decode` to `memory` where that is possible: the pixels are valid until this thread uses it again."""
    if mode not in _CHANNELS:
        raise ValueError(f"mode must be one of {', '.join(_CHANNELS)}, got {mode!r}")
    background = check_background(background, mode)
    data, key = read_bytes(source, key)
    header = read_header(data, formats, max_pixels, key)
    pixels = _decode_jpeg(data, header, mode, at_least, memory)
    if pixels is not None:
        return _upright(pixels, header.orientation)
    if header.format in ("GIF", "BMP"):
        return _decode_native(data, mode, background, key)
    orientation = header.orientation
    if header.format == "PNG":
        if orientation < 0:
            orientation = file_orientation(data, header)
        data = _png_pixels_only(data, key)
    pixels, found = decode_pillow(data, header, mode, background, max_pixels, key)
    return _upright(pixels, orientation if header.format == "PNG" else orientation or found)


def check_background(background: Color | None, mode: str = "RGB") -> Color | None:
    """The colour as a tuple. Raises ValueError where it is none, or there is no use for it."""
    if background is None:
        return None
    if mode == "RGBA":
        raise ValueError("background must be None with mode 'RGBA', which keeps alpha")
    color = tuple(int(value) for value in background)
    if len(color) != 3 or not all(0 <= value <= 255 for value in color):
        raise ValueError(f"background must be red, green and blue, each 0 to 255, got {background!r}")
    return color


def scale_ratio(height: int, width: int, at_least: tuple[int, int] | None) -> int:
    """By how much a JPEG may be scaled down while it is decoded: 8, 4, 2 or 1.

    Only what divides both sides, so that each pixel stands for as many and none moves.

    Example:
        >>> scale_ratio(2000, 3000, (448, 448))
        4
    """
    if at_least is None:
        return 1
    for ratio in (8, 4, 2):
        exact = height % ratio == 0 and width % ratio == 0
        if exact and height // ratio >= at_least[0] and width // ratio >= at_least[1]:
            return ratio
    return 1


def _decode_jpeg(
    data: bytes,
    header: Header,
    mode: str,
    at_least: tuple[int, int] | None,
    memory: PixelMemory | None,
) -> np.ndarray | None:
    """The fast path; None where Pillow has to decide: CMYK, other modes, damaged or unusual files."""
    if header.format != "JPEG" or mode != "RGB" or header.components not in (1, 3) or header.precision != 8:
        return None
    if at_least is not None and header.orientation in (5, 6, 7, 8):
        at_least = (at_least[1], at_least[0])
    ratio = scale_ratio(header.height, header.width, at_least)
    height, width = header.height // ratio, header.width // ratio
    buffer = memory.take(3 * height * width) if memory else None
    scale = {"min_height": height, "min_width": width} if ratio > 1 else {}
    try:
        return simplejpeg.decode_jpeg(data, buffer=buffer, **scale)
    except ValueError:
        return None


def _decode_native(data: bytes, mode: str, background: Color | None, key: str) -> np.ndarray:
    """GIF and BMP."""
    try:
        pixels = native().image_file_decode(data, 4 if mode == "RGBA" or background else 3)
    except FormatError as error:
        raise DataError(key, str(error)) from error
    if background is not None:
        pixels = native().image_compose(pixels, background)
    if mode == "L":
        pixels = np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
    return pixels


def _png_pixels_only(data: bytes, key: str) -> bytes:
    try:
        return native().image_file_png_pixels_only(data)
    except FormatError as error:
        raise DataError(key, str(error)) from error


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    if 2 <= orientation <= 8:
        return native().image_orient(np.ascontiguousarray(pixels), orientation)
    return np.ascontiguousarray(pixels)
