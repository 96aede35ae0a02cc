"""The members of a tar archive and where their bytes lie, from one pass over its headers; nothing is extracted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mmcore.errors import DataError

_BLOCK = 512
_EXTENSION_LIMIT = 1 << 20  # bytes of a long name or pax header; real ones have hundreds
_FILES = (b"0", b"\0", b"7")
_KINDS = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a pipe"}


@dataclass(frozen=True)
class TarMember:
    """One member of an archive.

    Args:
        name: as stored; it is a key, never a path that is opened.
        offset: where its bytes begin in the archive.
        size: how many they are.
        problem: why it has no usable bytes (a link, a device, a name with NUL), else None.
    """

    name: str
    offset: int
    size: int
    problem: str | None = None


def scan_tar(path: str | os.PathLike[str]) -> list[TarMember]:
    """Lists the files of an archive in order; folders are left out.

    Reads the headers alone: one block of 512 bytes a member, each with its checksum verified. Understood are
    ustar, GNU (long names, sizes over 8 GB) and pax (path, size). `tarfile` of the standard library is the
    plain twin in the tests; it takes an archive that ends after any whole member for a complete one.

    Raises:
        DataError: the file cannot be read, is no tar archive (a compressed one is named), a header is
            damaged, or the archive is cut short: inside a member, or before the zeros that end it.

    Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar
    Format".
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            return list(_members(file, os.fstat(file.fileno()).st_size, str(path)))
    except OSError as error:
        raise DataError(
            str(path), f"the shard cannot be read ({error.strerror}); check its path and permissions"
        ) from error


def _members(file: BinaryIO, total: int, key: str) -> Iterator[TarMember]:
    offset = 0
    pending: dict[str, str] = {}  # what an extended header says about the member after it
    while True:
        header = _header(file, offset, total, key)
        if header is None:
            return
        kind, data = header[156:157], offset + _BLOCK
        size = _number(header[124:136], key, offset)
        if kind not in (b"L", b"K", b"x", b"g"):
            size = _pax_size(pending, size, key, offset)
        if kind in _KINDS or kind == b"5":
            size = 0  # links state the size of their target and have no bytes
        after = data + -(-size // _BLOCK) * _BLOCK
        if data + size > total:
            raise DataError(
                key,
                f"the shard is cut short: the member at this header has {size} bytes, the file "
                f"ends after {max(0, total - data)} of them; copy the shard again",
                offset,
            )
        if kind in (b"L", b"x"):
            pending |= _extension(file, kind, data, size, key)
        elif kind not in (b"K", b"g"):
            if kind != b"5":
                yield _member(header, kind, pending, data, size)
            pending = {}
        offset = after


def _header(file: BinaryIO, offset: int, total: int, key: str) -> bytes | None:
    """The header block at an offset, verified; None for the zeros that end the archive."""
    file.seek(offset)
    block = file.read(_BLOCK)
    if len(block) < _BLOCK:
        if offset == 0:
            raise DataError(key, f"not a tar archive: {total} bytes are less than one header of {_BLOCK}")
        raise DataError(
            key,
            "the shard is cut short: the zeros that end a tar archive are missing; copy or write it again",
            offset,
        )
    if block.count(0) == _BLOCK:
        return None
    stored = _octal(block[148:156])
    if stored is None or stored not in _checksums(block):
        raise DataError(key, _damage(block, offset), offset)
    return block


def _checksums(block: bytes) -> tuple[int, int]:
    """The sum of a header's bytes, its own field taken as spaces; and of signed bytes, as some old tars did."""
    counted = block[:148] + b" " * 8 + block[156:]
    total = sum(counted)
    return total, total - 256 * sum(byte > 127 for byte in counted)


def _damage(block: bytes, offset: int) -> str:
    if (offset == 0 and block[:2] == b"\x1f\x8b") or block[:4] == b"\x28\xb5\x2f\xfd" or block[:3] == b"BZh":
        return "the archive is compressed, so its members cannot be read one by one; decompress it once"
    if offset == 0:
        return f"not a tar archive: it begins with {block[:8]!r} and no header's checksum fits"
    return "a tar header is damaged (its checksum does not fit); copy or write the shard again"


def _octal(field: bytes) -> int | None:
    text = field.strip(b" \0")
    return int(text, 8) if text and not text.strip(b"01234567") else None


def _number(field: bytes, key: str, offset: int) -> int:
    """Octal digits, or GNU's binary form for large sizes."""
    number = int.from_bytes(field[1:], "big") if field[0] == 0x80 else _octal(field)
    if number is None and not field.strip(b" \0"):
        number = 0
    if number is None or number >= 1 << 62:
        raise DataError(key, f"a tar header states the size {field!r}, which is no number", offset)
    return number


def _pax_size(pending: dict[str, str], size: int, key: str, offset: int) -> int:
    stated = pending.get("size")
    if stated is None:
        return size
    if not (stated.isascii() and stated.isdecimal() and len(stated) < 19):
        raise DataError(key, f"a pax header states the size {stated[:40]!r}, which is no number", offset)
    return int(stated)


def _extension(file: BinaryIO, kind: bytes, data: int, size: int, key: str) -> dict[str, str]:
    """What a GNU long name (L) or a pax header (x) says."""
    if size > _EXTENSION_LIMIT:
        raise DataError(key, f"an extended header of {size} bytes; expected at most {_EXTENSION_LIMIT}", data)
    file.seek(data)
    raw = file.read(size)
    if kind == b"L":
        return {"path": _text(raw.split(b"\0", 1)[0])}
    return _pax_records(raw, key, data)


def _pax_records(raw: bytes, key: str, offset: int) -> dict[str, str]:
    """`length key=value\\n` records, of which path and size matter; the length counts itself."""
    found, position = {}, 0
    while position < len(raw):
        space = raw.find(b" ", position, position + 20)
        digits = raw[position:space] if space > 0 else b""
        end = position + int(digits) if digits.isdigit() else -1
        name, equals, value = raw[space + 1 : max(end - 1, 0)].partition(b"=")
        if not space < end <= len(raw) or not equals or raw[end - 1 : end] != b"\n":
            raise DataError(
                key, "a pax header is damaged: expected 'length key=value' lines", offset + position
            )
        if name in (b"path", b"size"):
            found[name.decode()] = _text(value)
        position = end
    return found


def _member(header: bytes, kind: bytes, pending: dict[str, str], data: int, size: int) -> TarMember:
    name = pending.get("path")
    if name is None:
        name = _text(header[:100].split(b"\0", 1)[0])
        prefix = _text(header[345:500].split(b"\0", 1)[0])
        if header[257:263] == b"ustar\0" and prefix:
            name = f"{prefix}/{name}"
    problem = None
    if kind not in _FILES:
        what = _KINDS.get(kind, f"a member of type {kind!r}")
        problem = f"it is {what}, which is not followed; store the file itself in the shard"
    elif "\0" in name:
        problem = "its name holds a NUL byte; write the shard again with plain names"
    return TarMember(name, data, size, problem)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
