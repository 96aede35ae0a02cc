"""Which rows a batch has: a pure function of the options, the seed and the number of the batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from mmcore.data.budget import Budget, budget_groups, fixed_number, grouped_by_length
from mmcore.data.packing import Packing, packed_groups

ORDER, CROPS, REPLACEMENTS, SHUFFLED_BATCHES = range(4)


def stream_rng(seed: int, purpose: int, number: int) -> np.random.Generator:
    """An independent generator for each purpose and number."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, number)))


class EqualBatches:
    """Batches of `batch_size` rows: in training of a permutation for each epoch, whose rest is left out.

    Args:
        count: how many rows there are.
        batch_size: rows of a batch; the last one of an evaluation may have fewer.
        training: whether to shuffle, anew in each epoch.
        seed: of the shuffling.
    """

    def __init__(self, count: int, *, batch_size: int, training: bool, seed: int):
        self._count, self._batch_size = count, batch_size
        self._training, self._seed = training, seed
        self._kept: tuple[int, np.ndarray] = (-1, np.arange(count))

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._count // self._batch_size if self._training else -(-self._count // self._batch_size)

    def rows(self, number: int) -> np.ndarray:
        """Indices of the rows of a batch, numbered through all epochs."""
        epoch, position = divmod(number, len(self))
        return self._epoch(epoch)[position * self._batch_size : (position + 1) * self._batch_size]

    def _epoch(self, epoch: int) -> np.ndarray:
        """The order of an epoch; the last one is kept, in one value that threads swap whole."""
        kept = self._kept
        if self._training and kept[0] != epoch:
            order = stream_rng(self._seed, ORDER, epoch).permutation(self._count)
            kept = self._kept = (epoch, order)
        return kept[1]


class GroupedBatches(ABC):
    """Batches of as many rows as fit, by a rule of the subclass.

    The first epoch decides how many batches an epoch has; in a later one, whose order fits otherwise, the last
    batches are left out or the largest halved. So the rows of any batch are known without those before it.

    Args:
        count: how many rows there are.
        training: whether to shuffle, anew in each epoch.
        seed: of the shuffling.
    """

    def __init__(self, count: int, *, training: bool, seed: int):
        self._count, self._training, self._seed = count, training, seed
        self._kept = (0, self._grouped(0))
        self._length = len(self._kept[1])

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._length

    def rows(self, number: int) -> np.ndarray:
        """Indices of the rows of a batch, numbered through all epochs."""
        epoch, position = divmod(number, self._length)
        kept = self._kept
        if self._training and kept[0] != epoch:
            kept = self._kept = (epoch, fixed_number(self._grouped(epoch), self._length))
        return kept[1][position]

    def _order(self, epoch: int) -> np.ndarray:
        if not self._training:
            return np.arange(self._count)
        return stream_rng(self._seed, ORDER, epoch).permutation(self._count)

    @abstractmethod
    def _grouped(self, epoch: int) -> list[np.ndarray]:
        """The batches of an epoch."""


class BudgetBatches(GroupedBatches):
    """Batches of as many rows as a budget allows.

    Args:
        count: how many rows there are.
        budget: the limits.
        costs: per limit what each row costs, int [count].
        training: whether to shuffle, anew in each epoch.
        seed: of the shuffling.
    """

    def __init__(self, count: int, *, budget: Budget, costs: Sequence[np.ndarray], training: bool, seed: int):
        self._budget, self._costs = budget, costs
        self._limits = [limit for limit in (budget.tokens, budget.patches) if limit is not None]
        super().__init__(count, training=training, seed=seed)

    def _grouped(self, epoch: int) -> list[np.ndarray]:
        order = self._order(epoch)
        if not self._training:
            return budget_groups(order, self._costs, self._limits, self._budget.rows)
        if self._budget.window > 1:
            order = grouped_by_length(order, self._costs[0], self._budget.window)
        groups = budget_groups(order, self._costs, self._limits, self._budget.rows)
        shuffled = stream_rng(self._seed, SHUFFLED_BATCHES, epoch).permutation(len(groups))
        return [groups[position] for position in shuffled]


class PackedBatches(GroupedBatches):
    """Batches of as many rows as fit into packed rows of a fixed number and length.

    Args:
        packing: the sizes.
        max_length: of a packed row where the packing leaves it open.
        lengths: tokens of each row, int [count].
        training: whether to shuffle, anew in each epoch; otherwise the batches keep the order of the rows.
        seed: of the shuffling.
    """

    def __init__(self, *, packing: Packing, max_length: int, lengths: np.ndarray, training: bool, seed: int):
        self._lengths = lengths
        self._sizes = {
            "rows": packing.rows,
            "length": packing.length or max_length,
            "examples": packing.examples,
        }
        super().__init__(len(lengths), training=training, seed=seed)

    def _grouped(self, epoch: int) -> list[np.ndarray]:
        return packed_groups(self._order(epoch), self._lengths, **self._sizes, keep_order=not self._training)
