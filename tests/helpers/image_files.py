"""Small image files, and damage to them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def photo(height=37, width=53, channels=3, seed=0):
    """Smooth with a little noise, so that JPEG treats it as it treats photographs."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (5 + c)) * np.cos(y / (7 + c)) for c in range(channels)]
    noise = np.random.default_rng(seed).normal(0, 6, (height, width, channels))
    return np.clip(128 + 90 * np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def encoded(image: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def bombs() -> dict[str, bytes]:
    """Files of a few hundred bytes that say they are huge, and one of ten thousand scans."""
    jpeg = bytearray(encoded(photo(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65500, 65500)
    progressive = encoded(photo(), "JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    gif, bmp, webp = (bytearray(encoded(photo(), kind)) for kind in ("GIF", "BMP", "WEBP"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    bmp[18:26] = struct.pack("<ii", 60_000, -60_000)
    webp[26:30] = struct.pack("<HH", 16383, 16383)
    return {
        "65500 x 65500 jpeg": bytes(jpeg),
        "20000 x 20000 png": _png_of(20_000),
        "2^31 png": _png_of(2**31 - 1),
        "10,000 scans": progressive[:last] + progressive[last:-2] * 10_000 + progressive[-2:],
        "65535 gif": bytes(gif),
        "60000 bmp": bytes(bmp),
        "16383 webp": bytes(webp),
    }


def _png_of(side: int) -> bytes:
    data = bytearray(encoded(photo(), "PNG"))
    data[16:24] = side.to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut, or with changed bytes: anywhere, at the beginning, or those of a JPEG's size."""
    edited = bytearray(data)
    kind = rng.integers(4)
    if kind == 0:
        return bytes(edited[: rng.integers(len(edited))])
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    if kind == 3 and frame > 0:
        edited[frame + 5 + rng.integers(4)] = rng.integers(256)
        return bytes(edited)
    reach = len(edited) if kind == 1 else min(64, len(edited))
    for position in rng.integers(reach, size=rng.integers(1, 8)):
        edited[position] = rng.integers(256)
    return bytes(edited)
