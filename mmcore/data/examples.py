"""The structure that every source of data ends in: one row an example, one column a modality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows of images, texts, labels and splits; None in a cell means that the row lacks it.

    Args:
        images: per row the path of an image file, a decoded image uint8 [H, W, 3], or None.
        texts: per row a string or None.
        labels: per row the name of the class, or None where it is not known.
        splits: per row "train", "val" or "test".
        lines: per row where it stands in its source, for messages.
        source: the name of the manifest, for messages.
    """

    images: Sequence[Path | np.ndarray | None]
    texts: Sequence[str | None]
    labels: Sequence[str | None]
    splits: Sequence[str]
    lines: Sequence[int]
    source: str

    def __post_init__(self):
        lengths = {
            name: len(getattr(self, name)) for name in ("images", "texts", "labels", "splits", "lines")
        }
        if len(set(lengths.values())) > 1:
            raise ValueError(f"every column of Examples must have the same length, found {lengths}")

    def __len__(self) -> int:
        return len(self.lines)

    def key(self, row: int) -> str:
        """How messages call a row: its source, its line there, and its image file if it has one."""
        where = f"{self.source}, row {self.lines[row]}"
        image = self.images[row]
        return f"{where} ({image})" if isinstance(image, Path) else where

    def take(self, rows: Sequence[int] | np.ndarray) -> Examples:
        """The given rows, in the given order; cells are shared, not copied."""
        return Examples(
            images=[self.images[row] for row in rows],
            texts=[self.texts[row] for row in rows],
            labels=[self.labels[row] for row in rows],
            splits=[self.splits[row] for row in rows],
            lines=[self.lines[row] for row in rows],
            source=self.source,
        )

    def split(self, name: str) -> Examples:
        """The rows of one split ("train", "val" or "test"), in their order."""
        if name not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, found {name!r}")
        return self.take([row for row, split in enumerate(self.splits) if split == name])

    def counts(self) -> dict[str, int]:
        """How many rows each split has; splits without rows are left out."""
        splits = list(self.splits)
        return {name: splits.count(name) for name in SPLITS if name in splits}
