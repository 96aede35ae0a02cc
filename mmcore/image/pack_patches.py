"""Images cut into patches, several in a row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmcore.image.batch import empty_batch
from mmcore.image.patches import PatchBatch


class PackedPatches(NamedTuple):
    """Several images in one row, one after the other, filled up with zeros.

    Shapes: R rows of N patches.
        patches: [R, N, P * P * 3].
        segment_ids: int32 [R, N]: 1 for the first image of the row, 2 for the second; 0 = padding.
        positions: int32 [R, N, 2], row and column of the patch in its image.
        places: int32 [B, 2]: for each image its row and its segment id.
    """

    patches: np.ndarray
    segment_ids: np.ndarray
    positions: np.ndarray
    places: np.ndarray


def pack_patches(batch: PatchBatch, length: int) -> PackedPatches:
    """The images of a batch side by side in rows of `length` patches.

    Each image goes, in order, to the first row that still has room for it (first fit); none is cut.

    Args:
        batch: of a `PatchPreprocessor`; any number of images.
        length: patches in a row.

    Raises:
        ValueError: an image has more patches than `length`.

    Example:
        >>> from mmcore.image import PatchPreprocessor
        >>> images = [np.zeros((9, 9 * n, 3), np.uint8) for n in (1, 2, 3)]
        >>> batch = PatchPreprocessor(patch_size=4, max_patches=4)(images)
        >>> pack_patches(batch, length=8).segment_ids.tolist()
        [[1, 1, 1, 1, 2, 2, 0, 0], [1, 1, 1, 0, 0, 0, 0, 0]]

    Source: Dehghani et al., 2023, arXiv:2307.06304, section 2.
    """
    counts = batch.mask.sum(1)
    places, starts, filled = _first_fit(counts, length)
    num_rows = len(filled)
    patches = empty_batch((num_rows, length, batch.patches.shape[2]), batch.patches.dtype.name)
    segment_ids = np.zeros((num_rows, length), np.int32)
    positions = np.zeros((num_rows, length, 2), np.int32)
    for i, ((row, segment), start, count) in enumerate(zip(places, starts, counts, strict=True)):
        part = slice(start, start + count)
        patches[row, part] = batch.patches[i, :count]
        segment_ids[row, part] = segment
        positions[row, part] = batch.positions[i, :count]
    for row, used in enumerate(filled):
        patches[row, used:] = 0
    return PackedPatches(patches, segment_ids, positions, places)


def _first_fit(counts: np.ndarray, length: int) -> tuple[np.ndarray, list[int], list[int]]:
    """Row and segment id of each image, where in its row it begins, and how far each row is filled."""
    filled: list[int] = []
    segments: list[int] = []
    places, starts = np.zeros((len(counts), 2), np.int32), []
    for i, count in enumerate(counts):
        if count > length:
            raise ValueError(f"image {i} has {count} patches, more than length={length}; choose a longer row")
        row = next((r for r, used in enumerate(filled) if used + count <= length), len(filled))
        if row == len(filled):
            filled.append(0)
            segments.append(0)
        starts.append(filled[row])
        filled[row] += int(count)
        segments[row] += 1
        places[i] = row, segments[row]
    return places, starts, filled
