"""Pixels by Pillow: all formats and modes but the usual JPEG, GIF and BMP."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from mmcore._load import native
from mmcore.errors import DataError, LimitError
from mmcore.image._file import Header

Color = tuple[int, int, int]
_WITH_ALPHA = ("RGBA", "RGBa", "LA", "La", "PA")


def decode_pillow(
    data: bytes, header: Header, mode: str, background: Color | None, max_pixels: int, key: str
) -> tuple[np.ndarray, int]:
    """The pixels uint8 [H, W, C], as they are stored, and the EXIF orientation (0: none).

    Raises:
        DataError: the file is damaged or cut short.
        LimitError: it turns out to be larger than max_pixels.
    """
    Image.init()
    if header.format not in Image.OPEN:
        raise DataError(
            key, f"this Pillow does not read {header.format}; pip install -U pillow, or convert it"
        )
    try:
        with Image.open(io.BytesIO(data), formats=[header.format]) as image:
            if image.height * image.width > max_pixels:
                raise LimitError(
                    f"{key}: the image has {image.width} x {image.height} = {image.height * image.width} "
                    f"pixels, more than max_pixels={max_pixels}; raise max_pixels to read it"
                )
            image.load()
            orientation = exif_orientation(image)
            pixels = np.array(convert(image, mode, background))
    except (LimitError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise LimitError(f"{key}: Pillow refuses the image ({error}); make it smaller") from error
    except Exception as error:  # Pillow's readers raise whatever damaged bytes lead them to.
        reason = f"the {header.format} image is damaged or cut short ({type(error).__name__}: {error})"
        raise DataError(key, reason) from error
    return pixels.reshape(*pixels.shape[:2], -1), orientation


def convert(image: Image.Image, mode: str, background: Color | None = None) -> Image.Image:
    """Pillow's `convert(mode)`, without its warning about palettes with several transparent colours.

    With a background, what is transparent shows it.
    """
    if background is not None and (image.mode in _WITH_ALPHA or "transparency" in image.info):
        rgba = np.asarray(image.convert("RGBA"))
        return Image.fromarray(native().image_compose(rgba, background)).convert(mode)
    if image.mode == "P" and isinstance(image.info.get("transparency"), bytes):
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)


def exif_orientation(image: Image.Image) -> int:
    """Of an open image; 0 where there is none that can be read."""
    try:
        return int(image.getexif().get(0x0112, 0))
    except Exception:  # Damaged metadata does not make the pixels unusable.
        return 0


def file_orientation(data: bytes, header: Header) -> int:
    """Of a file, whose pixels are not decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=[header.format]) as image:
            return exif_orientation(image)
    except Exception:
        return 0
