"""Examples of a run, read again as its configuration says; and what is said about them."""

from __future__ import annotations

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
    if source is None and config.data is None:
        return data.builtin_examples(seed=config.seed)
    columns = {role: config.columns.get(role, "") for role in ("image", "text")}
    if labelled:
        columns["label"] = config.columns.get("label", "")
    # Another file may have no split column: its rows are then all "test" or dealt out, never an error.
    split = config.columns.get("split") if source is None else None
    manifest = data.read_manifest(source or config.data, **columns, split=split, labelled=labelled, seed=config.seed,
                                  on_bad=config.on_bad)
    print_notes(manifest.notes)
    return manifest.examples
