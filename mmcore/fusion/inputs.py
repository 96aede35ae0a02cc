"""What every fusion does first: check, and leave out modalities that are missing or dropped in training."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from mmcore import nn
from mmcore.nn.seeds import uniform
from mmcore.nn.shapes import sizes


def checked_sizes(dims: Sequence[int], dim: int) -> tuple[int, ...]:
    """The modalities' widths, if there is at least one and all are positive."""
    if not dims or min(*dims, dim) < 1:
        raise ValueError(
            f"expected a width of at least 1 for each modality and the result, found {dims=}, {dim=}"
        )
    return tuple(dims)


def with_summaries_of_packed(tokens: Sequence[nn.Tokens | nn.PackedTokens]) -> list[nn.Tokens]:
    """The modalities, each packed one as its examples' summaries: for fusions that look at nothing else.

    Shapes:
        tokens: `Tokens` [B, T_i, D_i] or `PackedTokens` of B examples; result: [B, T_i, D_i], T_i of a packed
        modality is 1.
    """
    return [part.summaries() if isinstance(part, nn.PackedTokens) else part for part in tokens]


def present_tokens(
    tokens: Sequence[nn.Tokens], dims: Sequence[int], rate: float, *, training: bool, seed: tf.Tensor | None
) -> list[nn.Tokens]:
    """The modalities with zeros wherever nothing real stands, some of them dropped in training.

    Shapes:
        tokens: one `Tokens` a modality, [B, T_i, dims[i]]; seed: int32 [2] or None; result: the same shapes.

    Args:
        tokens: the modalities.
        dims: their expected widths.
        rate: of modality dropout.
        training: whether to drop.
        seed: of the drop; None: a fresh one.

    Raises:
        ValueError: another number of modalities or another width; packed tokens.
    """
    if any(isinstance(part, nn.PackedTokens) for part in tokens):
        raise ValueError(
            "this fusion lets modalities look at each other's tokens, which packed rows do not allow: pass "
            "tokens.unpacked(length), or use Concat or Parallel, which take packed tokens by their summaries"
        )
    found = [part.values.shape[-1] for part in tokens]
    if found != list(dims):
        raise ValueError(
            f"expected modalities of widths {list(dims)}, found {found}: pass them in that order"
        )
    if training and rate and len(dims) > 1:
        return drop_modalities(tokens, rate, nn.fresh() if seed is None else seed)
    return [without_missing(part) for part in tokens]


def drop_modalities(tokens: Sequence[nn.Tokens], rate: float, seed: tf.Tensor) -> list[nn.Tokens]:
    """Makes whole modalities of random examples missing, but never the last one that an example has.

    Each present modality is dropped with probability `rate`; where all would go, one of them stays, each with
    the same probability.

    Shapes:
        tokens: one `Tokens` a modality, [B, T_i, D_i]; seed: int32 [2]; result: the same shapes.

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


def without_missing(tokens: nn.Tokens) -> nn.Tokens:
    """Zeros wherever nothing real stands, so that no later product sees what is there.

    Shapes:
        tokens: [B, T, D]; result: the same shapes.
    """
    zero = tf.zeros([], tokens.values.dtype)
    values = tf.where(tokens.mask[:, :, None], tokens.values, zero)
    return nn.Tokens(values, tokens.mask, tf.where(tokens.present()[:, None], tokens.pooled, zero))


def _only(tokens: nn.Tokens, keep: tf.Tensor) -> nn.Tokens:
    return without_missing(tokens._replace(mask=tokens.mask & keep[:, None]))
