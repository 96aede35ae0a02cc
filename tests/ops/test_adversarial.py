from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("adversarial.py")
REFUSALS = {"InvalidArgumentError", "ResourceExhaustedError", "DataLossError", "TypeError", "ValueError"}


def outcomes(seed: int, count: int) -> dict[str, int]:
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[2]), "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, str(SCRIPT), str(seed), str(count)], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout)


def check(found: dict[str, int], count: int) -> None:
    ops = {name.split()[0] for name in found}
    assert len(ops) == 16
    for op in ops:
        ends = {name.split()[1]: times for name, times in found.items() if name.split()[0] == op}
        assert sum(ends.values()) == count
        assert set(ends) <= {"done", *REFUSALS}
        # Both happen often, or the cases test nothing.
        assert ends["done"] > count / 50 and sum(ends.values()) - ends["done"] > count / 10


def test_hostile_tensors_are_refused_and_never_end_the_process():
    check(outcomes(seed=0, count=300), 300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_many_more_hostile_tensors(seed):
    check(outcomes(seed, count=2000), 2000)
