"""The wire format of protocol buffers, as far as a tokenizer needs it: fields with their numbers, all checked."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from mmcore.errors import FormatError

Value = int | bytes
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(data: bytes, name: str) -> Iterator[tuple[int, Value]]:
    """(number, value) of each field of a message, in order.

    Args:
        data: an encoded message.
        name: of the message, for errors.

    Raises:
        FormatError: the message is cut or malformed.

    Example:
        >>> list(fields(b"\\x08\\x96\\x01\\x12\\x02hi", "greeting"))
        [(1, 150), (2, b'hi')]

    Source: Protocol Buffers, "Encoding", https://protobuf.dev/programming-guides/encoding.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at, name)
        kind = key & 7
        if kind == _VARINT:
            value: Value
            value, at = _varint(data, at, name)
        elif kind == _BYTES:
            size, at = _varint(data, at, name)
            value, at = _slice(data, at, size, name), at + size
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
            value, at = _slice(data, at, size, name), at + size
        else:
            raise FormatError(f"{name}: byte {at}: a field of the unknown wire type {kind}")
        yield key >> 3, value


def text(value: Value, name: str) -> str:
    """A string.

    Raises:
        FormatError: the field is none, or not UTF-8.
    """
    try:
        return _bytes(value, name).decode()
    except UnicodeDecodeError:
        raise FormatError(f"{name} is not UTF-8: {value!r:.80}") from None


def single(value: Value, name: str) -> float:
    """A float of 32 bits.

    Raises:
        FormatError: the field is none.
    """
    data = _bytes(value, name)
    if len(data) != 4:
        raise FormatError(f"{name} must be a float of 4 bytes, found {len(data)} bytes")
    return float(struct.unpack("<f", data)[0])


def integer(value: Value, name: str) -> int:
    """A signed number of 32 bits.

    Raises:
        FormatError: the field is none.
    """
    if not isinstance(value, int):
        raise FormatError(f"{name} must be a number, found {len(value)} bytes")
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def message(value: Value, name: str) -> bytes:
    """An encoded message, or bytes.

    Raises:
        FormatError: the field is none.
    """
    return _bytes(value, name)


def _bytes(value: Value, name: str) -> bytes:
    if not isinstance(value, bytes):
        raise FormatError(f"{name} must be bytes, found the number {value}")
    return value


def _varint(data: bytes, at: int, name: str) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise FormatError(f"{name}: byte {at}: a number is cut or has more than ten bytes")


def _slice(data: bytes, at: int, size: int, name: str) -> bytes:
    if size > len(data) - at:
        raise FormatError(f"{name}: byte {at}: a field of {size} bytes where {len(data) - at} are left")
    return data[at : at + size]
