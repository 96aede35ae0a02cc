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


def paired_ratio(ours: Callable[[], object], rival: Callable[[], object], *, pairs: int = 9) -> PairedRatio:
    """time(rival) / time(ours), measured in alternation after one unmeasured turn each."""
    ours()
    rival()
    ratios = []
    for pair in range(pairs):
        # Whoever goes second finds warmer caches: take turns at that, too.
        if pair % 2:
            theirs, mine = seconds(rival), seconds(ours)
        else:
            mine, theirs = seconds(ours), seconds(rival)
        ratios.append(theirs / mine)
    low, median, high = statistics.quantiles(ratios, n=4)
    return PairedRatio(median, low, high)


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call, or the seconds that it returns if it counts for itself (a float)."""
    start = time.perf_counter()
    counted = function()
    return counted if isinstance(counted, float) else time.perf_counter() - start
