"""Scripts run with an instruction set of choice, which a process chooses once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmcore import _load

ROOT = Path(__file__).parents[2]
NAMES = ("scalar", "avx2", "avx512")


def run_with(isa: str, script: str) -> None:
    """Runs a script that prints the set which is active; skips the test where this processor lacks it."""
    if NAMES.index(isa) > NAMES.index(_load.native().detected_isa()):
        pytest.skip(f"this CPU has no {isa}")
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests/helpers")])
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "MMCORE_ISA": isa, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.split() == [isa]
