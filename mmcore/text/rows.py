"""Rows of a batch as the padding of a tokenizer.json wants them."""

from __future__ import annotations

import numpy as np

from mmcore.text.spec import Settings


def widen(
    ids: np.ndarray, mask: np.ndarray, settings: Settings, pad_id: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fills rows of the longest text up to the width that the settings ask for.

    Shapes:
        ids: int32 [B, T]; mask: bool [B, T]; result: the same, [B, T'] with T' >= T.

    Args:
        ids: rows of ids.
        mask: True where there is a token.
        settings: of the tokenizer.json.
        pad_id: fills rows.
    """
    width = max(ids.shape[1], settings.width or 0)
    width = -(-width // settings.multiple) * settings.multiple
    if width == ids.shape[1]:
        return ids, mask
    missing = width - ids.shape[1]
    sides = (missing, 0) if settings.fill_at_begin else (0, missing)
    return (
        np.pad(ids, ((0, 0), sides), constant_values=pad_id),
        np.pad(mask, ((0, 0), sides), constant_values=False),
    )
