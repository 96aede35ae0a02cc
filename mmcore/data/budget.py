"""Batches of as many rows as a budget of tokens or patches allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Budget:
    """How large a batch may be, padding counted: rows times the longest row of the batch.

    Args:
        tokens: of texts, most of rows * padded length; None: no limit.
        patches: of images, most of rows * patches of the largest; None: no limit.
        rows: most rows of a batch.
        window: in training, rows that follow each other in the order are sorted by length within windows of so
            many, so that rows of like length share a batch, and the batches are shuffled again; 1 sorts
            nothing.

    Raises:
        ValueError: no limit of tokens or patches; a number below 1.
    """

    tokens: int | None = None
    patches: int | None = None
    rows: int = 4096
    window: int = 1024

    def __post_init__(self):
        if self.tokens is None and self.patches is None:
            raise ValueError("a budget needs tokens=, patches= or both")
        for name in ("tokens", "patches", "rows", "window"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} of a budget must be at least 1, found {value}")


def rounded_up(lengths: np.ndarray, multiple: int) -> np.ndarray:
    """Lengths to the next multiple, at least one of it.

    Example:
        >>> rounded_up(np.array([0, 1, 8, 9]), 8).tolist()
        [8, 8, 8, 16]
    """
    return np.maximum(-(-lengths // multiple), 1) * multiple


def budget_groups(
    order: np.ndarray, costs: Sequence[np.ndarray], limits: Sequence[int], max_rows: int
) -> list[np.ndarray]:
    """Cuts an order of rows into batches: each takes rows while rows * longest holds for every cost.

    A row that alone is over a limit has a batch of its own. The plain twin is
    `mmcore.data.reference.budget_groups`.

    Args:
        order: int [N], indices of rows.
        costs: each int [rows], what a row costs, such as its padded length.
        limits: the budget of each cost.
        max_rows: most rows of a batch.

    Returns:
        int arrays whose concatenation is `order`.
    """
    columns = [np.asarray(cost)[order].tolist() for cost in costs]
    starts: list[int] = []
    longest, begun = [0] * len(columns), 0
    for position, row in enumerate(zip(*columns, strict=True)):
        merged = list(map(max, longest, row))
        count = position - begun + 1
        over = any(count * top > limit for top, limit in zip(merged, limits, strict=True))
        if position > begun and (over or count > max_rows):
            starts.append(position)
            begun, merged = position, list(row)
        longest = merged
    return np.split(order, starts)


def fixed_number(groups: list[np.ndarray], count: int) -> list[np.ndarray]:
    """The groups as exactly `count` batches: the last ones left out, or the largest ones halved.

    Every epoch has as many batches as the first, so that the number of a batch names its epoch. There are at
    least `count` rows.
    """
    groups = groups[:count]
    while len(groups) < count:
        largest = max(range(len(groups)), key=lambda number: len(groups[number]))
        groups[largest : largest + 1] = np.array_split(groups[largest], 2)
    return groups


def grouped_by_length(order: np.ndarray, lengths: np.ndarray, window: int) -> np.ndarray:
    """An order whose windows are sorted by length; rows of equal length keep their order."""
    windows = np.arange(len(order)) // window
    return order[np.lexsort((lengths[order], windows))]
