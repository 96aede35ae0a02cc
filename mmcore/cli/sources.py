"""Examples of a run, read again as its configuration says; and what is said about them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mmcore import data
from mmcore.cli.config import RunConfig


class Source(NamedTuple):
    """Examples, and the rows left out since their image file does not exist: key -> reason."""

    examples: data.Examples
    bad: dict[str, str]


def print_notes(notes: Iterable[str]) -> None:
    """Prints lines on standard error."""
    for note in notes:
        print(note, file=sys.stderr, flush=True)


def fingerprint(examples: data.Examples) -> str:
    """A digest of every row's place, label, split, text and image file; not of the pixels.

    A file counts by its real path, an image in a shard by the shard's and its name there: a run may begin with
    `--data data.csv` and be resumed from elsewhere.
    """
    digest = hashlib.sha256()
    real = functools.cache(os.path.realpath)  # Of folders: rows share them.
    columns = (examples.lines, examples.labels, examples.splits, examples.texts, examples.images)
    for line, label, split, text, image in zip(*columns, strict=True):
        if isinstance(image, Path):
            name = os.path.join(real(image.parent), image.name)
        elif isinstance(image, data.Packed):
            name = f"{os.path.realpath(image.path)}:{image.name}"
        else:
            name = "" if image is None else "array"
        digest.update(repr((line, label, split, text, name)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def only(examples: data.Examples, modalities: Iterable[str]) -> data.Examples:
    """The examples without the cells of other modalities."""
    none = [None] * len(examples)
    kept = set(modalities)
    images = examples.images if "image" in kept else none
    return dataclasses.replace(examples, images=images, texts=examples.texts if "text" in kept else none)


def read_examples(config: RunConfig, source: str | None = None, *, labelled: bool) -> Source:
    """The examples of a run, or of another `source` with the same columns.

    Another source need not have the run's split column: without one, all its rows are "test". For a run of the
    built-in set, which has no columns, those of a source are guessed.

    Raises:
        DataError: as `data.read_manifest`.
    """
    path = source or config.data
    if path is None:
        return Source(only(data.builtin_examples(seed=config.seed), config.modalities), {})
    absent = None if config.data is None else ""
    roles = {name: config.columns.get(name, absent) for name in ("image", "text", "label")}
    for name in {"image", "text"} - set(config.modalities):
        roles[name] = ""
    split = config.columns.get("split") if source is None else None
    manifest = data.read_manifest(
        path,
        image=roles["image"],
        text=roles["text"],
        label=roles["label"] if labelled else "",
        split=split if labelled else "",
        labelled=labelled,
        seed=config.seed,
        on_bad=config.on_bad,
    )
    if source is None or manifest.columns.split or not labelled:
        print_notes(manifest.notes)
        return Source(manifest.examples, manifest.bad)
    print_notes([note for note in manifest.notes if not note.startswith("rows:")])
    print_notes([f"no split column in {manifest.examples.source}: all rows are taken as test"])
    splits = ["test"] * len(manifest.examples)
    return Source(dataclasses.replace(manifest.examples, splits=splits), manifest.bad)
