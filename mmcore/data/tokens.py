"""Texts of all rows as ids, cut into batches no wider than they need to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mmcore.data.budget import rounded_up
from mmcore.data.examples import Examples
from mmcore.data.packing import Packing, pack, splits_of
from mmcore.typing import PackedRows

if TYPE_CHECKING:
    from mmcore import text


class TokenRows:
    """The ids of the texts of examples, made once for all epochs; a row without a text is all padding.

    Args:
        examples: the rows.
        tokenizer: makes the ids; what somebody wrote never becomes a special token.
        max_length: most tokens of a text.
        multiple: batches are as wide as their longest text, rounded up to a multiple; None: max_length wide.

    Attributes:
        lengths: int64 [N], tokens of each row.

    Raises:
        ValueError: multiple is below 1 or does not divide max_length.
    """

    def __init__(
        self, examples: Examples, tokenizer: text.Tokenizer, *, max_length: int, multiple: int | None
    ):
        if multiple is not None and (multiple < 1 or max_length % multiple):
            raise ValueError(f"pad_to_multiple must divide max_length {max_length}, found {multiple}")
        self._multiple = multiple
        self._ids = np.full((len(examples), max_length), tokenizer.pad_id or 0, np.int32)
        self._mask = np.zeros((len(examples), max_length), bool)
        present = [(row, string) for row, string in enumerate(examples.texts) if string is not None]
        if present:
            rows, strings = map(list, zip(*present, strict=True))
            made = tokenizer(strings, max_length=max_length, pad=True, special="text")
            width = made.ids.shape[1]
            self._ids[rows, :width], self._mask[rows, :width] = made.ids, made.mask
        self.lengths = self._mask.sum(1)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids int32 [B, T] and mask bool [B, T] of some rows."""
        width = self._ids.shape[1]
        if self._multiple is not None:
            width = int(rounded_up(self.lengths[rows].max(initial=0), self._multiple))
        return self._ids[rows, :width], self._mask[rows, :width]

    def packed(self, rows: np.ndarray, counts: np.ndarray, packing: Packing) -> PackedRows:
        """The texts of some rows in packed rows, empty ones where `counts` is False.

        Shapes: as `pack`; places int32 [examples, 2], those after the rows stand nowhere.
        """
        lengths = np.zeros(packing.examples, np.int64)
        lengths[: len(rows)] = self.lengths[rows] * counts
        values = self._ids[rows][self._mask[rows] & counts[:, None]]
        length = packing.length or self._ids.shape[1]
        return pack(values, splits_of(lengths), length=length, rows=packing.rows)
