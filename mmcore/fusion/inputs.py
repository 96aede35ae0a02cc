"""What every fusion does first: check, and leave out modalities that are missing or dropped in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

from mmcore import nn
from mmcore.nn.seeds import uniform
from mmcore.nn.shapes import sizes

AnyTokens: TypeAlias = nn.Tokens | nn.PackedTokens


def checked_sizes(dims: Sequence[int], dim: int) -> tuple[int, ...]:
    """The modalities' widths, if there is at least one and all are positive."""
    if not dims or min(*dims, dim) < 1:
        raise ValueError(
            f"expected a width of at least 1 for each modality and the result, found {dims=}, {dim=}"
        )
    return tuple(dims)


def with_summaries_of_packed(tokens: Sequence[AnyTokens]) -> list[nn.Tokens]:
    """The modalities, each packed one as its examples' summaries: for fusions that look at nothing else.

    Shapes:
        tokens: `Tokens` [B, T_i, D_i] or `PackedTokens` of B examples; result: [B, T_i, D_i], T_i of a packed
        modality is 1.
    """
    return [part.summaries() if isinstance(part, nn.PackedTokens) else part for part in tokens]


def present_tokens(
    tokens: Sequence[AnyTokens], dims: Sequence[int], rate: float, *, training: bool, seed: tf.Tensor | None
) -> list[AnyTokens]:
    """The modalities with zeros wherever nothing real stands, some of them dropped in training.

    Shapes:
        tokens: one `Tokens` or `PackedTokens` a modality, dims[i] wide; seed: int32 [2] or None; result: the same
        kinds and shapes.

    Args:
        tokens: the modalities.
        dims: their expected widths.
        rate: of modality dropout.
        training: whether to drop.
        seed: of the drop; None: a fresh one.

    Raises:
        ValueError: another number of modalities or another width.
    """
    found = [part.values.shape[-1] for part in tokens]
    if found != list(dims):
        raise ValueError(
            f"expected modalities of widths {list(dims)}, found {found}: pass them in that order"
        )
    if training and rate and len(dims) > 1:
        return drop_modalities(tokens, rate, nn.fresh() if seed is None else seed)
    return [without_missing(part) for part in tokens]


def drop_modalities(tokens: Sequence[AnyTokens], rate: float, seed: tf.Tensor) -> list[AnyTokens]:
    """Makes whole modalities of random examples missing, but never the last one that an example has.

    Each present modality is dropped with probability `rate`; where all would go, one of them stays, each with
    the same probability.

    Shapes:
        tokens: one `Tokens` or `PackedTokens` of B examples a modality; seed: int32 [2]; result: the same kinds and
        shapes.

    Args:
        tokens: the modalities.
        rate: probability, in [0, 1).
        seed: of the draw.

    Source: Neverova et al. 2014, ModDrop, arXiv:1501.00102, section 3.3.
    """
    present = tf.stack([part.present() for part in tokens], axis=1)
    draw = tf.where(present, uniform(seed, sizes(present)), -1.0)
    stay = (draw >= rate) | (draw == tf.reduce_max(draw, axis=1, keepdims=True))
    return [_only(part, stay[:, index]) for index, part in enumerate(tokens)]


def without_missing(tokens: AnyTokens) -> AnyTokens:
    """Zeros wherever nothing real stands, so that no later product sees what is there.

    Shapes:
        tokens: [B, T, D] or packed [R, L, D]; result: the same shapes.
    """
    zero = tf.zeros([], tokens.values.dtype)
    return tokens._replace(
        values=tf.where(tokens.mask[:, :, None], tokens.values, zero),
        pooled=tf.where(tokens.present()[:, None], tokens.pooled, zero),
    )


def _only(tokens: AnyTokens, keep: tf.Tensor) -> AnyTokens:
    """The tokens of the examples in keep, bool [B]; a packed segment of another belongs to no example any more."""
    keep = keep[:, None]
    if isinstance(tokens, nn.Tokens):
        return without_missing(tokens._replace(mask=tokens.mask & keep))
    nowhere = tf.constant([-1, 0], tokens.places.dtype)
    places, index = tf.where(keep, tokens.places, nowhere), tf.where(keep, tokens.index, -1)
    return without_missing(tokens._replace(places=places, index=index))
