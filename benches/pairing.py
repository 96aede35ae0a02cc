"""Ratios that survive a noisy machine: ours and the rival alternate, and each pair gives one ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class PairedRatio(NamedTuple):
    """How many times faster ours is: the median over pairs, and the quartiles around it."""

    median: float
    low: float
    high: float


def paired_ratio(
    ours: Callable[[], object], rival: Callable[[], object], *, pairs: int = 9, settle: float = 0.0
) -> PairedRatio:
    """time(rival) / time(ours), measured in alternation after one unmeasured turn each.

    Args:
        ours: what is measured.
        rival: what it is compared with.
        pairs: turns of both.
        settle: seconds to wait before each turn, and then one unmeasured call more: for rivals whose threads wait for
            work by spinning (PyTorch's under OpenMP), which would take a core from whoever comes next.
    """
    ours()
    rival()
    ratios = []
    for pair in range(pairs):
        # Whoever goes second finds warmer caches: take turns at that, too.
        if pair % 2:
            theirs, mine = _turn(rival, settle), _turn(ours, settle)
        else:
            mine, theirs = _turn(ours, settle), _turn(rival, settle)
        ratios.append(theirs / mine)
    low, median, high = statistics.quantiles(ratios, n=4)
    return PairedRatio(median, low, high)


def _turn(function: Callable[[], object], settle: float) -> float:
    if settle:
        time.sleep(settle)
        function()
    return seconds(function)


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call, or the seconds that it returns if it counts for itself (a float)."""
    start = time.perf_counter()
    counted = function()
    return counted if isinstance(counted, float) else time.perf_counter() - start
