"""Files to columns of cells: CSV, JSON lines, folders of class folders; shards go to `shards`.

Nothing is interpreted here.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

from mmcore.data.cells import IMAGE_SUFFIXES, Cells
from mmcore.data.paths import PathRule
from mmcore.data.shards import is_shard, read_shards
from mmcore.data.splits import split_name
from mmcore.errors import DataError

MANIFEST_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")


def read_cells(path: str | Path, *, allow_outside: bool = False) -> Cells:
    """Reads a manifest or a shard; of a folder its only manifest, else its shards, else its class folders.

    Args:
        path: the file or folder.
        allow_outside: lets shards of a folder be links to files outside it.

    Raises:
        DataError: the path does not exist, has another format, is not UTF-8, is empty, or is malformed; a
            shard is damaged or cut short.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, allow_outside)
    if not path.exists():
        raise DataError(str(path), f"the file does not exist (looked from {Path.cwd()}); check the path")
    if is_shard(path):
        return read_shards([path], path.parent, path.name)
    suffix = path.suffix.lower()
    if suffix not in MANIFEST_SUFFIXES:
        raise DataError(
            str(path),
            f"expected a manifest ending in {', '.join(MANIFEST_SUFFIXES)}, a shard (.tar, .tfrecord), or a "
            f"folder of class folders or shards, found {path.suffix or 'no ending'!r}; export it as CSV with "
            "a header row",
        )
    try:
        text = decode_utf8(path.read_bytes(), path.name)
    except OSError as error:
        raise DataError(
            str(path), f"the file cannot be read ({error.strerror}); check its permissions"
        ) from error
    return read_jsonl(text, path) if suffix in (".jsonl", ".ndjson") else read_csv(text, path)


def _read_folder(path: Path, allow_outside: bool) -> Cells:
    files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    manifests = [p for p in files if p.suffix.lower() in MANIFEST_SUFFIXES]
    if len(manifests) > 1:
        names = ", ".join(p.name for p in manifests)
        raise DataError(str(path), f"the folder holds several manifests ({names}); name one of them")
    if manifests:
        return read_cells(manifests[0])
    rule = PathRule(path, allow_outside=allow_outside)
    shards = [rule(p.name, str(p)) for p in files if is_shard(p)]
    return read_shards(shards, path, path.name) if shards else read_folder(path)


def decode_utf8(raw: bytes, name: str) -> str:
    """bytes -> text; a byte order mark is dropped.

    Raises:
        DataError: not UTF-8, or a NUL byte; names the line and the byte offset.
    """
    try:
        text, offset, problem = raw.decode("utf-8"), raw.find(b"\0"), "a NUL byte"
        if offset < 0:
            return text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        offset, problem = error.start, f"byte 0x{raw[error.start]:02X}, which is not UTF-8"
    line = raw.count(b"\n", 0, offset) + 1
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin1"
    fix = f"save the file as UTF-8, for example: iconv -f {encoding} -t utf-8 {name} > fixed_{name}"
    if raw[offset] == 0:
        fix = f"remove it, for example: tr -d '\\000' < {name} > fixed_{name} (or save the file as UTF-8)"
    raise DataError(f"{name}, line {line}", f"found {problem}; {fix}", offset)


def read_csv(text: str, path: Path) -> Cells:
    """Separated values with a header row (RFC 4180); see `_delimiter` for what separates."""
    name = path.name
    rows = _csv_rows(text, _delimiter(text.split("\n", 1)[0], path), name)
    header = [cell.strip() for _, cell_row in (next(rows, (0, [])),) for cell in cell_row]
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise DataError(
            name, f"the header names {', '.join(map(repr, repeated))} more than once; rename one of them"
        )
    columns: dict[str, list[str]] = {column: [] for column in header}
    count = 0
    for count, (line, row) in enumerate(rows, start=1):
        if len(row) != len(header):
            raise DataError(
                f"{name}, row {count} (line {line})",
                f"expected {len(header)} fields as in the header, found {len(row)}; put a field that "
                "contains the separator or a line break in double quotes",
            )
        for cells, cell in zip(columns.values(), row, strict=True):
            cells.append(cell.strip())
    return _not_empty(Cells(columns, list(range(1, count + 1)), name, path.parent))


def read_jsonl(text: str, path: Path) -> Cells:
    """One JSON object a line; numbers and booleans become strings, null and absent keys empty cells."""
    name, count = path.name, 0
    columns: dict[str, list[str]] = {}
    for line, source in enumerate(text.split("\n"), start=1):
        if not source.strip():
            continue
        key = f"{name}, row {count + 1} (line {line})"
        for column, value in _json_object(source, key).items():
            cells = columns.setdefault(column, [])
            cells.extend([""] * (count - len(cells)))
            cells.append(_json_cell(value, column, key))
        count += 1
    for cells in columns.values():
        cells.extend([""] * (count - len(cells)))
    return _not_empty(Cells(columns, list(range(1, count + 1)), name, path.parent))


def read_folder(path: Path) -> Cells:
    """`<class>/<file>`, or `<split>/<class>/<file>`: every image file below a class folder is one row.

    Gives the columns image and label, and split where every folder at the top is named as a split.
    """
    top = _folders(path)
    by_split = bool(top) and all(split_name(folder.name) for folder in top)
    pairs = (
        [(split.name, folder) for split in top for folder in _folders(split)]
        if by_split
        else [("", folder) for folder in top]
    )
    rows = [
        (file.relative_to(path).as_posix(), folder.name, split)
        for split, folder in pairs
        for file in _image_files(folder)
    ]
    if not rows:
        raise DataError(
            str(path),
            "expected a manifest or folders named by class with image files in them "
            f"({', '.join(sorted(IMAGE_SUFFIXES))}), found neither",
        )
    images, labels, splits = (list(column) for column in zip(*rows, strict=True))
    columns = {"image": images, "label": labels, "split": splits}
    if not by_split:
        del columns["split"]
    return Cells(columns, list(range(1, len(rows) + 1)), path.name, path)


def _csv_rows(text: str, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, fields) of every row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{name}, line {line}",
            f"not valid CSV ({error}); look for a double quote that is not closed "
            "or not doubled, or keep long texts in JSON lines",
        ) from error


def _delimiter(header: str, path: Path) -> str:
    """Tab for .tsv; else the first of comma, semicolon and tab that the header contains."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    return next((mark for mark in ",;\t" if mark in header), ",")


def _json_object(source: str, key: str) -> dict:
    """One line of JSON, which must be an object."""
    try:
        value = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise DataError(
            key, f"not valid JSON ({error or 'nested too deeply'}); expected one object a line"
        ) from error
    if not isinstance(value, dict):
        raise DataError(key, f"expected one JSON object a line, found a {type(value).__name__}")
    return value


def _json_cell(value: object, column: str, key: str) -> str:
    """A JSON scalar as the string it would be in CSV."""
    if value is None:
        return ""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                key,
                f"{column!r} holds half of a surrogate pair ({error.object[error.start]!a}), which is "
                "not text; remove it",
            ) from error
        return value.strip()
    return str(value) if isinstance(value, (int, float)) else json.dumps(value, ensure_ascii=False)


def _not_empty(cells: Cells) -> Cells:
    if not cells.lines:
        columns = f"only the header ({', '.join(cells.columns)})" if cells.columns else "nothing"
        raise DataError(
            cells.source, f"the manifest is empty: expected a header and at least one row, found {columns}"
        )
    return cells


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _image_files(folder: Path) -> list[Path]:
    """Every image file below the folder, sorted; folders behind links are not entered."""
    found = []
    for parent, _, names in os.walk(folder):
        found += [
            Path(parent, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES
        ]
    return sorted(found)
