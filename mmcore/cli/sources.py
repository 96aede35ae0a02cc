"""Examples of a run, read again as its configuration says; and what is said about them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable

from mmcore import data
from mmcore.cli.config import RunConfig


def print_notes(notes: Iterable[str]) -> None:
    """Prints lines on standard error."""
    for note in notes:
        print(note, file=sys.stderr, flush=True)


def read_examples(config: RunConfig, source: str | None = None, *, labelled: bool) -> data.Examples:
    """The examples of a run, or of another `source` with the same columns.

    Raises:
        DataError: as `data.read_manifest`.
    """
    path = source or config.data
    if path is None:
        return data.builtin_examples(seed=config.seed)
    manifest = data.read_manifest(
        path,
        image=config.columns.get("image", ""),
        text=config.columns.get("text", ""),
        label=config.columns.get("label", "") if labelled else None,
        # Another file need not have the run's split column.
        split=config.columns.get("split") if source is None else None,
        labelled=labelled,
        seed=config.seed,
        on_bad=config.on_bad,
    )
    if source is None or manifest.columns.split or not labelled:
        print_notes(manifest.notes)
        return manifest.examples
    print_notes([note for note in manifest.notes if not note.startswith("rows:")])
    print_notes([f"no split column in {manifest.examples.source}: all rows are taken as test"])
    return dataclasses.replace(manifest.examples, splits=["test"] * len(manifest.examples))
