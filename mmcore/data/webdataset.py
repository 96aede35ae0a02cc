"""WebDataset shards: tar archives whose members `key.extension` make one sample a key."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import BinaryIO

from mmcore.data.packed import Packed, read_at
from mmcore.data.rows import MAX_TEXT_BYTES, Cell, ShardRows, text_or_none
from mmcore.data.tar import TarMember, scan_tar
from mmcore.errors import DataError

KEY = "__key__"
_TEXTS = frozenset(
    (
        *("txt", "text", "caption", "transcript", "question", "target", "json"),
        *("cls", "cls2", "label", "class", "category", "index", "inx", "id", "split"),
    )
)


def read_tar_rows(path: Path, rows: ShardRows) -> None:
    """Adds the samples of an archive, one a key, in the order in which the keys first occur.

    A member's key is its name up to the first dot after its last slash; what comes after that dot, in lower
    case, is the column. Members called `__name__`, and those without a dot, belong to no sample. Texts
    (.txt, .cls, .json, ...) are read now; of a .json object each field that is no list or object is a column
    `json.field` as well. Images and everything else stay where they are: their offsets are kept, and
    their bytes are read when they are wanted. A link or device makes its sample unreadable and is never
    followed.

    Raises:
        DataError: as `scan_tar`; a key that has two members of one extension.

    Source: Aizman et al., High Performance I/O For Large Scale Deep Learning, 2019, arXiv:2001.01858,
    section on WebDataset's format; the webdataset library's `base_plus_ext`.
    """
    members = _by_key(path, scan_tar(path))
    try:
        with open(path, "rb") as file:
            for key, parts in members.items():
                _add(path, file, key, parts, rows)
    except OSError as error:
        raise DataError(str(path), f"the shard cannot be read ({error.strerror}); check it") from error


def _by_key(path: Path, members: list[TarMember]) -> dict[str, dict[str, TarMember]]:
    grouped: dict[str, dict[str, TarMember]] = {}
    for member in members:
        folder, slash, base = member.name.rpartition("/")
        stem, dot, extension = base.partition(".")
        if not dot or not stem or base.startswith("__"):
            continue
        parts = grouped.setdefault(folder + slash + stem, {})
        if extension.lower() in parts:
            raise DataError(
                f"{path}:{member.name}",
                "the sample has this member twice; give each sample a key of its own",
                member.offset,
            )
        parts[extension.lower()] = member
    return grouped


def _add(path: Path, file: BinaryIO, key: str, parts: dict[str, TarMember], rows: ShardRows) -> None:
    """One sample."""
    cells: dict[str, Cell] = {KEY: key}
    problem = None
    for extension, member in parts.items():
        if member.problem:
            problem = problem or f"{member.name!r} cannot be used: {member.problem}"
            continue
        cells[extension] = _cell(path, file, extension, member)
        if extension == "json" and isinstance(cells[extension], str):
            fields, wrong = _json_fields(str(cells[extension]), member.name)
            cells, problem = cells | fields, problem or wrong
    rows.add(f"{path.name}:{key}", cells, problem)


def _cell(path: Path, file: BinaryIO, extension: str, member: TarMember) -> Cell:
    if extension.rpartition(".")[2] in _TEXTS and member.size <= MAX_TEXT_BYTES:
        file.seek(member.offset)
        text = text_or_none(file.read(member.size))
        if text is not None:
            return text
    return Packed(path, member.name, functools.partial(read_at, path, member.offset, member.size))


def _json_fields(source: str, name: str) -> tuple[dict[str, Cell], str | None]:
    """The scalars of a JSON object as columns, and what is wrong with it."""
    try:
        value = json.loads(source)
    except (ValueError, RecursionError) as error:
        return (
            {},
            f"{name!r} is not valid JSON ({error or 'nested too deeply'}); correct or remove the sample",
        )
    if not isinstance(value, dict):
        return {}, None
    scalars = {field: item for field, item in value.items() if isinstance(item, (str, int, float))}
    return {
        f"json.{field}": str(item).encode("utf-8", "replace").decode() for field, item in scalars.items()
    }, None
