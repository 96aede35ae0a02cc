"""TFRecord shards of tf.train.Example: every feature a column."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from mmcore.data.example_proto import Values, parse_example
from mmcore.data.packed import Packed
from mmcore.data.rows import MAX_TEXT_BYTES, Cell, ShardRows, text_or_none
from mmcore.data.tfrecord import RecordIndex, check_payload, read_payloads, read_record, read_record_index
from mmcore.errors import DataError, FormatError

_MAX_VALUES = 1000  # a feature of more numbers is a tensor, not something a column of cells could hold


def read_record_rows(path: Path, rows: ShardRows) -> None:
    """Adds the records of a file, one a row; uses the index beside the file where there is one.

    A feature of one value is a cell: bytes that are text, or a number, as a string; other bytes stay in the
    file and are read, and verified, when they are wanted. Several values make a JSON list. All bytes of the
    file are read once and verified here, since a flipped one in a label would teach something wrong; a
    damaged record is a row that cannot be read, and its neighbours stay.

    Raises:
        DataError: as `read_record_index`.
    """
    index = read_record_index(path)
    for number, payload in enumerate(read_payloads(path, index)):
        place = f"{path.name}:record {number}"
        try:
            check_payload(payload, index, number, str(path))
            features = parse_example(payload)
        except DataError as error:
            rows.add(place, {}, f"{error.reason} (at byte {error.offset})")
        except FormatError as error:
            rows.add(place, {}, f"not a tf.train.Example: {error}")
        else:
            rows.add(place, _cells(path, index, number, features))


def _cells(path: Path, index: RecordIndex, number: int, features: dict[str, Values]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for name, values in features.items():
        if len(values) == 1 and isinstance(values[0], bytes):
            text = (
                None
                if image_suffix(values[0]) or len(values[0]) > MAX_TEXT_BYTES
                else text_or_none(values[0])
            )
            cells[name] = _packed(path, index, number, name, values[0]) if text is None else text
        elif len(values) == 1:
            cells[name] = str(values[0])
        elif values and len(values) <= _MAX_VALUES and not isinstance(values[0], bytes):
            cells[name] = json.dumps(values)
    return cells


def _packed(path: Path, index: RecordIndex, number: int, name: str, value: bytes) -> Packed:
    called = f"record {number}:{name}{image_suffix(value) or '.bin'}"
    return Packed(path, called, functools.partial(_feature, path, index, number, name))


def _feature(path: Path, index: RecordIndex, number: int, name: str) -> bytes:
    """The bytes of one feature, from a record that is verified again."""
    payload = read_record(path, index, number)
    try:
        value = parse_example(payload)[name][0]
    except (FormatError, KeyError, IndexError) as error:
        raise DataError(str(path), f"record {number} is no longer what it was when it was opened") from error
    return value if isinstance(value, bytes) else b""


def image_suffix(value: bytes) -> str | None:
    """How a file of these bytes would end, by what images begin with; None for no image."""
    if value[:4] == b"RIFF" and value[8:12] == b"WEBP":
        return ".webp"
    if value[4:12] in (b"ftypavif", b"ftypavis"):
        return ".avif"
    if value[:2] == b"BM" and value[6:10] == bytes(4):  # reserved in BMP; a text may begin with BM
        return ".bmp"
    starts = {
        b"\xff\xd8\xff": ".jpg",
        b"\x89PNG\r\n\x1a\n": ".png",
        b"GIF87a": ".gif",
        b"GIF89a": ".gif",
        b"II*\0": ".tif",
        b"MM\0*": ".tif",
    }
    return next((suffix for start, suffix in starts.items() if value.startswith(start)), None)
