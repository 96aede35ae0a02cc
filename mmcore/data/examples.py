"""The structure that every source of data ends in: one row an example, one column a modality."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from mmcore.data.packed import Packed
from mmcore.errors import DataError

SPLITS = ("train", "val", "test")


class Source(Protocol):
    """What an example needs: anything with these five methods can feed a pipeline (see `examples_from`).

    `Examples` itself is one, whatever it was read from: folders, manifests, tar shards or TFRecord files.
    """

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def key(self, row: int) -> str:
        """How messages call a row."""
        ...

    def image(self, row: int) -> bytes | None:
        """The bytes of the row's image file, or None; called from any number of threads."""
        ...

    def text(self, row: int) -> str | None:
        """The row's text, or None."""
        ...

    def label(self, row: int) -> str | None:
        """The name of the row's class, or None."""
        ...


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows of images, texts, labels and splits; None in a cell means that the row lacks it.

    Args:
        images: per row the path of an image file, an image inside a shard, a decoded image uint8 [H, W, 3], or
            None.
        texts: per row a string or None.
        labels: per row the name of the class, or None where it is not known.
        splits: per row "train", "val" or "test".
        lines: per row where it stands in its source, for messages.
        source: the name of the manifest, for messages.
    """

    images: Sequence[Path | Packed | np.ndarray | None]
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
        """How messages call a row: its source, its line there, and its image file or member if it has one."""
        where = f"{self.source}, row {self.lines[row]}"
        image = self.images[row]
        return f"{where} ({image})" if isinstance(image, (Path, Packed)) else where

    def image(self, row: int) -> bytes | None:
        """The bytes of a row's image file; None where there is none, or it is in memory as an array.

        Raises:
            DataError: the file or shard cannot be read.
        """
        cell = self.images[row]
        if isinstance(cell, Packed):
            return cell.read()
        if not isinstance(cell, Path):
            return None
        try:
            return cell.read_bytes()
        except OSError as error:
            raise DataError(self.key(row), f"the image file cannot be read: {error.strerror}") from error

    def text(self, row: int) -> str | None:
        """A row's text."""
        return self.texts[row]

    def label(self, row: int) -> str | None:
        """The name of a row's class."""
        return self.labels[row]

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


def examples_from(source: Source, *, splits: Sequence[str] | None = None, name: str = "source") -> Examples:
    """Examples over a source of one's own: a database, an archive, a cache in memory.

    Texts and labels are read now, images when a batch needs them.

    Args:
        source: anything with the methods of `Source`.
        splits: per row "train", "val" or "test"; by default all rows are "train".
        name: what to call the source in messages.

    Example:
        >>> class Letters:
        ...     def __len__(self): return 3
        ...     def key(self, row): return f"letter {row}"
        ...     def image(self, row): return None
        ...     def text(self, row): return "abc"[row]
        ...     def label(self, row): return "vowel" if row == 0 else "consonant"
        >>> examples_from(Letters()).texts
        ['a', 'b', 'c']
    """
    rows = range(len(source))
    return Examples(
        [Packed(Path(name), source.key(row), functools.partial(source.image, row)) for row in rows],
        [source.text(row) for row in rows],
        [source.label(row) for row in rows],
        ["train"] * len(rows) if splits is None else list(splits),
        [row + 1 for row in rows],
        name,
    )
