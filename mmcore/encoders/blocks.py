"""What the Transformer encoders share: the blocks one after the other, and packed rows in and out."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from mmcore import nn
from mmcore.nn.shapes import sizes


def run_blocks(
    blocks: Sequence[nn.TransformerBlock],
    x: tf.Tensor,
    mask: tf.Tensor | None,
    *,
    segment_ids: tf.Tensor | None,
    training: bool,
    seeds: Sequence[tf.Tensor | None],
    remat: bool,
) -> tf.Tensor:
    """x through all blocks, each with a seed of its own, in training recomputed for the gradient with `remat`.

    Shapes:
        x: float [B, T, dim]; mask: bool [B, T] or None; segment_ids: integer [B, T] or None; result: like x.
    """
    for block, seed in zip(blocks, seeds, strict=False):
        run = nn.remat(block) if remat and training else block
        x = run(x, mask, segment_ids=segment_ids, training=training, seed=seed)
    return x


def check_packed(
    mask: tf.Tensor | None,
    segment_ids: tf.Tensor | None,
    positions: tf.Tensor | None,
    places: tf.Tensor | None,
) -> None:
    """Refuses a part of what packed rows need.

    Raises:
        ValueError: some of segment_ids, positions and places without the others, or together with a mask.
    """
    parts = {"segment_ids": segment_ids, "positions": positions, "places": places}
    missing = [name for name, part in parts.items() if part is None]
    if missing and len(missing) < len(parts):
        raise ValueError(
            f"expected segment_ids, positions and places together, found none for {', '.join(missing)}: "
            "data.pack and ops.pack make them"
        )
    if not missing and mask is not None:
        raise ValueError("expected no mask with packed rows: segment 0 is their padding")


def packed_tokens(
    values: tf.Tensor, segment_ids: tf.Tensor, places: tf.Tensor, max_length: int | None = None
) -> nn.PackedTokens:
    """The tokens of packed rows; the summary of an example is the mean over its segment.

    Shapes:
        values: float [R, L, D]; segment_ids: integer [R, L]; places: integer [B, 2].

    Args:
        values: what stands in the rows.
        segment_ids: 0 = padding.
        places: of the examples.
        max_length: most tokens of an example; None: L.
    """
    length = sizes(values)[1]
    means = nn.segment_mean(values, segment_ids, length)
    # An example is never longer than a row.
    most = length if max_length is None else max_length
    most = min(most, length) if isinstance(length, int) else most
    index = nn.segment_index(segment_ids, places, most)
    return nn.PackedTokens(values, segment_ids, places, nn.gather_segments(means, places), index)
