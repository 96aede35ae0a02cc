"""Writes what fuzz_image begins with: small files of every kind that the core reads something of.

python tests/cpp/fuzz_image_seeds.py FOLDER
"""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 4), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    """The image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def bmp(
    bits: int, compression: int, body: bytes, *, colors: int = 0, masks: bytes = b"", top_down=False
) -> bytes:
    """A BMP file of 13 x 9 pixels."""
    palette = bytes(range(4 * colors)) if bits <= 8 else b""
    offset = 54 + len(masks) + len(palette)
    size = (13, -9 if top_down else 9)
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, len(body), 0, 0, colors, 0)
    return struct.pack("<2sIHHI", b"BM", offset + len(body), 0, 0, offset) + header + masks + palette + body


def seeds() -> dict[str, bytes]:
    """File name -> bytes."""
    rgb, rgba = Image.fromarray(PIXELS[..., :3]), Image.fromarray(PIXELS)
    palette = rgb.quantize(16)
    exif = Image.Exif()
    exif[0x0112] = 6
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", "\nexif\n      8\n" + exif.tobytes().hex() + "\n")
    text.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="3"/>')
    run = bytes([13, 5, 0, 0, 3, 1, 0, 3, 1, 2, 3, 0, 7, 9, 0, 0, 0, 2, 1, 7, 13, 2, 13, 3, 0, 1])
    noise = PIXELS.tobytes()
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    return {
        "a.jpg": encoded(rgb, "JPEG", exif=exif),
        "b.jpg": encoded(rgb, "JPEG", progressive=True, xmp=b'<x tiff:Orientation="8"/>'),
        "a.png": encoded(rgba, "PNG", pnginfo=text, exif=exif),
        "b.png": encoded(palette, "PNG", transparency=3, pnginfo=text),
        "a.gif": encoded(palette, "GIF", transparency=2),
        "b.gif": encoded(rgb, "GIF", save_all=True, append_images=[rgba.convert("RGB")]),
        "a.bmp": encoded(rgb, "BMP"),
        "b.bmp": encoded(palette, "BMP"),
        "1.bmp": bmp(1, 0, noise[:36], colors=2),
        "4.bmp": bmp(4, 0, noise[:72], colors=16, top_down=True),
        "16.bmp": bmp(16, 3, noise[:260], masks=masks),
        "32.bmp": bmp(32, 0, noise),
        "rle8.bmp": bmp(8, 1, run, colors=16),
        "rle4.bmp": bmp(4, 2, run, colors=16),
        "a.webp": encoded(rgb, "WEBP"),
        "b.webp": encoded(rgba, "WEBP", lossless=True, exif=exif),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for name, data in seeds().items():
        (folder / name).write_bytes(data)
