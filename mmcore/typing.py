"""What packages share that must not import each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class PackedRows(NamedTuple):
    """Sequences packed into R rows of L positions: NumPy arrays from `data.pack`, tensors from `ops.pack`.

    Shapes:
        values: [R, L, ...], zeros at padding.
        segment_ids: int32 [R, L], which segment of its row a position belongs to, from 1; 0 at padding.
        positions: int32 [R, L], within the segment, from 0; 0 at padding.
        places: int32 [B, 2], the row and the segment of each sequence. Segment 0: the sequence is empty and
            stands nowhere; -1: no row had room for it. The row of both is -1.
    """

    values: Any
    segment_ids: Any
    positions: Any
    places: Any

    def placed(self) -> Any:
        """Which sequences stand in a row: bool [B]."""
        return self.places[:, 1] > 0

    def left_over(self) -> Any:
        """Which sequences found no room, so that another batch must take them: bool [B]."""
        return self.places[:, 1] < 0


def size_options(*, length: Any, **options: Any) -> list[int]:
    """Sizes as the native packer takes them: numbers, with 0 for an option that is None.

    Raises:
        ValueError: one is no integer from 1 to 2^31 - 1.
    """
    for name, size in {"length": length, **options}.items():
        if size is None and name != "length":
            continue
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        if not whole or not 1 <= size < 2**31:
            raise ValueError(f"expected {name} to be an integer from 1 to 2^31 - 1, found {size!r}")
    return [int(length), *(0 if size is None else int(size) for size in options.values())]
