"""Shards to columns of cells: WebDataset tar archives, and TFRecord files of tf.train.Example."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mmcore.data.cells import Cells
from mmcore.data.records import read_record_rows
from mmcore.data.rows import ShardRows
from mmcore.data.splits import split_name
from mmcore.data.webdataset import read_tar_rows
from mmcore.errors import DataError

_RECORDS = re.compile(r"\.tfrecords?(-\d+-of-\d+)?$", re.IGNORECASE)


def is_shard(path: Path) -> bool:
    """Whether a name is that of a shard: .tar, .tfrecord(s), .tfrecord-00000-of-00010."""
    return path.suffix.lower() == ".tar" or _RECORDS.search(path.name) is not None


def read_shards(paths: Sequence[Path], root: Path, source: str) -> Cells:
    """The samples of shards, in the order given, as columns.

    Where two or more splits are named by the shards ("train-000.tar", "val-000.tar"), each by one word of its
    name, there is a column "split" of them.

    Raises:
        DataError: shards of both kinds; a shard is damaged where that loses more than one sample; no sample.
    """
    kinds = {path.suffix.lower() == ".tar" for path in paths}
    if len(kinds) > 1:
        raise DataError(
            source, "the folder holds tar and TFRecord shards; keep each kind in a folder of its own"
        )
    rows = ShardRows()
    counts = []
    for path in paths:
        before = len(rows)
        (read_tar_rows if kinds == {True} else read_record_rows)(path, rows)
        counts.append(len(rows) - before)
    if not len(rows):
        raise DataError(source, f"the {len(paths)} shards hold no sample")
    splits = [_shard_split(path) for path in paths]
    if None not in splits and len(set(splits)) > 1 and "split" not in rows.columns:
        rows.set_column(
            "split", [str(s) for s, count in zip(splits, counts, strict=True) for _ in range(count)]
        )
    return rows.cells(source, root)


def _shard_split(path: Path) -> str | None:
    """The split that one word of a shard's name names; None if none or several do."""
    named = {name for word in re.split(r"[^a-z]+", path.name.lower()) if (name := split_name(word))}
    return named.pop() if len(named) == 1 else None
