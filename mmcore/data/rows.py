"""Samples of shards gathered row by row into columns."""

from __future__ import annotations

from pathlib import Path

from mmcore.data.cells import WHOLE_ROW, Cells
from mmcore.data.packed import Packed

MAX_TEXT_BYTES = 16_000_000
Cell = str | Packed


class ShardRows:
    """Rows of cells that are strings or bytes in a shard; columns appear as rows have them.

    A column most of whose cells are bytes is one of images: `Cells.packed`. A text in it, and bytes in a column
    of texts, are problems of their rows for whoever wants that column.
    """

    def __init__(self) -> None:
        self.columns: dict[str, dict[int, Cell]] = {}
        self.problems: dict[int, str] = {}
        self.places: list[str] = []

    def __len__(self) -> int:
        return len(self.places)

    def add(self, place: str, cells: dict[str, Cell], problem: str | None = None) -> None:
        """One more row: what it is called in messages, its cells, and why it cannot be read if it cannot."""
        row = len(self)
        self.places.append(place)
        for name, cell in cells.items():
            self.columns.setdefault(name, {})[row] = cell
        if problem:
            self.problems[row] = problem

    def set_column(self, name: str, cells: list[str]) -> None:
        """A column for all rows."""
        self.columns[name] = dict(enumerate(cells))

    def cells(self, source: str, root: Path) -> Cells:
        """All rows as columns of equal length."""
        count = len(self)
        columns: dict[str, list[str]] = {}
        packed: dict[str, list[Packed | None]] = {}
        problems: dict[str, dict[int, str]] = {WHOLE_ROW: self.problems}
        for name, column in self.columns.items():
            columns[name] = [_string(column.get(row)) for row in range(count)]
            is_bytes = _is_bytes(column)
            if is_bytes:
                packed[name] = [_packed(column.get(row)) for row in range(count)]
            wrong = f"{name!r} is {'a text, not an image' if is_bytes else 'not text in UTF-8'}; correct or remove it"
            problems[name] = {
                row: wrong for row, cell in column.items() if cell and isinstance(cell, str) == is_bytes
            }
        return Cells(columns, list(range(1, count + 1)), source, root, packed, problems, self.places)


def _is_bytes(column: dict[int, Cell]) -> bool:
    return 2 * sum(isinstance(cell, Packed) for cell in column.values()) > len(column)


def _packed(cell: Cell | None) -> Packed | None:
    return cell if isinstance(cell, Packed) else None


def _string(cell: Cell | None) -> str:
    return cell.name if isinstance(cell, Packed) else (cell or "").strip()


def text_or_none(raw: bytes) -> str | None:
    """Bytes as text; None where they are none: not UTF-8, or with NUL bytes."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
