"""A manifest to examples: roles to columns, names to paths, splits to train, val and test."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mmcore.data.bad import MAX_BAD_SHARE, BadExamples
from mmcore.data.cells import Cells
from mmcore.data.columns import Columns, choose_columns, missing_label_reason
from mmcore.data.examples import Examples
from mmcore.data.labels import balance_sentence
from mmcore.data.packed import Packed
from mmcore.data.paths import PathRule
from mmcore.data.read import read_cells
from mmcore.data.splits import ACCEPTED_SPLITS, split_name, stratified_split
from mmcore.errors import DataError


@dataclass(frozen=True)
class Manifest:
    """What a manifest gave.

    Args:
        examples: its usable rows, in its order.
        columns: which column has which role.
        notes: sentences to print: the columns, the splits, the balance of classes, what was left out.
        bad: rows that were skipped because their image file does not exist: key -> reason.
    """

    examples: Examples
    columns: Columns
    notes: tuple[str, ...]
    bad: dict[str, str]


def read_manifest(
    path: str | Path,
    *,
    image: str | None = None,
    text: str | None = None,
    label: str | None = None,
    split: str | None = None,
    labelled: bool = True,
    seed: int = 0,
    on_bad: str = "skip",
    allow_outside: bool = False,
) -> Manifest:
    """Reads a CSV or JSON lines manifest, a folder of class folders, or shards (.tar, .tfrecord; see `shards`).

    A row needs a label and at least one of image and text; an empty cell is a missing modality. Rows that
    lack what they need are left out and counted in `notes`. Image paths are absolute, or relative to the
    manifest's folder and inside it (see `PathRule`).

    Args:
        path: the manifest, the shard, or the folder of one manifest, of shards, or of class folders.
        image, text, label, split: names of columns; None guesses (see `choose_columns`), "" uses none.
        labelled: whether rows need labels; False is for prediction, where every row is kept and, without a
            split column, called "test".
        seed: of the split that is made where no column names one (see `stratified_split`).
        on_bad: rows whose image file does not exist, or whose record or text in a shard is damaged: "skip" (an
            error above 5 percent; so is "replace", which replaces while training) or "raise".
        allow_outside: lets relative image names, and shards that are links, leave the folder.

    Raises:
        DataError: the file cannot be read or is empty; a named column does not exist; no label column;
        neither
            an image nor a text column; an unknown split; a name outside the folder; too many missing files;
            no usable row.
    """
    cells = read_cells(path, allow_outside=allow_outside)
    columns = choose_columns(cells, image=image, text=text, label=label, split=split)
    _check(cells, columns, labelled)
    dropped: Counter[str] = Counter()
    bad = BadExamples(len(cells.lines), on_bad, max_share=MAX_BAD_SHARE if labelled else None)
    rows = _rows(cells, columns, PathRule(cells.root, allow_outside=allow_outside), labelled, dropped, bad)
    if not rows:
        raise DataError(
            cells.source, f"none of the {len(cells.lines)} rows can be used: {_left_out(dropped, bad)}"
        )
    images, texts, labels, splits, lines = (list(column) for column in zip(*rows, strict=True))
    if not columns.split:
        splits = stratified_split(labels, seed=seed) if labelled else ["test"] * len(rows)
    examples = Examples(images, texts, labels, splits, lines, cells.source)
    return Manifest(examples, columns, _notes(examples, columns, seed, labelled, dropped, bad), bad.reasons)


def _check(cells: Cells, columns: Columns, labelled: bool) -> None:
    if labelled and not columns.label:
        raise DataError(cells.source, missing_label_reason(cells))
    if not columns.image and not columns.text:
        raise DataError(
            cells.source,
            f"neither an image nor a text column was found among "
            f"{', '.join(cells.columns)}; name one with --image or --text",
        )
    if cells.places and columns.image and columns.image not in cells.packed:
        raise DataError(
            cells.source,
            f"the image column {columns.image!r} holds texts; name a column of images in the shards",
        )
    for role, name in (("text", columns.text), ("label", columns.label), ("split", columns.split)):
        if name in cells.packed:
            raise DataError(
                cells.source,
                f"the {role} column {name!r} holds images or other bytes; name a column of texts",
            )


def _rows(
    cells: Cells, columns: Columns, rule: PathRule, labelled: bool, dropped: Counter, bad: BadExamples
) -> list[tuple]:
    """(image, text, label, split, line) of every usable row; counts the others."""
    empty = [""] * len(cells.lines)
    used = (columns.image, columns.text, columns.label, columns.split)
    named = [cells.columns[name] if name else empty for name in used]
    packed = cells.packed.get(columns.image or "")
    rows = []
    for index, (line, image, text, label, split) in enumerate(zip(cells.lines, *named, strict=True)):
        key = f"{cells.source}, row {line}"
        unreadable = cells.problem(index, used)
        if unreadable:
            bad.add(DataError(f"{key} ({cells.places[index]})", unreadable))
            continue
        problem = _problem(image, text, label if labelled else "-", split if columns.split else "-")
        if problem:
            dropped[problem] += 1
            continue
        split = _split(split, columns, key)
        file = _image(image, packed[index] if packed else None, rule, key)
        if isinstance(file, Path) and not os.path.isfile(file):
            bad.add(
                DataError(
                    f"{key} ({file})", "the image file does not exist; correct the path or remove the row"
                )
            )
            continue
        rows.append((file, text or None, label or None, split, line))
    return rows


def _image(name: str, packed: Packed | None, rule: PathRule, key: str) -> Path | Packed | None:
    """The image of a cell: what lies in a shard, or the file that the cell names."""
    return packed or (rule(name, key) if name else None)


def _problem(image: str, text: str, label: str, split: str) -> str | None:
    if not label:
        return "no label"
    if not image and not text:
        return "neither image nor text"
    return None if split else "no split"


def _split(name: str, columns: Columns, key: str) -> str:
    """The split's own name; "test" stands in until splits are dealt out where there is no such column."""
    if not columns.split:
        return "test"
    split = split_name(name)
    if split is None:
        raise DataError(
            key, f"the column {columns.split!r} holds {name!r}; expected one of {ACCEPTED_SPLITS}"
        )
    return split


def _left_out(dropped: Counter, bad: BadExamples) -> str:
    parts = [f"{count} with {problem}" for problem, count in dropped.items()]
    return ", ".join(
        parts
        + ([f"{len(bad)} whose image file does not exist or whose record is damaged"] if len(bad) else [])
    )


def _notes(
    examples: Examples, columns: Columns, seed: int, labelled: bool, dropped: Counter, bad: BadExamples
) -> tuple[str, ...]:
    counts = ", ".join(f"{count} {name}" for name, count in examples.counts().items())
    rule = "" if columns.split or not labelled else f" (dealt out 80/10/10 within each class, seed {seed})"
    notes = [columns.sentence(), f"rows: {counts}{rule}"]
    notes += [balance_sentence(examples.labels)] if labelled else []
    notes += [f"left out: {_left_out(dropped, bad)}"] if dropped or len(bad) else []
    notes += [f"first left out: {key}: {reason}" for key, reason in list(bad.reasons.items())[:1]]
    return tuple(notes)
