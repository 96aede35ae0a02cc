"""What every source is read to first: columns of strings, and what of them lies in shards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmcore.data.packed import Packed

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
)
WHOLE_ROW = ""


@dataclass(frozen=True)
class Cells:
    """Columns of strings, "" for an empty or absent cell.

    Args:
        columns: name -> cells, in the order of the file.
        lines: per row its number, counted from 1 without the header and without blank lines.
        source: file name, for messages.
        root: the folder that relative names start from.
        packed: name of a column of images in shards -> per row where its bytes are; its cells are names.
        problems: name of a column, or `WHOLE_ROW` -> index of a row that cannot be read there -> why.
        places: per row of a shard its shard and key, for messages.
    """

    columns: dict[str, list[str]]
    lines: list[int]
    source: str
    root: Path
    packed: Mapping[str, Sequence[Packed | None]] = field(default_factory=dict)
    problems: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    places: Sequence[str] = ()

    def problem(self, row: int, columns: Iterable[str | None]) -> str | None:
        """Why a row cannot be read as far as these columns go; None if it can."""
        tables = (self.problems.get(name, {}) for name in (WHOLE_ROW, *columns) if name is not None)
        return next((table[row] for table in tables if row in table), None)
