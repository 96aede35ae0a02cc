"""tf.train.Example messages, parsed and made without TensorFlow.

The message is Example{1: Features{1: map entries {1: name, 2: Feature}}} with Feature one of {1: BytesList,
2: FloatList, 3: Int64List}, each of which has its values in field 1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence

from mmcore.errors import FormatError

Values = list[bytes] | list[float] | list[int]
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def parse_example(message: bytes | memoryview) -> dict[str, Values]:
    """The features of a tf.train.Example: name -> list of bytes, floats or ints; an empty feature gives [].

    As protobuf says: unknown fields are skipped, the last of several values of one name counts, numbers may
    be packed or not. Large values are copied once.

    Raises:
        FormatError: the bytes are no such message; names the byte where they stop making sense.

    Source: Protocol Buffers documentation, "Encoding"; TensorFlow's example.proto and feature.proto.

    Example:
        >>> parse_example(encode_example({"label": 3, "text": "a cat"}))
        {'label': [3], 'text': [b'a cat']}
    """
    view = memoryview(message)
    features: dict[str, Values] = {}
    for field, kind, start, end in _fields(view, 0, len(view)):
        if (field, kind) != (1, _BYTES):
            continue
        for entry, entry_kind, entry_start, entry_end in _fields(view, start, end):
            if (entry, entry_kind) == (1, _BYTES):
                name, values = _entry(view, entry_start, entry_end)
                features[name] = values
    return features


def _entry(view: memoryview, start: int, end: int) -> tuple[str, Values]:
    """Name and values of one feature."""
    name: str = ""
    values: Values = []
    for field, kind, low, high in _fields(view, start, end):
        if (field, kind) == (1, _BYTES):
            name = bytes(view[low:high]).decode("utf-8", "backslashreplace")
        elif (field, kind) == (2, _BYTES):
            values = _feature(view, low, high)
    return name, values


def _feature(view: memoryview, start: int, end: int) -> Values:
    values: Values = []
    for field, kind, low, high in _fields(view, start, end):
        if kind == _BYTES and field in _READERS:
            values = _READERS[field](view, low, high)
    return values


def _bytes_list(view: memoryview, start: int, end: int) -> list[bytes]:
    return [
        bytes(view[low:high]) for f, kind, low, high in _fields(view, start, end) if (f, kind) == (1, _BYTES)
    ]


def _float_list(view: memoryview, start: int, end: int) -> list[float]:
    values: list[float] = []
    for field, kind, low, high in _fields(view, start, end):
        if field == 1 and kind in (_BYTES, _FIXED32):
            if (high - low) % 4:
                raise FormatError(f"byte {low}: packed floats of {high - low} bytes, which 4 does not divide")
            values += struct.unpack(f"<{(high - low) // 4}f", view[low:high])
    return values


def _int64_list(view: memoryview, start: int, end: int) -> list[int]:
    values: list[int] = []
    for field, kind, low, high in _fields(view, start, end):
        if field == 1 and kind in (_BYTES, _VARINT):
            while low < high:
                number, low = _varint(view, low, high)
                values.append(number - (1 << 64) if number >> 63 else number)
    return values


_READERS: dict[int, Callable[[memoryview, int, int], Values]] = {
    1: _bytes_list,
    2: _float_list,
    3: _int64_list,
}


def _fields(view: memoryview, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(field number, wire type, first byte of the value, byte after it) of a message's fields in order."""
    position = start
    while position < end:
        tag, low = _varint(view, position, end)
        field, kind = tag >> 3, tag & 7
        if kind == _BYTES:
            size, low = _varint(view, low, end)
            high = low + size
        elif kind == _VARINT:
            high = _varint(view, low, end)[1]
        elif kind in (_FIXED64, _FIXED32):
            high = low + (8 if kind == _FIXED64 else 4)
        else:
            raise FormatError(f"byte {position}: wire type {kind}; expected a tf.train.Example")
        if not field or high > end:
            raise FormatError(
                f"byte {position}: a field that ends outside its message; expected a tf.train.Example"
            )
        yield field, kind, low, high
        position = high


def _varint(view: memoryview, position: int, end: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and the position after it."""
    number = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = view[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number & (1 << 64) - 1, position
    raise FormatError(f"byte {position}: a number that does not end; expected a tf.train.Example")


def encode_example(features: Mapping[str, str | bytes | float | Sequence]) -> bytes:
    """A tf.train.Example with these features, names sorted.

    Args:
        features: name -> a str (as UTF-8), bytes, int or float, or a sequence of one of these.

    Raises:
        ValueError: a value of another type, or a sequence of several types.
    """
    entries = b""
    for name in sorted(features):
        value = features[name]
        values = [value] if isinstance(value, (str, bytes, int, float)) else list(value)
        entry = _field(1, name.encode()) + _field(2, _encoded_feature(name, values))
        entries += _field(1, entry)
    return _field(1, entries)


def _encoded_feature(name: str, values: list) -> bytes:
    if all(isinstance(value, (str, bytes)) for value in values):
        raw = [value.encode() if isinstance(value, str) else value for value in values]
        return _field(1, b"".join(_field(1, item) for item in raw))
    if all(isinstance(value, int) for value in values):
        return _field(3, _field(1, b"".join(_encoded_varint(value & (1 << 64) - 1) for value in values)))
    if all(isinstance(value, (int, float)) for value in values):
        return _field(2, _field(1, struct.pack(f"<{len(values)}f", *values)))
    kinds = sorted({type(value).__name__ for value in values})
    raise ValueError(f"feature {name!r} must hold str, bytes, int or float, found {', '.join(kinds)}")


def _field(number: int, payload: bytes) -> bytes:
    return bytes([number << 3 | _BYTES]) + _encoded_varint(len(payload)) + payload


def _encoded_varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
