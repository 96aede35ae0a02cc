"""The twin of the core's header reader: what must be known of an image file before its pixels are decoded.

Size and, of a JPEG, orientation and kind. None where a file is cut or of another format.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

_ORIENTATION_TAG = 0x0112
_INTEGER_TYPES = {1: "B", 3: "H", 4: "I"}
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_END, _SCAN, _APP1 = 0xD9, 0xDA, 0xE1
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}


class JpegHeader(NamedTuple):
    """Size, number of colour components, bits a sample, frame marker, and orientation (1 where unknown)."""

    height: int
    width: int
    components: int
    precision: int
    marker: int
    orientation: int

    @property
    def progressive(self) -> bool:
        return self.marker in _PROGRESSIVE


def read_jpeg(data: bytes) -> JpegHeader | None:
    """The header of a JPEG file, up to its first scan; None where there is none to be read.

    Source: ITU-T T.81 (1992), annex B.
    """
    frame: tuple[int, int, int, int, int] | None = None
    exif = xmp = None
    position = 2
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 4 > len(data):
            return None
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        position += 2
        if marker == 0 or marker in _WITHOUT_LENGTH:
            continue
        if marker in (_END, _SCAN):
            if marker == _END or frame is None:
                return None
            orientation = _exif_orientation(exif) or _xmp_orientation(xmp) or 1
            return JpegHeader(*frame, orientation)
        end = position + int.from_bytes(data[position : position + 2], "big")
        if marker in _FRAMES and frame is None:
            if position + 8 > len(data):
                return None
            precision, height, width, components = struct.unpack_from(">BHHB", data, position + 2)
            frame = (height, width, components, precision, marker)
        elif marker == _APP1 and exif is None and data[position + 2 : position + 8] == b"Exif\0\0":
            exif = data[position + 8 : end]
        elif marker == _APP1 and xmp is None and data.startswith(_XMP_PREFIX, position + 2):
            xmp = data[position + 2 + len(_XMP_PREFIX) : end]
        position = max(end, position + 2)


def _exif_orientation(exif: bytes | None) -> int | None:
    """Tag 274 of the first directory of a TIFF structure; None where it is absent or damaged."""
    if exif is None or exif[:4] not in (b"II*\0", b"MM\0*"):
        return None
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (directory,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, directory)
        for entry in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(order + "HH", exif, entry)
            if tag == _ORIENTATION_TAG and kind in _INTEGER_TYPES:
                return struct.unpack_from(order + _INTEGER_TYPES[kind], exif, entry + 8)[0]
    except struct.error:
        pass
    return None


def _xmp_orientation(xmp: bytes | None) -> int | None:
    match = _XMP_ORIENTATION.search(xmp) if xmp else None
    return int(match[1]) if match else None


def read_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) that a PNG, GIF, BMP or WebP file says it has; None for other or shorter files."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", data, 16)
        elif data.startswith((b"GIF87a", b"GIF89a")):
            width, height = struct.unpack_from("<HH", data, 6)
        elif data.startswith(b"BM"):
            (header,) = struct.unpack_from("<I", data, 14)
            width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
        elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp_size(data)
        else:
            return None
    except struct.error:
        return None
    return abs(height), abs(width)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Source: RFC 9649 (2024), section 2; RFC 6386, section 9.1."""
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return height & 0x3FFF, width & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if kind == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[27:30], "little") + 1, int.from_bytes(data[24:27], "little") + 1
    return None
