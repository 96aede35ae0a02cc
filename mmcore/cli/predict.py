"""`mmcore predict`: the label of one example, or of every row of a file."""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from mmcore import data, files
from mmcore.cli import recipe
from mmcore.cli.config import RunConfig
from mmcore.cli.evaluate import Evaluator, load_run
from mmcore.cli.sources import Source, print_notes, read_examples
from mmcore.data.read import read_cells
from mmcore.errors import DataError, MmcoreError


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Predicts and returns the label, or the counts where a file was labelled."""
    one = arguments.image is not None or arguments.text is not None
    if one == (arguments.data is not None):
        raise MmcoreError("give one example with --image and/or --text, or a file with --data and --out")
    if not one:
        _check_out(arguments)
    config, model, tokenizer = load_run(Path(arguments.run))
    if one:
        source = Source(_one(arguments, config), {})
    else:
        source = read_examples(config, arguments.data, labelled=False)
    pipeline = recipe.make_pipeline(config, source.examples, tokenizer)
    predictions = Evaluator(config).predictions(model, pipeline)
    probabilities = tf.nn.softmax(predictions.logits[: len(source.examples)]).numpy()
    bad = source.bad | pipeline.bad
    if not one:
        return _write(arguments, config, source.examples, probabilities, bad), 0
    for key, reason in bad.items():
        raise DataError(key, reason)
    top = _top(config, probabilities[0], arguments.top)
    return {"label": top[0][0], "probability": top[0][1], "top": top}, 0


def _check_out(arguments: argparse.Namespace) -> None:
    """What can be wrong with --out, said before any work is done."""
    if arguments.out is None:
        raise MmcoreError("--data needs --out FILE: where the labelled rows go (.csv or .jsonl)")
    out = Path(arguments.out)
    if out.suffix not in (".csv", ".jsonl"):
        raise MmcoreError(f"--out must end in .csv or .jsonl, got {out}")
    if not out.parent.is_dir():
        raise MmcoreError(f"the folder of --out {out} does not exist; make it, or name another")
    if out.resolve() == Path(arguments.data).resolve():
        raise MmcoreError(f"--out {out} is the file of --data; name another, so that it stays as it is")


def _one(arguments: argparse.Namespace, config: RunConfig) -> data.Examples:
    for name in ("image", "text"):
        if getattr(arguments, name) is not None and name not in config.modalities:
            raise MmcoreError(
                f"--{name} was given, but the run was trained on {' and '.join(config.modalities)} only"
            )
    if arguments.image is not None and not Path(arguments.image).is_file():
        raise DataError(arguments.image, "the image file does not exist; check the path")
    return data.Examples(
        [None if arguments.image is None else Path(arguments.image)],
        [arguments.text],
        [None],
        ["test"],
        [1],
        "command line",
    )


def _top(config: RunConfig, probabilities: np.ndarray, count: int) -> list[list[Any]]:
    best = np.argsort(-probabilities)[:count]
    return [[config.classes[label], round(float(probabilities[label]), 6)] for label in best]


def _write(
    arguments: argparse.Namespace,
    config: RunConfig,
    examples: data.Examples,
    probabilities: np.ndarray,
    bad: dict[str, str],
) -> dict[str, Any]:
    """Writes every row of the file with `predicted` and `probability`, empty where it could not be read."""
    predicted = {
        line: _top(config, row, 1)[0]
        for line, row, index in zip(examples.lines, probabilities, range(len(examples)), strict=True)
        if examples.key(index) not in bad
    }
    cells = read_cells(arguments.data)
    if taken := {"predicted", "probability"} & set(cells.columns):
        raise MmcoreError(f"{arguments.data} has a column {sorted(taken)[0]!r} already; rename it")
    rows = []
    for index, line in enumerate(cells.lines):
        label, probability = predicted.get(line, ["", ""])
        rows.append(
            {
                **{name: column[index] for name, column in cells.columns.items()},
                "predicted": label,
                "probability": probability,
            }
        )
    files.atomic_write(arguments.out, _serialized(rows, Path(arguments.out)))
    print_notes([f"skipped {key}: {reason}" for key, reason in bad.items()])
    return {
        "rows": len(rows),
        "predicted": len(predicted),
        "skipped": len(rows) - len(predicted),
        "out": arguments.out,
    }


def _serialized(rows: list[dict[str, Any]], out: Path) -> bytes:
    if out.suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()
