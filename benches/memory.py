"""The most memory that a call needs beyond inputs and results. Linux only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def extra_bytes(call: Callable[[], Sequence[Any]]) -> int:
    """Bytes, by the kernel's mark of the most that was ever in use, which is reset before the call."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _kibibytes("VmRSS")
    results = call()
    return (_kibibytes("VmHWM") - before) * 1024 - sum(np.asarray(x).nbytes for x in results)


def _kibibytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
