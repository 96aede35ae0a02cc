"""What becomes of each file of images_robust/manifest.csv on both faces; prints the table of it.

    PYTHONPATH=. python tests/helpers/image_verdicts.py FOLDER [all]

Without "all": how many files of each format had which verdict, and every file that has not the one expected.
"""

from __future__ import annotations

import collections
import csv
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmcore.errors import DataError, LimitError
from mmcore.image import FORMATS, KNOWN_FORMATS, Preprocessor

PRE = Preprocessor(size=16, crop=None, dtype="uint8", formats=KNOWN_FORMATS)
GRAPH_FORMATS = ("JPEG", "PNG", "GIF", "BMP")
NOT_IN_A_GRAPH = "which is not read in a graph"


class Verdict(NamedTuple):
    """Of one file: "read", or why it was refused; the graph's, and what the default allow-list says."""

    path: str
    format: str
    mode: str
    expect: str
    numpy: str
    graph: str
    by_default: str
    same_pixels: bool

    @property
    def outcome(self) -> str:
        """A word for each face."""
        graph = "other decoder" if NOT_IN_A_GRAPH in self.graph else word(self.graph)
        return f"{word(self.numpy)} / {graph}"

    @property
    def as_expected(self) -> bool:
        """The manifest's verdict on both faces, but for what a graph says plainly that it does not read."""
        legal = {"ok": ("read",), "reject": ("refused",), "lenient": ("read", "refused")}[self.expect]
        graph_is_right = word(self.graph) == word(self.numpy) and self.same_pixels
        if NOT_IN_A_GRAPH in self.graph:
            graph_is_right = (
                self.format not in GRAPH_FORMATS or self.mode == "CMYK" or self.expect == "reject"
            )
        default = word(self.numpy)
        if self.format in KNOWN_FORMATS and self.format not in FORMATS:
            default = "refused"
        return word(self.numpy) in legal and graph_is_right and word(self.by_default) == default


def word(verdict: str) -> str:
    return "read" if verdict == "read" else "refused"


def verdicts(folder: Path) -> list[Verdict]:
    """One for each file of the manifest that is there."""
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (folder / row["path"]).exists()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damaged metadata.
        return [_verdict(folder, row) for row in rows]


def _verdict(folder: Path, row: dict[str, str]) -> Verdict:
    import tensorflow as tf

    from mmcore import ops

    data = (folder / row["path"]).read_bytes()
    numpy = graph = by_default = "read"
    pixels = tensor = None
    try:
        pixels = PRE([data])[0]
    except (DataError, LimitError) as error:
        numpy = str(error)
    try:
        tensor = ops.preprocess_image(PRE, data, key="image 0").numpy()
    except (
        tf.errors.DataLossError,
        tf.errors.ResourceExhaustedError,
        tf.errors.InvalidArgumentError,
    ) as error:
        graph = str(error)
    try:
        Preprocessor(size=16)([data])
    except (DataError, LimitError) as error:
        by_default = str(error)
    same = pixels is None or tensor is None or np.array_equal(pixels, tensor)
    known = (row["path"], row["format"] or "-", row["mode"] or "-", row["expect"])
    return Verdict(*known, numpy, graph, by_default, same)


def summary(found: list[Verdict]) -> list[str]:
    """Lines: format, expected, outcome on both faces, how many files."""
    counts = collections.Counter((v.format, v.expect, v.outcome, v.as_expected) for v in found)
    lines = [f"{'format':8}{'expected':10}{'NumPy / graph':26}{'files':>6}  as expected"]
    for (kind, expect, outcome, right), count in sorted(counts.items()):
        lines.append(f"{kind:8}{expect:10}{outcome:26}{count:6}  {'yes' if right else 'NO'}")
    return lines


def main(arguments: list[str]) -> int:
    found = verdicts(Path(arguments[0]))
    print("\n".join(summary(found)))
    for verdict in found:
        if "all" in arguments or not verdict.as_expected:
            print(
                f"{verdict.path}: {verdict.expect}; NumPy: {verdict.numpy}; graph: {verdict.graph.splitlines()[0]}"
            )
    wrong = sum(not verdict.as_expected for verdict in found)
    print(f"{len(found)} files, {wrong} not as expected")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
