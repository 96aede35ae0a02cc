"""`mmcore bench`: the benchmark files of a checkout in short form, as one table of ratios to rivals."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mmcore.errors import EnvError, MmcoreError

_FILES = {
    "text": ["test_text.py", "test_tokenizers.py"],
    "image": ["test_image.py", "test_decode.py", "test_augment.py", "test_patches.py"],
    "ops": ["test_ops.py"],
    "layers": ["test_layers.py"],
    "attention": ["test_attention.py"],
    "train": ["test_train_step.py", "test_pipeline.py"],
}
# Minutes for each vocabulary, a step of 63 million weights, losses over 49,408 classes: for `pytest benches` alone.
LONG = ("test_training.py", "test_packing.py", "test_fused.py")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Runs pytest over benches/ with few rounds and prints name, median, and what each bench reported."""
    folder = _benches()
    names = [arguments.only] if arguments.only else list(_FILES)
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(arguments.json).resolve() if arguments.json else Path(temporary) / "report.json"
        report.unlink(missing_ok=True)  # an old report is not to be taken for the new one
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--benchmark-min-rounds=3",
            "--benchmark-max-time=0.5",
            f"--benchmark-json={report}",
            *(str(folder / file) for name in names for file in _FILES[name]),
        ]
        finished = subprocess.run(command, cwd=folder.parent, stdout=sys.stderr)
        if not report.exists():
            raise MmcoreError(
                f"the benchmarks did not run (pytest ended with {finished.returncode}, its messages are above)"
            )
        rows = [_row(bench) for bench in json.loads(report.read_text("utf-8"))["benchmarks"]]
    _print_table(rows)
    return {"benchmarks": rows, "failed": finished.returncode != 0}, 1 if finished.returncode else 0


def _benches() -> Path:
    folder = Path(__file__).parents[2] / "benches"
    if not folder.is_dir():
        folder = Path.cwd() / "benches"
    if not (folder / _FILES["text"][0]).exists():
        raise EnvError(
            "the benchmarks are not part of the installed package; run this in a checkout of mmcore, "
            "installed with: pip install -e '.[cpu,test]'"
        )
    if importlib.util.find_spec("pytest_benchmark") is None:
        raise EnvError("the benchmarks need pytest-benchmark; install it with: pip install -e '.[cpu,test]'")
    return folder


def _row(bench: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": bench["name"],
        "median_ms": round(1000 * bench["stats"]["median"], 3),
        **bench["extra_info"],
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    width = max((len(row["name"]) for row in rows), default=4)
    print(f"{'bench':{width}}  {'median ms':>10}  figures")
    for row in rows:
        figures = ", ".join(
            f"{key} {_short(value)}" for key, value in row.items() if key not in ("name", "median_ms")
        )
        print(f"{row['name']:{width}}  {row['median_ms']:10.3f}  {figures}")


def _short(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
