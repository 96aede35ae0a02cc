"""TFRecord files read and written without TensorFlow: framing, checksums, and an index of both."""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mmcore._load import native
from mmcore.data.packed import read_at
from mmcore.errors import DataError
from mmcore.files import atomic_write

_HEADER, _FOOTER = 12, 4  # length and its checksum; the checksum of the payload
_MASK = 0xA282EAD8
_FORMAT = "mmcore record index"
MAX_RECORD_BYTES = 1 << 31


@dataclass(frozen=True)
class RecordIndex:
    """Where the records of a file lie, and what they must be.

    Args:
        file_bytes: size of the record file.
        offsets: per record where its payload begins.
        lengths: per record the bytes of its payload.
        checksums: per record the masked CRC-32C of its payload.
    """

    file_bytes: int
    offsets: list[int]
    lengths: list[int]
    checksums: list[int]

    def __len__(self) -> int:
        return len(self.offsets)


def masked_crc32c(data: bytes | memoryview) -> int:
    """The checksum of TFRecord files: rotate_right(crc32c(data), 15) + 0xA282EAD8, modulo 2^32.

    Source: TensorFlow, "TFRecord and tf.train.Example", section "TFRecords format details".

    Example:
        >>> masked_crc32c(b"123456789")
        3347755237
    """
    crc = native().crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def index_path(path: str | os.PathLike[str]) -> Path:
    """The index of a record file lies beside it, with `.index.json` after its name."""
    path = Path(path)
    return path.with_name(path.name + ".index.json")


def scan_records(path: str | os.PathLike[str], *, max_bytes: int = MAX_RECORD_BYTES) -> RecordIndex:
    """Walks through a record file by its own lengths, each of which has a checksum in the file.

    The payloads are not read: whether one is whole shows when it is (see `read_record`).

    Args:
        path: a TFRecord file, not compressed.
        max_bytes: a record that states more is an error.

    Raises:
        DataError: the file cannot be read; a length is damaged, so that what follows cannot be found without
            an index; the file is cut short.
    """
    path = Path(path)
    offsets, lengths, checksums = [], [], []
    try:
        with open(path, "rb") as file:
            total = os.fstat(file.fileno()).st_size
            for offset, length in _frames(file, total, str(path), max_bytes):
                offsets.append(offset)
                lengths.append(length)
                checksums.append(struct.unpack("<I", file.read(_FOOTER))[0])
    except OSError as error:
        raise DataError(str(path), f"the shard cannot be read ({error.strerror}); check it") from error
    return RecordIndex(total, offsets, lengths, checksums)


def _frames(file: io.BufferedReader, total: int, key: str, max_bytes: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of each payload; the file then stands at its checksum."""
    offset = 0
    while offset < total:
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            raise _cut_short(key, offset, f"a record's header has {_HEADER} bytes, found {len(header)}")
        length, checksum = struct.unpack("<QI", header)
        if masked_crc32c(header[:8]) != checksum:
            raise DataError(key, _damaged_length(header, offset), offset)
        if length > max_bytes:
            raise DataError(
                key, f"a record of {length} bytes; expected at most max_bytes={max_bytes}", offset
            )
        payload = offset + _HEADER
        if payload + length + _FOOTER > total:
            raise _cut_short(
                key, offset, f"the record needs {length + _FOOTER} bytes, found {total - payload}"
            )
        file.seek(length, os.SEEK_CUR)
        yield payload, length
        offset = payload + length + _FOOTER


def _cut_short(key: str, offset: int, what: str) -> DataError:
    return DataError(key, f"the shard is cut short: {what}; copy or write it again", offset)


def _damaged_length(header: bytes, offset: int) -> str:
    if offset == 0 and header[:2] == b"\x1f\x8b":
        return (
            "the file is compressed with gzip, so its records cannot be read one by one; decompress it once"
        )
    where = "not a TFRecord file, or the" if offset == 0 else "the"
    return (
        f"{where} length of the record is damaged, and nothing after it can be found; copy the file again. "
        "An index, written by data.write_record_index while the file is whole, would lose no other record"
    )


def write_record_index(path: str | os.PathLike[str]) -> RecordIndex:
    """Writes the index of a whole record file beside it: counts, offsets, lengths and checksums.

    With it a flipped byte anywhere in the file loses at most the one record it lies in, and a file that was
    cut or continued since is told from its size. Every payload is verified first.

    Raises:
        DataError: the file is damaged already, or cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "a.tfrecord")
        >>> write_records(path, [b"one", b"two"])
        >>> write_record_index(path).lengths
        [3, 3]
    """
    index = scan_records(path)
    for number in range(len(index)):
        read_record(Path(path), index, number)
    content = {
        "format": _FORMAT,
        "version": 1,
        "count": len(index),
        "file_bytes": index.file_bytes,
        "offsets": index.offsets,
        "lengths": index.lengths,
        "checksums": index.checksums,
    }
    body = json.dumps(content, separators=(",", ":")).encode()
    atomic_write(index_path(path), b"%s\n%08x\n" % (body, masked_crc32c(body)))
    return index


def read_record_index(path: str | os.PathLike[str]) -> RecordIndex:
    """The index beside a record file; without one, a scan of the file.

    Raises:
        DataError: the index is damaged or of another file; the file was cut short or continued since.
    """
    source = index_path(path)
    try:
        raw = source.read_bytes()
    except FileNotFoundError:
        return scan_records(path)
    except OSError as error:
        raise DataError(str(source), f"the index cannot be read ({error.strerror}); check it") from error
    index = _parsed_index(raw, str(source))
    try:
        found = os.stat(path).st_size
    except OSError as error:
        raise DataError(str(path), f"the shard cannot be read ({error.strerror}); check it") from error
    if found < index.file_bytes:
        raise _cut_short(str(path), found, f"its index says {index.file_bytes} bytes, found {found}")
    if found > index.file_bytes:
        raise DataError(
            str(path),
            f"the shard has {found} bytes and its index says {index.file_bytes}: it was written "
            "again since; write its index anew with data.write_record_index",
        )
    return index


def _parsed_index(raw: bytes, key: str) -> RecordIndex:
    body, _, checksum = raw.rstrip(b"\n").rpartition(b"\n")
    if checksum != b"%08x" % masked_crc32c(body):
        raise DataError(
            key, "the index is damaged (its checksum does not fit); write it anew, or delete it to do without"
        )
    content = json.loads(body)  # Its checksum fits: whoever wrote it meant every byte.
    try:
        lists = [list(map(int, content[name])) for name in ("offsets", "lengths", "checksums")]
        index = RecordIndex(int(content["file_bytes"]), *lists)
        known = content["format"] == _FORMAT and content["version"] == 1
    except (TypeError, KeyError, ValueError):
        known = False
    if not known or {len(index.offsets), len(index.lengths), len(index.checksums)} != {content["count"]}:
        raise DataError(key, "not an index of this version of mmcore; write it anew, or delete it")
    end = index.file_bytes - _FOOTER
    for offset, length in zip(index.offsets, index.lengths, strict=True):
        if offset < _HEADER or length < 0 or offset + length > end:
            raise DataError(key, f"the index puts a record at {offset} + {length}, outside its file")
    return index


def read_record(path: Path, index: RecordIndex, number: int) -> bytes:
    """The payload of a record, verified.

    Raises:
        DataError: the bytes are not those that the checksum is of.
    """
    offset = index.offsets[number]
    payload = read_at(path, offset, index.lengths[number])
    check_payload(payload, index, number, str(path))
    return payload


def check_payload(payload: bytes, index: RecordIndex, number: int, key: str) -> None:
    """Compares a payload with its checksum.

    Raises:
        DataError: they differ.
    """
    found, expected = masked_crc32c(payload), index.checksums[number]
    if found != expected:
        raise DataError(
            key,
            f"record {number} is damaged: its checksum is {found:08x}, expected {expected:08x}; "
            "copy the file again, or leave the record out",
            index.offsets[number],
        )


def read_payloads(path: Path, index: RecordIndex) -> Iterator[bytes]:
    """All payloads in order, unverified.

    Raises:
        DataError: the file cannot be read or ends early.
    """
    try:
        with open(path, "rb") as file:
            for offset, length in zip(index.offsets, index.lengths, strict=True):
                file.seek(offset)
                payload = file.read(length)
                if len(payload) < length:
                    raise _cut_short(str(path), offset, f"expected {length} bytes, found {len(payload)}")
                yield payload
    except OSError as error:
        raise DataError(str(path), f"the shard cannot be read ({error.strerror}); check it") from error


def write_records(path: str | os.PathLike[str], payloads: Iterable[bytes]) -> None:
    """Writes payloads as a TFRecord file, each with its length and checksums.

    Raises:
        OSError: the file cannot be written.
    """
    with open(path, "wb") as file:
        for payload in payloads:
            length = struct.pack("<Q", len(payload))
            file.write(length + struct.pack("<I", masked_crc32c(length)))
            file.write(payload + struct.pack("<I", masked_crc32c(payload)))
